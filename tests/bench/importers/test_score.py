"""``bench score`` as a whole: matching, controls, resume, and what follows."""

import csv
import json
import os
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from bench.cli.main import run
from bench.store.manifest import read_manifest
from bench.store.pictures import decode_png, plain_png
from bench.store.run import Run
from tests.bench.importers import sets
from tests.bundled import ROOT

REAL_PARTS = ["--segmenter", "saliency", "--scorer", "segmentation"]


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def write_list(root, rows, header=("path", "prompt")):
    """A list of one picture under many prompts; `rows` are the cells after the path."""
    data = sets.named(sets.samples()[:1])[0][2]
    sets.write_files(root, [("a.png", "", data)])
    (root / "l.csv").write_text(sets.csv_text([("a.png", *row) for row in rows], header))
    return str(root / "l.csv")


def listed(path):
    return list(csv.DictReader(path.read_text().splitlines()))


def cells_of(folder):
    found = []
    for _, part in Run(folder).parts("samples"):
        found += [(row["cell_id"], row["index"], row["control_id"]) for row in part.to_pylist()]
    return found


def test_unmatched_are_counted_listed_and_written(tmp_path, capsys):
    path = write_list(
        tmp_path, [["a red cup"], ["a castle by the sea"], ["a castle by the sea"], [""]]
    )
    assert run(["score", path, *sets.PARTS, "--unmatched", "u.csv"]) == 0
    err = capsys.readouterr().err
    assert "4 pictures: 1 matched to 1 cells (0 pictures are controls), 3 not matched" in err
    assert "not matched: 2 of 'a castle by the sea': cannot tell what is asked" in err
    assert "not matched: 1 of '': no prompt" in err
    rows = listed(tmp_path / "u.csv")
    assert [(row["picture"], row["prompt"]) for row in rows] == [
        ("a.png", "a castle by the sea"),
        ("a.png", "a castle by the sea"),
        ("a.png", ""),
    ]
    assert read_manifest(tmp_path / "runs/score-l").grid.options["unmatched"] == 3


def test_nothing_matched_is_an_error(tmp_path, capsys):
    path = write_list(tmp_path, [["a castle by the sea"]])
    assert run(["score", path, "--unmatched", "u.csv"]) == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert "none of the 1 pictures of " in last
    assert len((tmp_path / "u.csv").read_text().splitlines()) == 2
    assert not (tmp_path / "runs").exists()


def test_controls_alone_are_an_error(tmp_path, capsys):
    assert run(["score", write_list(tmp_path, [["a cup"]])]) == 2
    assert "asks for a colour" in capsys.readouterr().err


def test_indices_follow_the_order_and_spellings_are_one_cell(tmp_path):
    prompts = ["A red cup.", "a potato", "a red cup", "a photo of a red cup", "a red cup"]
    path = write_list(tmp_path, [[prompt] for prompt in prompts])
    assert run(["score", path, *sets.PARTS]) == 0
    found = cells_of(tmp_path / "runs/score-l")
    single = [index for cell, index, _ in found if cell == "single/red/cup"]
    assert single == [0, 1, 2]
    worded = next(row for row in found if row[0].startswith("prompt/"))
    assert worded[1:] == (0, worded[2])
    assert worded[2].startswith("prompt/a-photo-of-a-cup")


def test_a_png_is_stored_as_it_came_without_what_was_written_beside_it(tmp_path):
    path = write_list(tmp_path, [["a red cup"]])
    file = tmp_path / "a.png"
    given, info = Image.open(file).convert("RGB"), PngInfo()
    info.add_text("workflow", "where I live")
    given.save(file, pnginfo=info, compress_level=9)
    assert run(["score", path, *sets.PARTS]) == 0
    ((_, part),) = Run(tmp_path / "runs/score-l").parts("samples")
    stored = part["image"][0]["bytes"].as_py()
    assert stored == plain_png(file.read_bytes())
    assert len(stored) < file.stat().st_size
    assert np.array_equal(decode_png(stored), np.asarray(given))


def test_colour_and_subject_in_columns(tmp_path):
    header = ("path", "prompt", "colour", "subject", "hex")
    rows = [
        ("a shiny chartreuse teapot at night", "chartreuse", "teapot", ""),
        ("a shiny teapot at night", "", "teapot", ""),
        ("a red cup", "blue", "cup", ""),
        ("a bloop cup", "bloop", "cup", ""),
    ]
    path = write_list(tmp_path, rows, header)
    assert run(["score", path, *REAL_PARTS, "--unmatched", "u.csv"]) == 0
    assert len(cells_of(tmp_path / "runs/score-l")) == 2
    reasons = [
        row["reason"] for row in csv.DictReader((tmp_path / "u.csv").read_text().splitlines())
    ]
    assert "asks for 'red cup' and its fields for 'blue cup'" in reasons[0]
    assert "add hex" in reasons[1]


def test_grid_gives_words_and_prompts(tmp_path, capsys):
    (tmp_path / "own.toml").write_text(
        'colours = ["petrol"]\nsubjects = ["teapot"]\n'
        'templates = [{name = "beach", text = "{subject} on the beach"}]\n'
    )
    prompts = [["a petrol teapot on the beach"], ["a teapot on the beach"], ["a teapot"]]
    path = write_list(tmp_path, prompts)
    assert run(["score", path, *REAL_PARTS]) == 2
    assert run(["score", path, *REAL_PARTS, "--grid", "own.toml"]) == 0
    found = cells_of(tmp_path / "runs/score-l")
    assert found[0] == ("beach/petrol/teapot", 0, "control/beach/teapot")
    assert found[1][0] == "control/beach/teapot"
    assert len(found) == 3


def test_captions_tag_seen_and_novel(tmp_path, capsys):
    (tmp_path / "c.txt").write_text("a red cup\n")
    path = write_list(tmp_path, [["a red cup"], ["a blue cup"]])
    assert run(["score", path, *sets.PARTS, "--captions", "c.txt", "--json"]) == 0
    estimates = json.loads(capsys.readouterr().out)["estimates"]
    groups = {one["group"] for one in estimates}
    assert {"tag:seen", "tag:novel"} <= groups


def test_geneval_tasks(tmp_path, capsys):
    (tmp_path / "set").mkdir()
    data = sets.named(sets.samples()[:1])[0][2]
    tasks = [
        ("colors", [{"class": "hair drier", "count": 1, "color": "purple"}],
         "a photo of a purple hair drier"),
        ("single_object", [{"class": "hair drier", "count": 1}], "a photo of a hair drier"),
        ("color_attr", [{"class": "cup", "count": 1, "color": "red"},
                        {"class": "hair drier", "count": 1, "color": "blue"}],
         "a photo of a red cup and a blue hair drier"),
        ("counting", [{"class": "cup", "count": 3}], "a photo of three cups"),
        ("position", [{"class": "cup", "count": 1}], "a photo of a cup left of a book"),
    ]  # fmt: skip
    for number, (tag, include, prompt) in enumerate(tasks):
        place = tmp_path / f"set/{number:05d}/samples"
        place.mkdir(parents=True)
        about = {"tag": tag, "include": include, "prompt": prompt}
        (place.parent / "metadata.jsonl").write_text(json.dumps(about))
        (place / "0000.png").write_bytes(data)
    (tmp_path / "set/00009/samples").mkdir(parents=True)
    (tmp_path / "set/00009/samples/0000.png").write_bytes(data)
    assert run(["score", "set", *sets.PARTS]) == 0
    err = capsys.readouterr().err
    assert "6 pictures: 3 matched to 3 cells (1 pictures are controls), 3 not matched" in err
    assert "GenEval's task 'counting' asks for no colour" in err
    assert "no metadata.jsonl in its folder" in err
    found = cells_of(tmp_path / "runs/score-set")
    assert found[0][2] == found[1][0] == found[1][2], "the bare object is the control"


def test_what_follows_works_on_it(tmp_path, capsys):
    sets.imagefolder(tmp_path / "set", sets.named(sets.samples(3)))
    assert run(["score", "set", *REAL_PARTS, "--model", "some model"]) == 0
    capsys.readouterr()
    assert run(["show"]) == 0
    assert "model some model" in capsys.readouterr().out
    assert run(["baseline", "--out", "b.json"]) == 0
    # The saliency segmenter fails its control on known scenes, and the gate says so.
    assert run(["check", "--baseline", "b.json"]) == 3
    assert "failed their control" in capsys.readouterr().err
    assert run(["check", "--baseline", "b.json", "--allow", "control"]) == 0
    assert run(["report"]) == 0
    assert (tmp_path / "runs/score-set/report.html").stat().st_size > 10_000


def test_changed_pictures_are_another_run(tmp_path, capsys):
    root = sets.imagefolder(tmp_path / "set", sets.named(sets.samples()))
    assert run(["score", "set", *sets.PARTS]) == 0
    (root / "00003.png").write_bytes((root / "00004.png").read_bytes())
    assert run(["score", "set", *sets.PARTS]) == 3
    assert (
        "the pictures or their prompts have changed since"
        in capsys.readouterr().err.splitlines()[-1]
    )
    assert run(["score", "set", *sets.PARTS, "--name", "again"]) == 0


def test_missing_pictures_are_refused_before_there_is_a_run(tmp_path, capsys):
    root = sets.listing(tmp_path / "set", sets.named(sets.samples())).parent
    (root / "pictures").rename(root / "elsewhere")
    assert run(["score", "set/list.csv", *sets.PARTS]) == 2
    err = capsys.readouterr().err
    assert "all 16 pictures of set/list.csv are missing, such as 'pictures/00000.png'" in err
    assert not (tmp_path / "runs").exists()


def test_mended_set_takes_the_place_of_a_run_of_blanks(tmp_path, capsys):
    pictures = sets.named(sets.samples())
    root = sets.imagefolder(tmp_path / "set", [(name, prompt, b"") for name, prompt, _ in pictures])
    assert run(["score", "set", *sets.PARTS]) == 3
    sets.write_files(root, pictures)
    assert run(["score", "set", *sets.PARTS]) == 0
    assert "16 blank pictures of an earlier call give way" in capsys.readouterr().err
    (root / "00003.png").write_bytes((root / "00004.png").read_bytes())
    assert run(["score", "set", *sets.PARTS]) == 3, "one good picture keeps a run"


@pytest.mark.parametrize("option", ["--segmenter", "--scorer"])
def test_unknown_name_is_told_before_the_pictures_are_read(option, tmp_path, capsys):
    sets.imagefolder(tmp_path / "set", sets.named(sets.samples()[:2]))
    assert run(["score", "set", option, "nope"]) == 2
    err = capsys.readouterr().err
    assert f"unknown {option[2:]} 'nope'" in err
    assert err.count("\n") == 1


def test_limit_is_not_comparable_and_can_be_lifted(tmp_path, capsys):
    sets.parquet(tmp_path / "set", sets.named(sets.samples()))
    assert run(["score", "set", *sets.PARTS, "--limit", "5"]) == 0
    assert "not comparable" in capsys.readouterr().out
    assert run(["score", "set", *sets.PARTS]) == 0
    assert "11 images scored" in capsys.readouterr().err


def test_killed_and_run_again_reads_only_what_is_missing(tmp_path):
    sets.webdataset(tmp_path, sets.named(sets.samples(12)))
    code = (
        "import sys, time; from bench.cli.main import run; import bench.store.run as store;"
        "store.PART_SECONDS = 0.02;"
        "import tests.bench.shapes as shapes; real = shapes.ShapeSegmenter.segment;"
        "shapes.ShapeSegmenter.segment = lambda *a: (time.sleep(0.3), real(*a))[1];"
        "import bench.run.scoring_thread as w; w.ScoringWorker.__init__.__defaults__ = (4,);"
        "import bench.run.execute as e; e.execute.__kwdefaults__['batch'] = 4;"
        "sys.exit(run(sys.argv[1:]))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, "score", "set.tar", *sets.PARTS],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.DEVNULL,
    )
    table = tmp_path / "runs/score-set/scores" / sets.SCORER
    while process.poll() is None and len(list(table.glob("part-*"))) < 3:
        time.sleep(0.01)
    assert process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.wait()
    stored = len(Run(tmp_path / "runs/score-set").ids("samples"))
    assert 0 < stored < 96
    done = subprocess.run(
        [sys.executable, "-m", "bench", "score", "set.tar", *sets.PARTS],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    made = int(re.search(r"(\d+) images scored", done.stderr).group(1))
    assert made == 96 - stored
