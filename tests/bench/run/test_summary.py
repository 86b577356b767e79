"""What a person should know before the numbers of a run."""

import shutil
from dataclasses import replace

from bench.cli.main import run as bench
from bench.run.progress import Silent, counted
from bench.run.run import run
from bench.run.summary import RunSummary, summary_of, warnings
from bench.store.run import Run
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
