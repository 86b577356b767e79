"""``bench report`` from the command line."""

from __future__ import annotations

import json
import shutil
import xml.etree.ElementTree as ElementTree

import pytest
from click.testing import CliRunner

from bench.cli.report import command
from bench.errors import BenchError, StoreError, UsageError
from reports.figures import write_figures
from reports.page import write_report


def invoke(*arguments, catch=False):
    return CliRunner().invoke(command, [str(one) for one in arguments], catch_exceptions=catch)


def test_writes_beside_the_run_and_prints_the_path(first_folder, tmp_path):
    folder = shutil.copytree(first_folder, tmp_path / "a run")
    result = invoke(folder)
    assert result.exit_code == 0
    assert result.stdout.strip() == str(folder / "report.html")
    assert (folder / "report.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    assert "Colour names" in (folder / "report.html").read_text(encoding="utf-8")


def test_latest_and_named_runs(first_folder, second_folder, tmp_path, monkeypatch):
    shutil.copytree(first_folder, tmp_path / "runs" / "alpha")
    shutil.copytree(second_folder, tmp_path / "runs" / "beta")
    monkeypatch.chdir(tmp_path)
    both = invoke("alpha", "beta", "--out", "page.html")
    assert both.exit_code == 0
    assert "2 runs side by side" in (tmp_path / "page.html").read_text(encoding="utf-8")
    assert invoke().exit_code == 0
    with pytest.raises(UsageError, match="did you mean alpha"):
        invoke("alhpa")


def test_a_certificate_is_shown_beside_the_own_check(first_folder, tmp_path):
    row = {"masks": "exact", "accuracy": 0.75, "low": 0.7, "high": 0.8, "scenes": 400}
    given = {"segmenter": "exact", "trials": {"dim light": {"own": row | {"masks": "clip"}}}}
    (tmp_path / "certificate.json").write_text(json.dumps(given))
    out = tmp_path / "page.html"
    assert invoke(first_folder, "--out", out, "--certificate", tmp_path / "certificate.json")
    text = out.read_text(encoding="utf-8")
    assert "dim light" in text
    assert "errs in 25.0% of verdicts" in text


def test_derived_files_are_made_again(first_folder, tmp_path):
    folder = shutil.copytree(first_folder, tmp_path / "run")
    (folder / "estimates.json").unlink()
    (folder / "verdicts.parquet").unlink()
    assert invoke(folder).exit_code == 0
    assert (folder / "estimates.json").is_file()


@pytest.mark.parametrize("damage", ["missing", "empty", "part"])
def test_a_broken_run_is_one_clear_line(first_folder, tmp_path, damage):
    folder = shutil.copytree(first_folder, tmp_path / "run")
    if damage == "missing":
        (folder / "run.json").unlink()
    elif damage == "empty":
        shutil.rmtree(folder / "samples")
    else:
        part = next((folder / "samples").iterdir())
        part.write_bytes(part.read_bytes()[:500])
    with pytest.raises(BenchError) as caught:
        invoke(folder)
    assert "\n" not in str(caught.value)
    assert str(folder) in str(caught.value)


def test_a_page_that_cannot_be_written_is_told(first, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be written"):
        write_report([first], tmp_path / "file" / "page.html")
    with pytest.raises(UsageError, match="at least one"):
        write_report([], tmp_path / "page.html")


@pytest.mark.parametrize("name", ["run.json", "verdicts.parquet", "notes.html"])
def test_what_is_no_page_is_never_overwritten(first_folder, tmp_path, name):
    folder = shutil.copytree(first_folder, tmp_path / "run")
    target = folder / name
    if not target.exists():
        target.write_text("<!doctype html><title>Notes of somebody</title>")
    before = target.read_bytes()
    with pytest.raises(UsageError, match="left alone"):
        invoke(folder, "--out", target)
    assert target.read_bytes() == before


def test_an_earlier_page_is_replaced_and_a_folder_gets_one(first_folder, tmp_path):
    out = tmp_path / "pages"
    out.mkdir()
    assert invoke(first_folder, "--out", out).exit_code == 0
    made = (out / "report.html").read_bytes()
    assert invoke(first_folder, "--out", out / "report.html").exit_code == 0
    assert (out / "report.html").read_bytes() == made


def test_a_new_name_in_a_run_folder_must_be_that_of_a_page(first_folder, tmp_path):
    folder = shutil.copytree(first_folder, tmp_path / "run")
    with pytest.raises(UsageError, match=r"\.html"):
        invoke(folder, "--out", folder / "lock.json")
    assert not (folder / "lock.json").exists()


def test_a_page_says_nothing_of_where_the_run_lies(first_folder, tmp_path):
    folder = shutil.copytree(first_folder, tmp_path / "private" / "run")
    assert invoke(folder, "--out", tmp_path / "page.html").exit_code == 0
    assert str(tmp_path) not in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_a_table_is_written_beside_the_page(first_folder, second_folder, tmp_path):
    arguments = (first_folder, second_folder, "--out", tmp_path, "--table", tmp_path / "t.md")
    assert invoke(*arguments).exit_code == 0
    assert "| first | Singles |" in (tmp_path / "t.md").read_text()


def test_runs_are_looked_up_in_the_folder_named_by_runs(first_folder, tmp_path):
    shutil.copytree(first_folder, tmp_path / "elsewhere" / "alpha")
    assert invoke("alpha", "--runs", tmp_path / "elsewhere").exit_code == 0
    assert (tmp_path / "elsewhere" / "alpha" / "report.html").is_file()


def test_figures_are_svg_and_pdf(first, second, tmp_path):
    written = write_figures([first, second], tmp_path / "figures")
    names = {path.name for path in written}
    stems = ("heatmap-1", "heatmap-2", "leakage-1", "leakage-2", "comparison")
    assert names == {f"{stem}{end}" for stem in stems for end in (".svg", ".pdf")}
    for path in written:
        if path.suffix == ".svg":
            assert ElementTree.parse(path).getroot().tag.endswith("svg")
        else:
            assert path.read_bytes().startswith(b"%PDF")


def test_figures_without_matplotlib_say_what_to_install(first, tmp_path, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(UsageError, match="pip install"):
        write_figures([first], tmp_path)


def test_help_names_every_option():
    result = invoke("--help")
    for option in (
        "--out",
        "--runs",
        "--assets",
        "--table",
        "--figures",
        "--certificate",
        "--open",
    ):
        assert option in result.output
