"""Several workers on one run make the tables that one process makes, also where one is killed."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bench.errors import NotComparableError, StoreError, UsageError
from bench.run.execute import Outcome
from bench.run.launch import leading
from bench.run.plan import Plan
from bench.run.prepare import manifest_for, open_run
from bench.run.process_pool import ProcessTeam, device_names
from bench.run.process_worker import Station
from bench.run.progress import Silent
from bench.run.scheduler import Leader
from bench.run.spec import RunJob
from bench.store.lock import locked
from bench.store.run import Run
from prompts.cells import plan
from prompts.grid import Grid
from tests.bench.runs import assert_same_tables, table_of
from tests.bench.shapes import cells

SHAPES = "tests.bench.shapes"


def job_in(folder: Path, **options) -> RunJob:
    grid = Grid("shapes", cells(), options.pop("seeds", 12))
    given = {"name": "r", "scorers": (f"{SHAPES}:MeanScorer",), "device": None, **options}
    return RunJob(grid, f"{SHAPES}:ShapeSampler", folder, f"{SHAPES}:ShapeSegmenter", **given)


class Heard(Silent):
    """Keeps what is said."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.counted = 0
        self.totals: list[tuple[str, int, int]] = []

    def begin(self, what, total, done=0):
        self.totals.append((what, total, done))

    def advance(self, count):
        self.counted += count

    def say(self, text):
        self.said.append(text)


@pytest.fixture(scope="module")
def alone(tmp_path_factory) -> Run:
    """The run that one process makes."""
    job = job_in(tmp_path_factory.mktemp("alone"))
    job.run(progress=Silent())
    return Run(job.folder)


def estimates_of(run: Run):
    return json.loads((run.folder / "estimates.json").read_text())["estimates"]


def test_two_processes_make_the_same_tables(tmp_path, alone, capsys):
    heard = Heard()
    job = job_in(tmp_path, devices="cpu,cpu")
    outcome = job.run(progress=heard)
    assert (outcome.images, outcome.made, outcome.missing) == (96, 96, 0)
    assert heard.counted == 96
    assert heard.totals == [("sampling", 96, 0)]
    run = Run(job.folder)
    assert_same_tables(run, alone)
    assert estimates_of(run) == estimates_of(alone)
    # Every worker names its parts by itself, and nothing else of the workers is left.
    for path in (run.folder / "samples").iterdir():
        assert re.fullmatch(r"part-\d{6}-[0-9a-f]{8}.parquet", path.name)
    assert not list(run.folder.glob(".worker-*"))
    assert run.manifest.complete


def led_with_a_kill(job, leader: Leader, victim: str) -> tuple[Run, Outcome]:
    """Lead a team through a run whose parts are short, and kill one worker in the midst of it."""

    def kill():
        while victim not in leader.processes or not any((job.folder / "samples").glob("part-*")):
            time.sleep(0.005)
        os.kill(leader.processes[victim], signal.SIGKILL)

    with locked(job.folder):
        crew = leader.muster().crew
        while len(leader.introduced) < len(leader.team.workers):
            leader.hear(leader.team.answers(0.2))
        asked = manifest_for("r", job.grid.cells, job.grid.seeds, crew, grid="shapes")
        run = open_run(job.folder, asked)
        killer = threading.Thread(target=kill, daemon=True)
        killer.start()
        outcome = leader.execute(run, job.samples(), part_seconds=0.05)
        killer.join(1)
    return run, outcome


def test_images_of_a_killed_worker_are_made_by_the_other(tmp_path, alone, monkeypatch):
    monkeypatch.setenv("SHAPES_PAUSE", "0.1")
    job = job_in(tmp_path)
    team = ProcessTeam({"a": job, "b": job})
    heard = Heard()
    try:
        run, outcome = led_with_a_kill(job, Leader(team, heard), "a")
    finally:
        team.end()
    assert outcome.missing == 0
    assert team.workers == []
    assert any("worker a is lost (killed by SIGKILL); one other does" in one for one in heard.said)
    assert_same_tables(run, alone)


def test_run_begun_by_one_is_finished_by_a_team_and_the_other_way_round(tmp_path, alone):
    job_in(tmp_path, limit=30).run(progress=Silent())
    outcome = job_in(tmp_path, devices="cpu,cpu", limit=70).run(progress=Silent())
    assert outcome.made == 40
    outcome = job_in(tmp_path).run(progress=Silent())
    assert outcome.made == 26
    assert_same_tables(Run(tmp_path / "r"), alone)


def test_team_scores_stored_images_again_part_by_part(tmp_path, alone):
    job_in(tmp_path).run(progress=Silent())
    for path in (tmp_path / "r" / "scores").rglob("part-*"):
        path.unlink()
    heard = Heard()
    outcome = job_in(tmp_path, devices="cpu,cpu").run(progress=heard)
    assert (outcome.made, outcome.rescored, heard.counted) == (0, 96, 96)
    assert_same_tables(Run(tmp_path / "r"), alone)


def test_orphans_of_a_killed_leader_stop_and_the_next_leader_finishes(tmp_path, alone):
    """The leader is killed, its workers are not: they must neither write nor live on."""
    code = (
        "from pathlib import Path\n"
        "from tests.bench.run.test_team import job_in\n"
        f"if __name__ == '__main__': job_in(Path({str(tmp_path)!r}), devices='cpu,cpu').run()"
    )
    root = Path(__file__).parents[3]
    environment = {**os.environ, "PYTHONPATH": str(root), "SHAPES_PAUSE": "0.05"}
    leader = subprocess.Popen([sys.executable, "-c", code], env=environment, cwd=root)
    locks = []
    while len(locks) < 2 and leader.poll() is None:
        locks = list((tmp_path / "r").glob(".worker-*"))
        time.sleep(0.01)
    assert leader.poll() is None
    leader.kill()
    leader.wait()
    outcome = job_in(tmp_path).run(progress=Silent())
    assert outcome.missing == 0
    assert not list((tmp_path / "r").glob(".worker-*"))
    assert_same_tables(Run(tmp_path / "r"), alone)


def test_worker_whose_leader_lost_the_folder_writes_nothing(tmp_path):
    job = job_in(tmp_path)
    station = Station(job)
    crew = station.hello().crew
    with locked(job.folder):
        asked = manifest_for("r", job.grid.cells, job.grid.seeds, crew, grid="shapes")
        run = open_run(job.folder, asked)
        station.begin(job.folder, run.manifest.model_dump_json())
        station.sample([sample.id for sample in job.samples()[:8]])
    station.leave()
    with locked(job.folder), pytest.raises(StoreError, match="not held any more"):
        station.close()
    assert not list(job.folder.rglob("part-*"))


def test_bug_in_a_worker_is_told_with_its_name_and_what_was_made_is_kept(tmp_path, monkeypatch):
    monkeypatch.setenv("SHAPES_BREAKS", "1")
    job = replace(job_in(tmp_path, devices="cpu,cpu"), model=f"{__name__}:breaking")
    heard = Heard()
    with pytest.raises(Exception, match="no worker is left: ValueError: a bug in the sampler"):
        job.run(progress=heard)
    assert sum("is lost (ValueError: a bug in the sampler)" in one for one in heard.said) == 2
    assert 0 < len(Run(job.folder).ids("samples")) < 96


def breaking():
    from tests.bench.shapes import ShapeSampler

    class Breaking(ShapeSampler):
        def sample(self, samples):
            for number, one in enumerate(super().sample(samples)):
                if number == 2:
                    raise ValueError("a bug in the sampler")
                yield one

    return Breaking()


def test_what_the_user_can_mend_is_told_once(tmp_path):
    job = replace(job_in(tmp_path, devices="cpu,cpu"), model="locale")
    with pytest.raises(UsageError, match="did you mean 'local'"):
        job.run(progress=Silent())
    assert not (tmp_path / "r").exists()


def test_team_refuses_a_worker_with_another_model(tmp_path):
    job = job_in(tmp_path)
    other = replace(job, steps=5)
    team = ProcessTeam({"a": job, "b": other})
    leader = Leader(team, Silent())

    def hear_both():
        leader.muster()
        while True:
            leader.hear(team.answers(0.2))

    try:
        with pytest.raises(NotComparableError, match="has another sampler than the first"):
            hear_both()
    finally:
        team.end()


def test_ray_options_and_devices_exclude_each_other(tmp_path):
    job = job_in(tmp_path, devices="cpu", engine="ray")
    with pytest.raises(UsageError, match="--devices is of --engine local"), leading(job, Silent()):
        pass


def test_repeated_images_of_two_writers_are_dropped(tmp_path, alone):
    folder = tmp_path / "r"
    shutil.copytree(alone.folder, folder)
    for table in alone.manifest.tables():
        first = sorted((folder / table).glob("part-*"))[0]
        shutil.copy(first, folder / table / "part-000009-ffff.parquet")
    run = Run(folder)
    with pytest.raises(StoreError, match="stand in an earlier part too"):
        run.ids("samples")
    assert run.drop_repeated() == 96 * len(run.manifest.tables())
    assert run.drop_repeated() == 0
    assert_same_tables(run, alone)
    assert len(table_of(run, "samples")) == 96


@pytest.mark.parametrize(
    ("text", "names"),
    [("0,1", ["cuda:0", "cuda:1"]), ("cpu, cpu", ["cpu", "cpu"]), ("mps", ["mps"])],
)
def test_device_names(text, names):
    assert device_names(text) == names


@pytest.mark.parametrize("text", ["", ",", "0,,1"])
def test_no_device_is_told(text):
    with pytest.raises(UsageError, match="empty name"):
        device_names(text)


def test_plan_finds_samples_by_id_and_knows_what_is_missing():
    samples = plan(list(cells()), 5)
    found = Plan(samples)
    ids = [sample.id for sample in samples]
    order = np.random.default_rng(0).permutation(len(ids))
    assert found.samples([ids[i] for i in order]) == [samples[i] for i in order]
    assert found.missing(ids[::2]) == ids[1::2]
    assert found.missing([]) == ids
    assert found.missing(["strange"]) == ids
    assert found.count([*ids[:3], "strange"]) == 3
    assert found.samples([]) == []
    for stranger in ("strange", "", "z" * 40):
        with pytest.raises(KeyError):
            found.samples([ids[0], stranger])
    assert Plan([]).missing([]) == []
