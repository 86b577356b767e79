"""Runs in the layouts of others, read back by their own readers."""

import csv
import json
import os
import sys
from pathlib import Path

import pytest
import yaml

from bench.cli.main import run as bench
from bench.errors import UsageError
from bench.export.target import MARK, staged
from bench.store.derived import read_verdicts
from bench.store.run import Run
from tests.bench.runs import make_run
from tests.bundled import ROOT

SHAPES = "tests.bench.shapes"
PARTS = ["--segmenter", f"{SHAPES}:ShapeSegmenter", "--scorer", f"{SHAPES}:MeanScorer"]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("export")
    make_run(folder / "runs" / "r", seeds=2)
    return folder


@pytest.fixture(autouse=True)
def _here(place, monkeypatch):
    monkeypatch.chdir(place)
    monkeypatch.setattr(sys, "path", [*sys.path, str(ROOT)])


def tree(folder):
    return {
        p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()
    }


def test_geneval_comes_back_with_the_same_verdicts(place, tmp_path, capsys):
    out = tmp_path / "g"
    assert bench(["export", "r", "--layout", "geneval", "--out", str(out)]) == 0
    assert capsys.readouterr().out.strip() == str(out)
    first = json.loads((out / "00000" / "metadata.jsonl").read_text())
    assert set(first) == {"tag", "include", "prompt"}
    assert (out / "00000" / "samples" / "0001.png").is_file()
    arguments = ["score", str(out), *PARTS, "--out", str(tmp_path), "--name", "back"]
    assert bench(arguments) == 0
    keys = ["cell_id", "binding", "index"]
    before, after = (
        read_verdicts(run).set_index(keys)["verdict"].sort_index()
        for run in (Run(place / "runs" / "r"), Run(tmp_path / "back"))
    )
    assert before.to_dict() == after.to_dict()


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_imagefolder_comes_back(place, tmp_path, form):
    out = tmp_path / "f"
    arguments = ["export", "r", "--layout", "imagefolder", "--metadata", form, "--out", str(out)]
    assert bench(arguments) == 0
    text = (out / f"metadata.{form}").read_text()
    rows = (
        list(csv.DictReader(text.splitlines()))
        if form == "csv"
        else [json.loads(line) for line in text.splitlines()]
    )
    run = Run(place / "runs" / "r")
    assert len(rows) == run.manifest.images
    assert all((out / row["file_name"]).is_file() for row in rows)
    verdicts = read_verdicts(run).set_index("sample_id")["verdict"]
    assert {r["sample_id"]: r["verdict"] for r in rows if r["colour"]} == verdicts.to_dict()
    assert bench(["score", str(out), *PARTS, "--out", str(tmp_path), "--name", "back"]) == 0


def test_hub_metadata_is_what_the_hub_library_reads(tmp_path):
    from huggingface_hub import ModelCard, parse_eval_result_entries

    out = tmp_path / "h"
    arguments = ["export", "r", "--layout", "hub", "--out", str(out), "--model-name", "my-lora"]
    assert bench([*arguments, "--dataset", "someone/binding-bench"]) == 0
    card = ModelCard.load(out / "README.md")
    assert card.data.model_name == "my-lora"
    results = {one.metric_type: one for one in card.data.eval_results}
    assert 0 < results["binding_score"].metric_value < 1
    assert results["binding_score"].dataset_config == "shapes"
    entries = parse_eval_result_entries(
        yaml.safe_load((out / ".eval_results" / "binding-bench.yaml").read_text())
    )
    assert {one.task_id for one in entries} == set(results)
    assert all(one.dataset_id == "someone/binding-bench" for one in entries)
    assert "images scored" in entries[0].notes


def test_readme_of_a_model_keeps_its_words_and_other_results(tmp_path, capsys):
    from huggingface_hub import ModelCard

    out = tmp_path / "model"
    out.mkdir()
    (out / "README.md").write_text(
        "---\nlicense: mit\nmodel-index:\n- name: m\n  results:\n  - task: {type: text-to-image}\n"
        "    dataset: {type: other, name: Other}\n    metrics:\n    - {type: fid, value: 9}\n"
        "---\n\n# My model\n\nIts own words.\n"
    )
    (out / "weights.bin").write_bytes(b"w")
    arguments = ["export", "r", "--layout", "hub", "--out", str(out)]
    assert bench(arguments) == 2
    assert "is not empty" in capsys.readouterr().err
    for _ in range(2):
        assert bench([*arguments, "--force"]) == 0
    card = ModelCard.load(out / "README.md")
    assert "Its own words." in card.text
    assert card.data.license == "mit"
    kinds = [one.metric_type for one in card.data.eval_results]
    assert kinds.count("fid") == kinds.count("binding_score") == 1
    assert sorted(tree(out)) == ["README.md", "weights.bin"]


@pytest.mark.parametrize("bad", ["nobody", "a/b/c", "/x"])
def test_dataset_that_is_no_name_writes_nothing(tmp_path, bad, capsys):
    out = tmp_path / "h"
    assert bench(["export", "r", "--layout", "hub", "--out", str(out), "--dataset", bad]) == 2
    assert "expected OWNER/NAME" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_force_takes_an_earlier_export_away_and_nothing_else(tmp_path):
    out = tmp_path / "x"
    assert bench(["export", "r", "--layout", "geneval", "--out", str(out)]) == 0
    (out / "notes.txt").write_text("mine")
    (out / "00000" / "mine.txt").write_text("mine")
    arguments = ["export", "r", "--layout", "imagefolder", "--out", str(out)]
    assert bench(arguments) == 2
    assert bench([*arguments, "--force"]) == 0
    names = tree(out)
    assert {"notes.txt", "00000/mine.txt", "metadata.csv", MARK} <= set(names)
    assert not [name for name in names if name.startswith("00001")]
    assert not [name for name in names if "samples" in name]


def test_links_are_not_followed_out_of_the_folder(tmp_path):
    elsewhere, out = tmp_path / "elsewhere", tmp_path / "x"
    elsewhere.mkdir()
    out.mkdir()
    (out / "00000").symlink_to(elsewhere)
    assert bench(["export", "r", "--layout", "geneval", "--out", str(out), "--force"]) == 2
    assert not list(elsewhere.iterdir())
    (out / "00000").unlink()
    (tmp_path / "precious").write_text("p")
    (out / MARK).write_text(json.dumps({"files": ["../precious"]}))
    assert bench(["export", "r", "--layout", "geneval", "--out", str(out), "--force"]) == 2
    assert (tmp_path / "precious").exists()


@pytest.mark.parametrize("name", ["../a", "/a", "a/../../b", ""])
def test_names_never_lead_out(tmp_path, name):
    with pytest.raises(UsageError, match="leads out"), staged(tmp_path / "x", force=False) as one:
        one.write(name, "x")
    assert not list(tmp_path.iterdir())


def test_what_is_cut_off_leaves_nothing_and_is_no_obstacle(tmp_path):
    out = tmp_path / "x"

    def interrupted():
        with staged(out, force=False) as one:
            one.write("a", "x")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert not list(tmp_path.iterdir())
    # A process that was killed could not tidy up.
    (tmp_path / ".tmp-export-x" / "old").mkdir(parents=True)
    with staged(out, force=False) as one:
        one.write("a", "x")
    assert sorted(tree(tmp_path)) == [f"x/{MARK}", "x/a"]
    assert [p.name for p in tmp_path.iterdir()] == ["x"]


def test_file_in_the_way_and_options_of_other_layouts(tmp_path, capsys):
    (tmp_path / "f").write_text("a file")
    assert bench(["export", "r", "--layout", "geneval", "--out", str(tmp_path / "f")]) == 2
    assert "is a file" in capsys.readouterr().err
    arguments = ["export", "r", "--layout", "geneval", "--out", str(tmp_path / "g")]
    assert bench([*arguments, "--dataset", "a/b"]) == 2
    assert not os.path.exists(tmp_path / "g")
    assert Path(tmp_path / "f").read_text() == "a file"


def test_formulas_are_guarded_and_come_back(tmp_path, capsys):
    prompts = ["=1+1 a red cup", "@sum a red cup", "a red cup"]
    third = {"colour2": "blue", "subject2": "bowl", "colour3": "green", "subject3": "vase"}
    image = next(iter(Run(Path("runs/r")).parts("samples")))[1]["image"][0].as_py()["bytes"]
    (tmp_path / "a.png").write_bytes(image)
    rows = [{"path": "a.png", "prompt": p, "colour": "red", "subject": "cup"} for p in prompts]
    rows.append({**rows[0], **third, "prompt": "a red cup by a blue bowl and a green vase"})
    (tmp_path / "l.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    runs = ["--out", str(tmp_path)]
    assert bench(["score", str(tmp_path / "l.jsonl"), *PARTS, *runs, "--name", "one"]) == 0
    out = tmp_path / "f"
    arguments = ["export", str(tmp_path / "one"), "--layout", "imagefolder", "--out", str(out)]
    assert bench(arguments) == 0
    assert "note: 2 fields of metadata.csv begin as a formula" in capsys.readouterr().err
    with (out / "metadata.csv").open(newline="") as file:
        assert {row["prompt"] for row in csv.DictReader(file)} == {
            "'=1+1 a red cup", "'@sum a red cup", "a red cup", rows[-1]["prompt"]}  # fmt: skip
    assert bench(["score", str(out), *PARTS, *runs, "--name", "two"]) == 0
    keys = ["cell_id", "binding", "colour", "subject"]
    first, second = (
        sorted(map(tuple, read_verdicts(Run(tmp_path / name))[keys].to_numpy().tolist()))
        for name in ("one", "two")
    )
    assert len(first) == 6
    assert first == second
