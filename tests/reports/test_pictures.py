"""Which pictures a page carries, in what form, and how large it gets."""

from __future__ import annotations

import base64
import io
import json
import re

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from bench.judge.colour.naming import name as name_of
from bench.store.run import Run
from prompts.colours import COLOUR_NAMES
from reports import page
from reports.inline_images import embed
from reports.payload import LEVELS, all_items, cell_table, name_table
from reports.picture_order import PictureOrder, embedding_order
from reports.reading import read_run
from reports.thumbnails import LONGEST, encode_labels, make_thumbnail


def decode_labels(text: str) -> np.ndarray:
    data, out, at = base64.b64decode(text), [], 0
    while at < len(data):
        label, length, shift = data[at], 0, 0
        at += 1
        while True:
            length |= (data[at] & 127) << shift
            shift += 7
            at += 1
            if not data[at - 1] & 128:
                break
        out += [label] * length
    return np.array(out, np.uint8)


def png(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(array).save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize("size", [(1, 1), (64, 64), (3, 129), (200, 300)])
def test_labels_come_back(size):
    rng = np.random.default_rng(0)
    for labels in (
        rng.choice([0, 1, 101], size).astype(np.uint8),
        np.zeros(size, np.uint8),
        np.full(size, 255, np.uint8),
    ):
        assert np.array_equal(decode_labels(encode_labels(labels)), labels.ravel())


def test_a_small_picture_is_kept_to_the_pixel():
    array = np.random.default_rng(0).integers(0, 256, (64, 48, 3), dtype=np.uint8)
    thumbnail = make_thumbnail(png(array), png(array[..., 0]), None)
    assert (thumbnail.width, thumbnail.height) == (48, 64)
    back = Image.open(io.BytesIO(base64.b64decode(thumbnail.uri.split(",")[1])))
    assert np.array_equal(np.asarray(back), array)


@pytest.mark.parametrize("quality", [None, 88])
def test_a_large_picture_is_made_smaller_in_its_own_shape(quality):
    array = np.zeros((512, 256, 3), np.uint8)
    array[:, :, 2] = 220
    labels = np.zeros((512, 256), np.uint8)
    labels[100:] = 1
    thumbnail = make_thumbnail(png(array), png(labels), quality)
    assert (thumbnail.width, thumbnail.height) == (LONGEST // 2, LONGEST)
    assert decode_labels(thumbnail.labels).size == LONGEST * LONGEST // 2
    back = np.asarray(Image.open(io.BytesIO(base64.b64decode(thumbnail.uri.split(",")[1]))))
    assert abs(back.astype(int) - (0, 0, 220)).max() <= 4


def test_colours_survive_the_loss():
    rng = np.random.default_rng(0)
    array = np.full((64, 64, 3), 200, np.uint8)
    array[16:48, 16:48] = (36, 84, 216)
    noisy = np.clip(array + rng.normal(0, 2, array.shape), 0, 255).astype(np.uint8)
    thumbnail = make_thumbnail(png(noisy), None, 88)
    back = np.asarray(Image.open(io.BytesIO(base64.b64decode(thumbnail.uri.split(",")[1]))))
    assert abs(back.astype(int) - noisy).mean() < 4
    inside = back[18:46, 18:46].mean((0, 1))
    assert abs(inside - (36, 84, 216)).max() < 4


def rows(cells: int = 12, seeds: int = 8) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    count = cells * seeds
    return pd.DataFrame(
        {
            "sample_id": [f"s{number}" for number in range(count)],
            "cell_id": [f"c{number % cells}" for number in range(count)],
            "index": [number // cells for number in range(count)],
            "colour": [("red", "blue", "gray")[number % 3] for number in range(count)],
            "subject": [f"thing {number % cells // 3}" for number in range(count)],
            "verdict": rng.choice(["bound", "prior", "background"], count, p=[0.8, 0.15, 0.05]),
            "bind": rng.uniform(0, 1, count),
            "leak_background": rng.uniform(0, 1, count),
            "leak_neighbour": rng.uniform(0, 1, count),
            "changed": rng.random(count) < 0.1,
        }
    )


def test_order_has_each_picture_once_and_does_not_depend_on_the_rows():
    table = rows()
    order = embedding_order(table)
    assert sorted(order) == sorted(set(zip(table["cell_id"], table["index"], strict=True)))
    assert embedding_order(table.sample(frac=1, random_state=3)) == order
    assert embedding_order(table.iloc[:0]) == []


def test_order_begins_with_every_cell_of_the_heatmap():
    table = rows()
    pairs = table.groupby(["colour", "subject"]).ngroups
    head = set(embedding_order(table)[:pairs])
    chosen = table[[key in head for key in zip(table["cell_id"], table["index"], strict=True)]]
    assert chosen.groupby(["colour", "subject"]).ngroups == pairs


def test_order_favours_rare_verdicts_changes_and_the_worst():
    table = rows(cells=30, seeds=40)
    order = embedding_order(table)
    head = set(order[: len(order) // 4])
    inside = np.array([key in head for key in zip(table["cell_id"], table["index"], strict=True)])
    rare = (table["verdict"] == "background").to_numpy()
    assert inside[rare].mean() > 0.6
    assert inside[table["changed"].to_numpy()].mean() > 0.6
    badness = table[["leak_background", "leak_neighbour"]].max(axis=1) - table["bind"]
    worst = (badness > badness.quantile(0.98)).to_numpy()
    assert inside[worst].mean() > 0.5
    usual = (table["verdict"] == "bound").to_numpy()
    assert inside[usual].mean() > 0.1


def test_a_budget_is_kept_and_controls_come_along(first):
    items, cells = all_items([first]), cell_table([first])
    plan = PictureOrder([first], items, cells)
    whole = embed([first], plan, None)[0]
    assert len(whole.keys) == len(set(whole.keys)) == len(first.samples)
    budget = sum(thumbnail.size for thumbnail in whole.thumbnails) // 12
    some = embed([first], plan, budget)[0]
    assert 0 < len(some.keys) < len(whole.keys)
    assert sum(thumbnail.size for thumbnail in some.thumbnails) <= budget
    assert budget * 0.6 < sum(thumbnail.size for thumbnail in some.thumbnails)
    control = dict(zip(cells["cell_id"], cells["control_id"], strict=True))
    for cell, index in some.keys:
        assert (control[cell], index) in set(some.keys)
    assert embed([first], plan, budget)[0].keys == some.keys


def test_page_says_how_many_it_shows(first, tmp_path, monkeypatch, open_page):
    monkeypatch.setattr(page, "LARGEST", 100_000)
    monkeypatch.setattr(page, "LEAST_PICTURES", 60_000)
    written = page.write_report([first], tmp_path / "small.html")
    assert written.embedded < written.images
    assert written.size < 400_000
    opened = open_page(written.path)
    text = opened.inner_text("#gallery .note")
    assert f"Showing {written.embedded} of {written.images}" in text
    assert "shown" in opened.inner_text("#matches")
    opened.check("#f-all")
    assert opened.inner_text("#matches") == f"{len(first.verdicts)} in all"


def test_names_of_colours_in_a_table():
    table = decode_labels(name_table()).reshape(LEVELS, LEVELS, LEVELS)
    middles = np.arange(LEVELS) * (256 // LEVELS) + 128 // LEVELS
    for red, green, blue in ((31, 0, 0), (1, 1, 1), (30, 30, 30), (3, 7, 28)):
        pixel = middles[[red, green, blue]].astype(np.uint8)
        assert COLOUR_NAMES[table[red, green, blue]] == name_of(pixel)
    assert COLOUR_NAMES[table[31, 0, 0]] == "red"


def test_the_same_run_gives_the_same_page(first_folder, tmp_path):
    texts = []
    for name in ("a.html", "b.html"):
        page.write_report([read_run(Run(first_folder))], tmp_path / name)
        texts.append((tmp_path / name).read_bytes())
    assert texts[0] == texts[1]


def test_page_carries_nothing_from_outside(page_file):
    text = page_file.read_text(encoding="utf-8")
    assert not re.findall(r"(?:src|href)=\"(?!#|data:)[^\"]+", text)
    assert "@import" not in text
    assert not re.findall(r"https?://(?!www\.w3\.org/2000/svg)", text)
    policy = re.search(r'Content-Security-Policy" content="([^"]+)', text)[1]
    assert "default-src &#39;none&#39;" in policy or "default-src 'none'" in policy
    json.loads(re.search(r'id="data">(.*?)</script>', text, re.S)[1])
