"""The page as a reader meets it: real Chromium, network cut."""

from __future__ import annotations

import csv
import io
import json
import re
import time
from dataclasses import replace

import pytest


def matches(page) -> int:
    """Number of items in the gallery, from what the page tells."""
    text = page.text_content("#matches")
    return int(text.split(" ")[0].replace(",", ""))


def until(page, expression: str, seconds: float = 90) -> None:
    """Wait until a JavaScript expression is true; the page's own policy forbids its eval."""
    end = time.monotonic() + seconds
    while not page.evaluate(expression):
        assert time.monotonic() < end, f"never true: {expression}"
        page.wait_for_timeout(50)


def cards(page):
    page.wait_for_selector(".card")
    return page.locator(".card")


def test_opens_with_numbers_pictures_and_title(page_file, open_page):
    page = open_page(page_file)
    assert "first" in page.title()
    assert page.locator(".hero-number .value").inner_text().endswith("%")
    assert page.locator(".certificate .value").inner_text().startswith("96.0")
    assert cards(page).count() > 0
    natural = page.evaluate("document.querySelector('.card img').naturalWidth")
    assert natural == 64
    assert page.evaluate("document.querySelector('.card img').width") % 64 == 0


def test_heatmap_cell_opens_exactly_its_pictures(page_file, open_page):
    page = open_page(page_file)
    cell = page.locator('.heat .cell[data-told^="blue frog"]')
    hits = cell.locator(".n").inner_text()
    cell.click()
    assert matches(page) == int(hits.split("/")[1])
    prompts = set(page.locator(".card-prompt").all_inner_texts())
    assert all("blue frog" in prompt for prompt in prompts)
    assert "colour=blue" in page.url
    assert "subject=frog" in page.url


def test_heatmap_sorts_and_moves_by_keys(page_file, open_page):
    page = open_page(page_file)
    page.select_option("#heat-rows", "name")
    names = page.locator(".heat tbody th").all_inner_texts()
    assert names == sorted(names)
    page.select_option("#heat-rows", "mean")
    means = [
        int(text.rstrip("%")) for text in page.locator(".heat tbody .margin").all_inner_texts()
    ]
    assert means == sorted(means)
    assert page.locator('.heat .cell[tabindex="0"]').count() == 1
    page.locator('.heat .cell[tabindex="0"]').focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    place = page.evaluate(
        "[document.activeElement.dataset.row, document.activeElement.dataset.column]"
    )
    assert place == ["1", "1"]
    assert "95% interval" in page.inner_text("#heat-readout")


def test_filters_narrow_and_live_in_the_url(page_file, open_page, first):
    page = open_page(page_file)
    assert matches(page) == len(first.verdicts)
    page.click("#verdict-menu summary")
    page.check('#verdict-options input[value="neighbour"]')
    page.keyboard.press("Escape")
    expected = int((first.verdicts["verdict"] == "neighbour").sum())
    assert matches(page) == expected
    page.fill("#f-text", "potato")
    both = first.verdicts["verdict"].eq("neighbour") & (
        first.verdicts["words"].str.contains("potato")
        | first.verdicts["cell_id"].str.contains("potato")
    )
    assert matches(page) == int(both.sum())
    again = open_page(page_file, "#" + page.url.split("#")[1])
    assert matches(again) == int(both.sum())
    assert again.input_value("#f-text") == "potato"
    page.click("#reset")
    assert matches(page) == len(first.verdicts)
    assert "#" not in page.url


def test_tag_and_seen_colour_filters(page_file, open_page, first):
    page = open_page(page_file, "#tag=novel")
    assert matches(page) == int(first.verdicts["tags"].map(lambda tags: "novel" in tags).sum())
    page.click("#reset")
    page.select_option("#f-seen", "gray")
    assert matches(page) == int((first.verdicts["observed"] == "gray").sum())


def test_sorts_by_a_metric(page_file, open_page, first):
    page = open_page(page_file, "#sort=-leak_background")
    top = cards(page).first
    top.locator("button").click()
    shown = page.locator(".metrics tr", has_text="Colour on background").locator("td").first
    largest = first.verdicts["leak_background"].max()
    assert shown.inner_text() == f"{100 * largest:.1f}%"


@pytest.mark.parametrize(("key", "name"), [("1", "mask"), ("2", "names"), ("3", "leak")])
def test_overlay_keys_paint_the_pictures(page_file, open_page, key, name):
    page = open_page(page_file)
    cards(page)
    page.keyboard.press(key)
    page.wait_for_selector(".card canvas")
    until(
        page,
        "() => { const c = document.querySelector('.card canvas');"
        "return [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data].some(Boolean) }",
    )
    assert page.get_attribute(f'[data-overlay="{name}"]', "aria-pressed") == "true"
    assert name in page.url
    page.keyboard.press(key)
    until(page, "!document.querySelector('.card canvas')")


def test_leak_overlay_keeps_what_leaked(page_file, open_page):
    page = open_page(page_file, "#verdict=background&overlay=leak&colour=blue")
    until(
        page,
        "() => { const c = document.querySelector('.card canvas'); if (!c) return false;"
        "const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;"
        "let clear = 0; for (let i = 3; i < d.length; i += 4) clear += d[i] === 0;"
        "return clear / (d.length / 4) > 0.3 }",
    )


def test_control_of_the_same_seed_stands_beside(page_file, open_page):
    page = open_page(page_file, "#template=single")
    cards(page)
    before = page.locator(".card").first.locator(".mat").count()
    page.keyboard.press("4")
    until(page, "document.querySelector('.card .tag')?.textContent === 'control'")
    assert page.locator(".card").first.locator(".mat").count() == before + 1


def test_gallery_by_keyboard_alone(page_file, open_page):
    page = open_page(page_file)
    cards(page)
    page.keyboard.press("g")
    until(page, "document.activeElement.className === 'card-button'")
    position = "Number(document.activeElement.parentElement.dataset.position)"
    assert page.evaluate(position) == 0
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    columns = page.evaluate(position) - 1
    assert columns >= 1
    page.keyboard.press("End")
    last = page.evaluate(position)
    assert last == matches(page) - 1
    page.keyboard.press("Enter")
    page.wait_for_selector("#viewer[open]")
    assert page.inner_text("#viewer-place").startswith(f"{last + 1} of")
    page.keyboard.press("ArrowLeft")
    assert page.inner_text("#viewer-place").startswith(f"{last} of")
    page.keyboard.press("Escape")
    until(page, "!document.querySelector('#viewer').open")
    assert page.evaluate("document.activeElement.className") == "card-button"
    assert page.evaluate(position) == last - 1
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "f-text"


def test_viewer_has_a_link(page_file, open_page):
    page = open_page(page_file)
    cards(page).nth(2).locator("button").click()
    title = page.inner_text("#viewer-title")
    again = open_page(page_file, "#" + page.url.split("#")[1])
    again.wait_for_selector("#viewer[open]")
    assert again.inner_text("#viewer-title") == title


def test_labels_are_kept_and_exported(page_file, open_page, first):
    page = open_page(page_file, "#sort=given", accept_downloads=True)
    cards(page)
    page.keyboard.press("g")
    until(page, "document.activeElement.className === 'card-button'")
    page.keyboard.press("y")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("n")
    assert page.inner_text("#label-count") == "2"
    marks = page.locator(".judged")
    assert [text.split() for text in marks.all_text_contents()] == [["✓", "right"], ["✕", "wrong"]]
    page.keyboard.press("Enter")
    page.select_option(".viewer-labels select", "mixed")
    page.keyboard.press("Escape")
    # The browser tells the page of the close a little later; until then the link names the item.
    until(page, "!location.hash.includes('item=')")
    page.reload()
    page.wait_for_selector("html[data-ready]")
    assert page.inner_text("#label-count") == "2"
    with page.expect_download() as download:
        page.click("#export-labels")
    rows = list(csv.DictReader(io.StringIO(download.value.path().read_text())))
    stored = first.verdicts.iloc[:2]
    assert [row["sample_id"] for row in rows] == stored["sample_id"].tolist()
    assert [row["verdict"] for row in rows] == stored["verdict"].tolist()
    assert [row["label"] for row in rows] == ["right", "wrong"]
    assert [row["human"] for row in rows] == [stored["verdict"].iloc[0], "mixed"]


def test_two_runs_side_by_side(pair_file, open_page, first, second):
    page = open_page(pair_file, "#different=1")
    both = first.verdicts.merge(second.verdicts, on=["cell_id", "index", "binding"])
    assert matches(page) == int((both["verdict_x"] != both["verdict_y"]).sum())
    card = cards(page).first
    assert card.locator(".card-verdict").count() == 2
    assert card.locator("img").count() == 2
    assert page.locator(".differences:not(.short) tbody tr").count() == 5
    # Of two runs the difference comes first; the address need not say so.
    assert page.input_value("#heat-run") == "0-1"
    assert "difference" in page.inner_text("#heat-readout")
    page.select_option("#heat-run", "0")
    assert "difference" not in page.inner_text("#heat-readout")
    assert "run=0" in page.url


def test_chart_of_differences_is_scaled_to_its_data(pair_file, open_page):
    page = open_page(pair_file)
    ends = page.locator(".differences .ends").first.inner_text().split()
    reach = float(ends[-1])
    spans = page.locator(".differences:not(.short) tbody td:nth-of-type(5)").all_inner_texts()
    values = [abs(float(x.replace("−", "-"))) for span in spans for x in span.split(" to ")]
    assert max(values) <= reach
    assert reach == 100 or max(values) > reach / 2.6
    places = page.locator(".differences:not(.short) .band").evaluate_all(
        "(all) => all.flatMap((e) => ['x1', 'x2'].map((end) => parseFloat(e.getAttribute(end))))"
    )
    assert all(1 <= place <= 99 for place in places)


def test_links_to_pictures_put_the_focus_on_the_first(pair_file, open_page):
    on_first = "document.activeElement.closest('.card')?.dataset.position === '0'"
    page = open_page(pair_file)
    page.click("#compare .solid")
    until(page, on_first)
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.closest('.card').dataset.position") == "1"
    until(open_page(pair_file, "#different=1"), on_first)


def test_failures_come_first_unless_asked_otherwise(page_file, open_page, first):
    page = open_page(page_file)
    cards(page)
    verdicts = page.locator(".card .card-verdict").all_inner_texts()
    assert "Bound" not in verdicts
    page.select_option("#f-sort", "given")
    words = first.verdicts.iloc[0]["words"]
    assert page.locator(".card").first.locator(".card-words").inner_text() == words


def test_pictures_zoom_together_and_can_be_moved(pair_file, open_page):
    page = open_page(pair_file)
    cards(page).first.locator("button").click()
    scales = (
        "[...document.querySelectorAll('.viewer-pictures .mat img')]"
        ".map((e) => new DOMMatrix(getComputedStyle(e).transform).a)"
    )
    assert set(page.evaluate(scales)) == {1}
    page.keyboard.press("+")
    page.click("#zoom-in")
    assert set(page.evaluate(scales)) == {3}
    assert page.inner_text("#zoom-level") == "3×"
    box = page.locator(".viewer-pictures .mat").first.bounding_box()
    place = "document.querySelector('.viewer-pictures .mat img').getBoundingClientRect().x"
    before = page.evaluate(place)
    page.mouse.move(box["x"] + 60, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 80, box["y"] + 60)
    page.mouse.up()
    assert page.evaluate(place) - before == pytest.approx(20, abs=1)
    origins = page.evaluate(
        "[...document.querySelectorAll('.viewer-pictures .mat img')]"
        ".map((e) => e.style.transformOrigin)"
    )
    assert len(set(origins)) == 1
    page.keyboard.press("0")
    assert set(page.evaluate(scales)) == {1}


def test_viewer_leads_to_the_other_seeds_of_its_prompt(page_file, open_page):
    page = open_page(page_file)
    cards(page).first.locator("button").click()
    title = page.inner_text("#viewer-title")
    seeds = page.locator(".seeds .example")
    assert seeds.count() == 3
    assert page.locator('.seeds [aria-current="true"]').count() == 1
    other = page.locator(".seeds .example:not([aria-current])").first
    number = other.inner_text().split()[0]
    other.click()
    assert page.inner_text("#viewer-title") == title
    assert f"image {number} of cell" in page.inner_text(".ids")
    assert page.locator('.seeds [aria-current="true"]').inner_text().split()[0] == number


def test_command_that_made_the_run_can_be_copied(first, tmp_path, open_page):
    from reports.page import write_report

    made = "bench run --model /home/somebody/tuned --seeds 3"
    record = first.record | {"command": made}
    write_report([replace(first, record=record)], tmp_path / "page.html")
    assert "/home/somebody" not in (tmp_path / "page.html").read_text(encoding="utf-8")
    page = open_page(tmp_path / "page.html", permissions=["clipboard-read", "clipboard-write"])
    shown = page.locator(".heading .command code").inner_text()
    assert shown == "bench run --model '…/tuned' --seeds 3"
    page.click(".heading .copy-command")
    until(page, "document.querySelector('.heading .copy-command').textContent.startsWith('Copied')")
    assert page.evaluate("navigator.clipboard.readText()") == shown
    cards(page).first.locator("button").click()
    assert page.locator("#viewer .command code").inner_text() == shown


def test_words_of_the_suite_are_explained_where_they_stand(page_file, open_page):
    page = open_page(page_file)
    for word in ("cell", "control", "leak_excess", "judged", "kinds"):
        page.locator(f'[popovertarget="what-{word}"]').first.click()
        assert page.is_visible(f"#what-{word}")
        page.keyboard.press("Escape")
        assert not page.is_visible(f"#what-{word}")


def test_how_many_pictures_a_place_has_stands_beside_it(page_file, open_page, first):
    page = open_page(page_file)
    blue = page.locator(".shifts tbody tr", has_text="blue")
    counted = [int(text.removeprefix("n ")) for text in blue.locator("small").all_inner_texts()]
    judged = first.verdicts[first.verdicts["colour"] == "blue"]
    columns = ("bind", "leak_neighbour", "leak_background")
    assert counted == [int(judged[name].notna().sum()) for name in columns]
    few = page.locator(".shifts td.caused.few small").all_inner_texts()
    many = page.locator(".shifts td.caused:not(.few) small").all_inner_texts()
    assert all(int(text.removeprefix("n ")) < 5 for text in few)
    assert all(int(text.removeprefix("n ").replace(",", "")) >= 5 for text in many)


def test_table_to_paste(pair_file, open_page):
    page = open_page(pair_file)
    page.click("#summary > .paste summary")
    assert page.input_value("#table-markdown").startswith("| Run |")
    page.click('[data-table="table-latex"]')
    assert "\\toprule" in page.input_value("#table-latex")
    page.click('[data-table="table-csv"]')
    rows = list(csv.DictReader(io.StringIO(page.input_value("#table-csv"))))
    assert {row["run"] for row in rows} == {"first", "second"}
    page.click("#summary > .paste .copy")
    until(page, "document.querySelector('#summary > .paste .copy').textContent !== 'Copy'")
    page.click("#compare .paste summary")
    assert page.input_value("#differences-markdown").startswith("| Run |")


def test_highlights_show_failures_and_opens_them(page_file, open_page, first):
    page = open_page(page_file)
    page.wait_for_selector(".example img")
    shown = set(page.locator(".example .card-verdict").all_inner_texts())
    counts = first.verdicts["verdict"].value_counts().drop("bound")
    assert len(shown) == min(8, len(counts))
    assert "Bound" not in shown
    page.locator(".example").first.click()
    page.wait_for_selector("#viewer[open]")
    assert page.inner_text(".viewer-verdict") in shown
    page.keyboard.press("Escape")
    page.locator('.lowest .row-link[data-go^="colour="]').first.click()
    assert "colour=" in page.url


def test_a_shift_of_verdicts_opens_its_pictures_and_can_be_taken_away(pair_file, open_page):
    page = open_page(pair_file)
    row = page.locator(".shifted tr").first
    expected = int(row.locator("td").inner_text())
    row.locator("button").click()
    assert matches(page) == expected
    again = open_page(pair_file, "#" + page.url.split("#")[1])
    assert matches(again) == expected
    again.click(".chip")
    assert again.inner_text("#matches").endswith("in all")
    assert "shift" not in again.url


def test_cells_that_lost_show_before_and_after_and_open_their_cell(pair_file, open_page, first):
    page = open_page(pair_file)
    cell = page.locator(".changed-cell").first
    assert cell.locator(".example").first.locator("img").count() == 2
    prompt = cell.locator("bdi").inner_text()
    cell.locator(".row-link").click()
    assert set(page.locator(".card .card-prompt bdi").all_inner_texts()) == {prompt}
    ids = first.samples.loc[first.samples["text"] == prompt, "cell_id"].unique()
    assert matches(page) == int(first.verdicts["cell_id"].isin(ids).sum())
    page = open_page(pair_file)
    page.locator(".changed-cell .example").first.click()
    page.wait_for_selector("#viewer[open]")
    assert page.locator(".viewer-verdict").count() == 2


def test_sorts_by_what_changed(pair_file, open_page, first, second):
    page = open_page(pair_file, "#sort=change.bind")
    both = first.verdicts.merge(second.verdicts, on=["cell_id", "index", "binding"])
    lost = (both["bind_y"] - both["bind_x"]).min()
    cards(page).first.locator("button").click()
    values = [
        float(text.rstrip("%"))
        for text in page.locator(".metrics tr", has_text=re.compile("^Colour on subject"))
        .locator("td:first-of-type")
        .all_inner_texts()
    ]
    assert values[1] - values[0] == pytest.approx(100 * lost, abs=0.2)


def test_heatmap_sorts_by_strength_of_prior_and_best_first(page_file, open_page):
    page = open_page(page_file)
    page.select_option("#heat-rows", "prior")
    shares = page.locator(".heat tbody td.own span").all_inner_texts()
    known = [int(text.rstrip("%")) for text in shares if text != "–"]
    assert known == sorted(known, reverse=True)
    page.select_option("#heat-columns", "best")
    feet = page.locator(".heat tfoot td:not(.margin)").all_inner_texts()
    means = [int(text.rstrip("%")) for text in feet if text.endswith("%")]
    assert means == sorted(means, reverse=True)
    assert len(means) == 5


def test_certificate_is_a_section(page_file, open_page, first):
    page = open_page(page_file)
    assert page.locator(".trials tbody tr").count() == 1
    assert "96.0%" in page.inner_text(".trials tbody")
    mixed = page.locator(".confusion tbody tr", has_text="mixed").inner_text()
    assert "80" in mixed
    page.locator(".certificate a").click()
    assert page.evaluate("document.activeElement.id") == "scorer"
    assert "#" not in page.url


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_theme_is_neutral_and_nothing_overflows(page_file, open_page, scheme, width):
    page = open_page(page_file, scheme=scheme, width=width)
    cards(page)
    colours = page.evaluate(
        """() => ['body', 'html', '.mat', '.card-button', '.hero', '.toolbar'].map((s) => {
          const style = getComputedStyle(document.querySelector(s));
          return [style.backgroundColor, style.color];
        })"""
    )
    for pair in colours:
        for text in pair:
            red, green, blue = (
                float(part) for part in text.split("(")[1].rstrip(")").split(",")[:3]
            )
            assert red == green == blue, text
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


# Elements whose own text is wider than they are, or cut at their edge or that of an ancestor that
# does not scroll; but for what only a screen reader has.
CLIPPED = """() => {
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode, label = node.parentElement;
    if (!node.textContent.trim() || !label.checkVisibility()) continue;
    if (label.closest('.visually-hidden, .skip, script, style, svg, select, textarea')) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    const text = range.getBoundingClientRect();
    const words = [label.className, node.textContent.trim()];
    const wide = label.clientWidth && label.scrollWidth > label.clientWidth + 1;
    if (wide && getComputedStyle(label).display !== 'inline') found.push(['wide', ...words].join());
    for (let e = label; e !== document.body; e = e.parentElement) {
      const style = getComputedStyle(e);
      if (e.classList.contains('scroller') || style.overflowX === 'auto') break;
      if (style.overflowX === 'visible') continue;
      const box = e.getBoundingClientRect();
      if (text.right > box.right + 1 || text.left < box.left - 1) {
        found.push(['cut', ...words].join());
      }
    }
  }
  return [...new Set(found)];
}"""


@pytest.mark.parametrize("pages", ["page_file", "pair_file", "many_file"])
def test_no_word_is_clipped(pages, open_page, request):
    page = open_page(request.getfixturevalue(pages))
    cards(page)
    for details in page.locator("details:not(.menu)").all():
        details.evaluate("(e) => { e.open = true; }")
    for viewer in (False, True):
        if viewer:
            page.locator(".card button").first.click()
            page.keyboard.press("n")
        for width in (360, 390, 768, 1024, 1280, 1920):
            page.set_viewport_size({"width": width, "height": 900})
            page.wait_for_timeout(150)
            assert page.evaluate(CLIPPED) == [], width
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), width


def test_a_clipped_word_would_be_found(page_file, open_page):
    page = open_page(page_file)
    page.evaluate(
        "document.querySelector('.row-link').style.cssText"
        " = 'width: 30px; overflow: hidden; white-space: nowrap'"
    )
    assert page.evaluate(CLIPPED)


def test_many_runs_are_a_table_that_sorts(many_file, open_page, many):
    page = open_page(many_file)
    rows = page.locator("#runs-table tbody tr")
    assert rows.count() == len(many) == 6
    assert page.locator("#runs-table").bounding_box()["y"] < 900
    scores = [run.estimate("binding_score").value for run in many]

    def shown() -> list[float]:
        texts = rows.locator("td:nth-of-type(1) b").all_inner_texts()
        return [float(text.rstrip("%")) for text in texts]

    given = [round(100 * score, 1) for score in scores]
    assert shown() == given
    head = page.locator("#runs-table .sort", has_text="Binding score")
    head.click()
    assert shown() == sorted(given, reverse=True)
    head.click()
    assert shown() == sorted(given)
    head.click()
    assert shown() == given
    assert page.locator("#runs-table th[scope=col]").first.get_attribute("aria-sort") == "none"


def test_of_many_runs_a_card_shows_the_first_and_the_chosen(many_file, open_page):
    page = open_page(many_file)
    card = cards(page).first
    assert card.locator(".tag").all_inner_texts() == ["A", "F"]
    page.select_option("#f-beside", "2")
    assert page.locator(".card").first.locator(".tag").all_inner_texts() == ["A", "C"]
    assert "beside=2" in page.url
    page.locator(".card button").first.click()
    assert page.locator(".viewer-run").count() == 2


def test_theme_button_overrides_the_system_and_is_kept(page_file, open_page):
    page = open_page(page_file, scheme="dark")
    dark = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    page.click("#theme")
    light = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert dark != light
    page.reload()
    assert page.get_attribute("html", "data-theme") == "light"


def test_nothing_jumps_when_overlays_toggle(page_file, open_page):
    page = open_page(page_file)
    cards(page)
    box = page.locator(".card").first.bounding_box()
    page.keyboard.press("2")
    page.wait_for_selector(".card canvas")
    assert page.locator(".card").first.bounding_box() == box


def test_prints_light_and_without_controls(page_file, open_page):
    page = open_page(page_file, scheme="dark")
    page.emulate_media(media="print")
    assert not page.is_visible("#toolbar")
    assert not page.is_visible(".bar")
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"


def test_assets_folder_holds_all_pictures(first, tmp_path, open_page):
    from reports.page import write_report

    written = write_report([first], tmp_path / "a page.html", assets=True)
    assert written.embedded == written.images
    names = {path.stem for path in (written.assets / "images-0").iterdir()}
    assert names == set(first.samples["sample_id"])
    page = open_page(written.path, "#overlay=leak")
    page.wait_for_selector(".card img")
    page.wait_for_selector(".card canvas")
    assert page.evaluate("document.querySelector('.card img').naturalWidth") == 64


def test_data_is_what_the_run_says(page_file, open_page, first):
    page = open_page(page_file)
    data = json.loads(page.text_content("#data"))
    assert len(data["items"]["cell"]) == len(first.verdicts)
    assert data["runs"][0]["id"] == first.verdicts["sample_id"].tolist()
