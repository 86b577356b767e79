"""A run in a store that fsspec reaches: the same engine, the same tables; fsspec's own memory."""

import contextlib
import threading
import uuid
from dataclasses import replace
from pathlib import Path

import pytest

from bench.cli.main import run as bench
from bench.errors import StoreError, UsageError
from bench.store import files
from bench.store.paths import appears_whole, is_remote, place
from bench.store.run import Run, find_run, latest
from tests.bench.runs import assert_same_tables, go, make_run
from tests.bench.shapes import ShapeSampler, crew


@pytest.fixture
def bucket():
    """An empty folder of the memory file system."""
    folder = place(f"memory://{uuid.uuid4().hex}/runs")
    yield folder
    with contextlib.suppress(FileNotFoundError):
        folder.fs.rm(folder.parent.path, recursive=True)


def test_places_are_paths_or_urls(tmp_path):
    assert place("runs") == Path("runs")
    assert place(tmp_path) is tmp_path
    assert place(f"file://{tmp_path}") == tmp_path
    assert not is_remote(place(f"file://{tmp_path}"))
    assert is_remote(place("memory://a/b"))
    assert appears_whole(place("memory://a/b"))
    assert not appears_whole(tmp_path)


@pytest.mark.parametrize(
    ("url", "words"), [("nowhere://b/runs", "cannot be reached"), ("s33://b", "cannot be reached")]
)
def test_unknown_store_is_told(url, words):
    with pytest.raises(UsageError, match=words):
        place(url)


def test_run_in_a_store_has_the_same_tables_and_resumes(bucket, tmp_path):
    whole = make_run(tmp_path / "whole", seeds=3)
    go(bucket / "r", seeds=3, limit=10)
    run, outcome = go(bucket / "r", seeds=3)
    assert (outcome.made, outcome.missing) == (14, 0)
    assert_same_tables(run, whole)
    names = sorted(path.name for path in run.folder.iterdir())
    assert names == ["estimates.json", "regions", "run.json", "samples", "scores",
                     "verdicts.parquet"]  # fmt: skip
    assert_same_tables(Run(run.folder), whole)


def test_scores_are_made_again_in_a_store(bucket):
    run, _ = go(bucket / "r")
    for path in files.list_parts(run.folder / "scores" / "mean"):
        files.remove(path)
    _, outcome = go(bucket / "r")
    assert (outcome.made, outcome.rescored) == (0, 16)


def test_damaged_part_in_a_store_is_named_and_mended_by_running_again(bucket, tmp_path):
    run, _ = go(bucket / "r")
    (path,) = files.list_parts(run.folder / "samples")
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(StoreError, match=r"memory://.*part-000001-\w+.parquet is damaged"):
        Run(run.folder).ids("samples")
    run, outcome = go(bucket / "r")
    assert (outcome.made, outcome.missing) == (16, 0)
    assert_same_tables(run, make_run(tmp_path / "whole"))
    assert path.with_name(path.name + ".damaged").exists()


def test_runs_are_found(bucket):
    run, _ = go(bucket / "one")
    assert latest(bucket) == run.folder
    assert find_run(run.folder, Path("runs")) == run.folder
    assert find_run(Path("one"), bucket) == run.folder
    with pytest.raises(UsageError, match="did you mean one"):
        find_run(Path("ome"), bucket)


def test_two_writers_at_one_time_do_no_harm(bucket, tmp_path):
    """A store has no locks: both make what they find missing, and it is read once."""
    whole = make_run(tmp_path / "whole", seeds=3)
    go(bucket / "r", seeds=3, limit=10)
    barrier = threading.Barrier(2)

    class Together(ShapeSampler):
        def sample(self, samples):
            barrier.wait(20)
            yield from super().sample(samples)

    def come():
        team = crew()
        made.append(go(bucket / "r", seeds=3, team=replace(team, sampler=Together()))[1].made)

    made: list[int] = []
    threads = [threading.Thread(target=come) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == [14, 14]
    run, outcome = go(bucket / "r", seeds=3)
    assert (outcome.made, outcome.missing) == (0, 0)
    assert_same_tables(run, whole)
    assert len({path.name for path in files.list_parts(run.folder / "samples")}) == 3


def test_command_line_takes_urls(bucket, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    shapes = "tests.bench.shapes"
    arguments = ["run", "--model", f"{shapes}:ShapeSampler", "--segmenter"]
    arguments += [f"{shapes}:ShapeSegmenter", "--scorer", f"{shapes}:MeanScorer"]
    arguments += ["--colours", "red,blue", "--subjects", "potato", "--templates", "single,control"]
    assert bench([*arguments, "--out", str(bucket), "--name", "r", "--seeds", "4"]) == 0
    capsys.readouterr()
    assert bench(["show", str(bucket / "r"), "--csv"]) == 0
    first = capsys.readouterr().out
    assert bench(["show", "--out", str(bucket), "--csv"]) == 0
    assert capsys.readouterr().out == first
    assert bench(["baseline", str(bucket / "r"), "--out", "b.json"]) == 0
    assert bench(["check", str(bucket / "r"), "--baseline", "b.json"]) == 0
    assert bench(["report", str(bucket / "r")]) == 0
    assert "<html" in (tmp_path / "report.html").read_text(encoding="utf-8")[:2000]
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == []
