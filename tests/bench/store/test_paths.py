"""A run in a store that fsspec reaches: the same engine, the same tables; fsspec's own memory."""

import contextlib
import json
import subprocess
import sys
import threading
import time
import uuid
from pathlib import Path

import pytest

from bench.cli.main import run as bench
from bench.errors import StoreError, UsageError
from bench.protocols import Sampler
from bench.store import files
from bench.store import remote_lock as lease
from bench.store.lock import HOLDER, guard_of, locked, read_holder
from bench.store.paths import appears_whole, is_remote, place
from bench.store.run import Run, find_run, latest
from tests.bench.runs import assert_same_tables, go, make_run


@pytest.fixture
def bucket():
    """An empty folder of the memory file system."""
    folder = place(f"memory://{uuid.uuid4().hex}/runs")
    yield folder
    with contextlib.suppress(FileNotFoundError):
        folder.fs.rm(folder.parent.path, recursive=True)


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(lease, "BEAT", 0.05)
    monkeypatch.setattr(lease, "SILENCE", 0.4)
    monkeypatch.setattr(lease, "SETTLE", 0.01)


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
    assert read_holder(run.folder) is None
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


def test_damaged_part_in_a_store_is_named(bucket):
    run, _ = go(bucket / "r")
    (path,) = files.list_parts(run.folder / "samples")
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(StoreError, match=r"memory://.*part-000001.parquet is damaged"):
        go(bucket / "r")


def test_runs_are_found(bucket):
    run, _ = go(bucket / "one")
    assert latest(bucket) == run.folder
    assert find_run(run.folder, Path("runs")) == run.folder
    assert find_run(Path("one"), bucket) == run.folder
    with pytest.raises(UsageError, match="did you mean one"):
        find_run(Path("ome"), bucket)


def test_second_holder_is_told_and_the_first_goes_on(bucket, quick):
    with locked(bucket / "r"):
        with pytest.raises(StoreError, match="is in use by process"), locked(bucket / "r"):
            pass
        time.sleep(0.2)
        assert guard_of(bucket / "r")()
    with locked(bucket / "r") as stale:
        assert stale is None


def test_holder_that_is_silent_is_dead_and_told(bucket, quick):
    dead = {"pid": "1", "host": "elsewhere", "since": "2025-01-01T00:00:00+00:00", "token": "x"}
    files.write_text(bucket / "r" / HOLDER, json.dumps(dead))
    start = time.monotonic()
    with locked(bucket / "r") as stale:
        assert stale == dead
    assert time.monotonic() - start >= lease.SILENCE


def test_dead_process_of_this_machine_needs_no_waiting(bucket, monkeypatch):
    monkeypatch.setattr(lease, "SETTLE", 0.01)
    code = "import json; from bench.store.lock import this_process as f; print(json.dumps(f()))"
    gone = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    files.write_text(bucket / "r" / HOLDER, gone.stdout)
    with locked(bucket / "r") as stale:
        assert stale == json.loads(gone.stdout)


def test_of_many_who_come_at_once_one_gets_it(bucket, quick):
    def come():
        barrier.wait()
        try:
            with locked(bucket / "r"):
                got.append(1)
                time.sleep(1)
        except StoreError as error:
            told.append(str(error))

    barrier, got, told = threading.Barrier(5), [], []
    threads = [threading.Thread(target=come) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 1
    assert len(told) == 4


def test_who_was_taken_over_writes_nothing_more(bucket, quick):
    """A process sleeps so long that another takes its folder."""

    class Sleeper(Sampler):
        def __init__(self, inner):
            self.inner, self.info = inner, inner.info

        def sample(self, samples):
            for number, one in enumerate(self.inner.sample(samples)):
                if number == 5:
                    other = {"pid": "1", "host": "elsewhere", "since": "now", "token": "other"}
                    files.write_text(bucket / "r" / HOLDER, json.dumps(other))
                yield one

    from bench.run.components import Crew
    from tests.bench.shapes import crew

    team = crew()
    with pytest.raises(StoreError, match="is not held any more"):
        go(bucket / "r", team=Crew(Sleeper(team.sampler), team.segmenter, team.scorers))
    assert not files.list_parts(bucket / "r" / "samples")
    assert read_holder(bucket / "r")["token"] == "other"


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
