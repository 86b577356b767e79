"""What `bench export` writes, `bench score` reads back: the same samples, the same verdicts."""

import json

import pandas as pd
import pytest

from bench.cli.main import run
from bench.store.derived import read_verdicts
from bench.store.run import Run

PARTS = ["--segmenter", "saliency", "--scorer", "segmentation"]
GRID = """
colours = ["red", "blue", "turquoise"]
subjects = ["potato", "cup", "teapot"]
templates = ["single", "plate", "pair", {name = "beach", text = "{subject} on the beach"}]
scenery = ["white"]
pairs = 2
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made")
    (folder / "own.toml").write_text(GRID)
    prompts = str(folder / "own.toml")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        model = "tests.bench.importers.sets:Painter"
        assert run(["run", "--model", model, "--grid", prompts, *PARTS, "--name", "r",
                    "--seeds", "2"]) == 0  # fmt: skip
        for layout, more in (
            ("geneval", []),
            ("imagefolder", ["--metadata", "csv"]),
            ("imagefolder", ["--metadata", "jsonl"]),
        ):
            out = "-".join([layout, *more[1:]])
            assert run(["export", "r", "--layout", layout, "--out", out, *more]) == 0
    return folder


@pytest.mark.parametrize("exported", ["geneval", "imagefolder-csv", "imagefolder-jsonl"])
def test_export_and_score_give_the_same_verdicts(exported, made, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    grid = str(made / "own.toml")
    assert run(["score", str(made / exported), "--grid", grid, *PARTS, "--json"]) == 0
    printed = capsys.readouterr()
    original = Run(made / "runs/r")
    count = original.manifest.images
    assert f"{count} pictures: {count} matched" in printed.err
    assert ", 0 not matched" in printed.err
    again = Run(next((tmp_path / "runs").iterdir()))
    first, second = read_verdicts(original), read_verdicts(again)
    assert len(first) > 60
    order = ["sample_id", "binding"]
    pd.testing.assert_frame_equal(
        first.sort_values(order, ignore_index=True), second.sort_values(order, ignore_index=True)
    )
    estimates = json.loads((original.folder / "estimates.json").read_text())["estimates"]
    assert json.loads((again.folder / "estimates.json").read_text())["estimates"] == estimates


def test_images_of_a_run_are_a_parquet_set(made, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    grid = str(made / "own.toml")
    samples = str(made / "runs/r/samples")
    assert run(["score", samples, "--grid", grid, *PARTS, "--name", "again"]) == 0
    assert "layout parquet" in capsys.readouterr().err
    first = read_verdicts(Run(made / "runs/r")).sort_values(["sample_id", "binding"])
    second = read_verdicts(Run(tmp_path / "runs/again")).sort_values(["sample_id", "binding"])
    assert first["verdict"].tolist() == second["verdict"].tolist()
