"""What a person should know before the numbers of a run."""

import shutil
from dataclasses import replace

import numpy as np
from PIL import Image

from bench.cli.main import run as bench
from bench.run.progress import Silent, counted
from bench.run.run import run
from bench.run.spec import PictureSource, RunSpec
from bench.run.summary import RunSummary, summary_of, warnings
from bench.statistics.metrics import OUTSIDE
from bench.store.derived import read_verdicts
from bench.store.run import Run
from reports.certificate import read_certificate
from reports.reading import read_run
from reports.warnings import run_warnings
from tests.bench.run.test_process_pool import spec_in


def test_scores_that_are_missing_are_told_with_the_remedy_and_made_by_it(tmp_path, capsys):
    spec = spec_in(tmp_path, seeds=1)
    done = run(spec, Silent())
    assert not any("scores" in line for line in warnings(summary_of(done.run)))
    part = max((done.run.folder / "scores").iterdir())
    shutil.rmtree(part)
    assert bench(["show", str(done.run.folder)]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "8 images without all scores: run the same `bench run` again" in printed
    again = run(spec, Silent())
    assert (again.outcome.made, again.outcome.rescored) == (0, 8)
    assert summary_of(Run(done.run.folder)).unscored == 0


def test_one_is_told_in_the_singular(tmp_path):
    done = run(spec_in(tmp_path, seeds=1), Silent())
    record = done.run.manifest.model_copy(update={"invalid": 1})
    (one, *_) = [e for e in done.estimates if e.group == "all"]
    found = warnings(RunSummary(record, [replace(one, cells=1)], 8))
    assert "1 image is invalid and left out of the scores" in found
    assert "only 1 cell: the intervals say little" in found
    assert [counted(n, "image") for n in (0, 1, 1044)] == ["0 images", "1 image", "1,044 images"]


def test_pictures_unlike_the_certified_ones_are_told_and_keep_their_verdicts(tmp_path, capsys):
    rng = np.random.default_rng(0)
    folder = tmp_path / "noise"
    folder.mkdir()
    for number in range(4):
        noise = rng.integers(0, 256, (96, 96, 3)).astype(np.uint8)
        Image.fromarray(noise).save(folder / f"{number}.png")
        (folder / f"{number}.txt").write_text("a blue potato")
    done = run(RunSpec(PictureSource(folder), tmp_path / "runs", device="cpu"), Silent())
    found = summary_of(done.run)
    assert found.estimate(OUTSIDE).value == 1.0
    (line,) = [one for one in warnings(found) if "certified" in one]
    assert line.startswith("100.0% of 4 images are unlike all kinds of picture")
    assert bench(["show", str(done.run.folder)]) == 0
    assert "Unlike what is" in capsys.readouterr().out
    rows = read_verdicts(done.run)
    assert (rows["ood"] > 1).all()
    assert set(rows["nearest_kind"]) == {"rendered"}
    assert len(rows) == 4
    page = run_warnings(read_run(done.run), read_certificate({}))
    assert any("unlike all kinds of picture" in one.text for one in page)


def test_pictures_of_the_rendered_world_are_within(tmp_path):
    spec = replace(spec_in(tmp_path, seeds=1), scorers=("segmentation", "ood"))
    found = summary_of(run(spec, Silent()).run)
    assert found.estimate(OUTSIDE).value <= 0.25
    assert not any("certified" in one for one in warnings(found))
