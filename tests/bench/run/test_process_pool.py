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

import pytest

from bench.cli.main import run as bench
from bench.errors import InterruptedRunError, NotComparableError, UsageError
from bench.run.beyond_control import BeyondControl
from bench.run.missing import Outcome, WorkerShare
from bench.run.process_pool import ProcessPool
from bench.run.progress import Silent
from bench.run.record import manifest_for, open_run
from bench.run.run import run
from bench.run.spec import ModelSource, PictureSource, RunSpec, device_names, run_folder
from bench.run.workers import AGAIN, Pool, WorkersError
from bench.store.lock import locked
from bench.store.pictures import encode_png
from bench.store.run import Run
from bench.store.score_reader import scored_images
from prompts.grid import Grid
from tests.bench.runs import assert_same_tables, table_of
from tests.bench.shapes import cells

SHAPES = "tests.bench.shapes"
ROOT = Path(__file__).parents[3]


def spec_in(folder: Path, *, seeds: int = 12, steps=None, model="ShapeSampler", **options):
    grid = Grid("shapes", cells(), seeds)
    source = ModelSource(model if ":" in model else f"{SHAPES}:{model}", grid, steps=steps)
    given = {"name": "r", "scorers": (f"{SHAPES}:MeanScorer",), **options}
    return RunSpec(source, folder, f"{SHAPES}:ShapeSegmenter", **given)


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
    return run(spec_in(tmp_path_factory.mktemp("alone")), Silent()).run


def estimates_of(run: Run):
    return json.loads((run.folder / "estimates.json").read_text())["estimates"]


def test_two_processes_make_the_same_tables(tmp_path, alone):
    heard = Heard()
    done = run(spec_in(tmp_path, devices="cpu,cpu"), heard)
    outcome = done.outcome
    assert (outcome.images, outcome.made, outcome.missing) == (96, 96, 0)
    assert heard.counted == 96
    assert heard.totals == [("sampling", 96, 0)]
    assert_same_tables(done.run, alone)
    assert estimates_of(done.run) == estimates_of(alone)
    # What an image has beyond its control is known, though another process may have made that.
    beyond = BeyondControl(done.run)
    images = [one.sample_id for one in scored_images(done.run) if not one.is_control]
    assert outcome.excess == {one: beyond.of(one) for one in images}
    # Every worker names its parts by itself, and nothing else of the workers is left.
    names = [path.name for path in (done.run.folder / "samples").iterdir()]
    assert len(names) == 2
    assert all(re.fullmatch(r"part-\d{6}-[0-9a-f]{8}.parquet", name) for name in names)
    assert done.run.manifest.complete


def test_two_processes_score_the_same_pictures(tmp_path, alone, monkeypatch):
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    rows = []
    for generations in alone.generations(alone.ids("samples"), 8):
        for one in generations[:4]:
            name = f"{len(rows):03d}.png"
            (pictures / name).write_bytes(encode_png(one.image))
            rows.append(json.dumps({"file_name": name, "text": one.sample.cell.text}))
    (pictures / "metadata.jsonl").write_text("\n".join(rows))
    runs, heard = [], []
    # As on a GPU, where nobody has to ask for several.
    monkeypatch.setattr("bench.run.run.judges_on", lambda spec, *_: 2 if spec.name == "two" else 1)
    for name, devices in (("one", None), ("two", None), ("asked", "cpu,cpu")):
        heard.append(Heard())
        source = PictureSource(pictures, unmatched=tmp_path / f"{name}.csv")
        given = {"scorers": (f"{SHAPES}:MeanScorer",), "devices": devices, "name": name}
        spec = RunSpec(source, tmp_path, f"{SHAPES}:ShapeSegmenter", **given)
        runs.append(run(spec, heard[-1]).run)
    for several in runs[1:]:
        assert_same_tables(runs[0], several)
        assert estimates_of(runs[0]) == estimates_of(several)
        assert len(list((several.folder / "samples").iterdir())) == 2
    assert (tmp_path / "one.csv").read_text() == (tmp_path / "two.csv").read_text()
    layouts = [[line for line in one.said if "layout" in line] for one in heard]
    assert layouts[0] == layouts[1]
    assert len(layouts[1]) == 1
    with monkeypatch.context() as patch:
        # Where nothing is missing no process is started.
        patch.setattr("bench.run.process_pool.ProcessPool", None)
        for name, devices in (("two", None), ("asked", "cpu,cpu")):
            given = {"scorers": (f"{SHAPES}:MeanScorer",), "devices": devices, "name": name}
            again = run(RunSpec(source, tmp_path, f"{SHAPES}:ShapeSegmenter", **given), Silent())
            assert (again.outcome.made, again.outcome.rescored) == (0, 0)
    refused = UsageError("the GPU serves one process alone")
    monkeypatch.setattr(ProcessPool, "_start", lambda *_: (_ for _ in ()).throw(refused))
    heard.append(Heard())
    given = {"scorers": (f"{SHAPES}:MeanScorer",), "name": "two", "fresh": True}
    done = run(RunSpec(source, tmp_path, f"{SHAPES}:ShapeSegmenter", **given), heard[-1]).run
    assert_same_tables(runs[0], done)
    assert any("serves one process alone" in line for line in heard[-1].said)


def made_with_a_kill(spec, pool: Pool, victim: str, heard: Heard) -> tuple[Run, Outcome]:
    """Make a run whose parts are short, and kill one worker in the midst of it."""
    folder = run_folder(spec)
    process = pool.processes[victim]

    def kill():
        while not any((folder / "samples").glob("part-*")):
            time.sleep(0.005)
        os.kill(process, signal.SIGKILL)

    with locked(folder):
        opened = open_run(folder, manifest_for("r", pool.plan, pool.description))
        killer = threading.Thread(target=kill, daemon=True)
        killer.start()
        outcome = pool.execute(opened, heard, seconds=0.05)
        killer.join(1)
    return opened, outcome


def test_images_of_a_killed_worker_are_made_all_the_same(tmp_path, alone, monkeypatch):
    monkeypatch.setenv("SHAPES_PAUSE", "0.05")
    spec = spec_in(tmp_path, devices="cpu,cpu")
    heard = Heard()
    pool = ProcessPool(spec, heard)
    try:
        made, outcome = made_with_a_kill(spec, pool, "0:cpu", heard)
        assert len(pool.processes) == 2
    finally:
        pool.close()
    assert outcome.missing == 0
    assert any("worker 0:cpu is lost (killed by SIGKILL)" in one for one in heard.said)
    assert_same_tables(made, alone)


class Mortal(Pool):
    """A pool whose workers are all lost, each time after some images."""

    def __init__(self, inner: ProcessPool, progress) -> None:
        super().__init__(progress)
        self.inner, self.rounds = inner, 0
        self.plan, self.description = inner.plan, inner.description

    def make(self, run, share, interrupts, seconds):
        self.rounds += 1
        self.tell_lost("0:cpu", "killed by SIGKILL")
        return self.inner.make(run, WorkerShare(share.missing[:8]), interrupts, seconds)


def test_what_is_lost_too_often_is_told_with_what_is_missing(tmp_path):
    spec = spec_in(tmp_path, devices="cpu")
    folder = run_folder(spec)
    pool = ProcessPool(spec, Silent())
    try:
        mortal = Mortal(pool, Silent())
        with locked(folder):
            opened = open_run(folder, manifest_for("r", pool.plan, pool.description))
            with pytest.raises(WorkersError, match="64 of 96 images are missing") as caught:
                mortal.execute(opened, Silent())
    finally:
        pool.close()
    assert mortal.rounds == 1 + AGAIN
    assert caught.value.exit_code == 3
    assert len(opened.ids("samples")) == 32


def test_run_begun_by_one_is_finished_by_several_and_the_other_way_round(tmp_path, alone):
    run(spec_in(tmp_path, limit=30), Silent())
    assert run(spec_in(tmp_path, devices="cpu,cpu", limit=70), Silent()).outcome.made == 40
    assert run(spec_in(tmp_path), Silent()).outcome.made == 26
    assert_same_tables(Run(tmp_path / "r"), alone)


def test_workers_score_stored_images_again_part_by_part(tmp_path, alone):
    run(spec_in(tmp_path), Silent())
    for path in (tmp_path / "r" / "scores").rglob("part-*"):
        path.unlink()
    heard = Heard()
    outcome = run(spec_in(tmp_path, devices="cpu,cpu"), heard).outcome
    assert (outcome.made, outcome.rescored, heard.counted) == (0, 96, 96)
    assert_same_tables(Run(tmp_path / "r"), alone)


def started(folder: Path, pause: str) -> subprocess.Popen:
    """Start a run of two processes, and wait until both are at work."""
    code = (
        "import sys\nfrom pathlib import Path\n"
        "from bench.errors import InterruptedRunError\n"
        "from bench.run.progress import Lines\n"
        "from bench.run.run import run\n"
        "from tests.bench.run.test_process_pool import spec_in\n"
        "if __name__ == '__main__':\n"
        "    try:\n"
        f"        run(spec_in(Path({str(folder)!r}), devices='cpu,cpu'), Lines())\n"
        "    except InterruptedRunError as error:\n"
        "        sys.exit(f'{error.exit_code}: {error}')\n"
    )
    mark = folder / "mark"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "SHAPES_PAUSE": pause,
                   "SHAPES_MARK": str(mark)}  # fmt: skip
    process = subprocess.Popen(
        [sys.executable, "-c", code], env=environment, cwd=ROOT, stderr=subprocess.PIPE, text=True
    )
    while not mark.exists() and process.poll() is None:
        time.sleep(0.01)
    assert process.poll() is None
    return process


@pytest.mark.parametrize("code", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_stores_what_every_worker_has_in_hand(tmp_path, alone, code):
    """Parts are not due for a minute: what is stored was stored because of the signal."""
    process = started(tmp_path, "0.2")
    time.sleep(0.7)
    process.send_signal(code)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1, err
    assert "130: interrupted: " in err
    assert "stopping: the images in hand are finished first" in err
    folder = tmp_path / "r"
    writers = {path.name.split("-")[2] for path in (folder / "samples").glob("part-*")}
    assert len(writers) == 2
    stored = len(Run(folder).ids("samples"))
    assert 8 <= stored < 96
    assert f"interrupted: {stored} of 96 images are finished" in err
    outcome = run(spec_in(tmp_path), Silent()).outcome
    assert outcome.made == 96 - stored
    assert_same_tables(Run(folder), alone)


def test_idle_worker_stops_without_a_loss(tmp_path, monkeypatch):
    """One has done its share and waits, the other is at work, when the signal comes."""
    monkeypatch.setenv("SHAPES_PAUSE", "0.3")
    spec = spec_in(tmp_path, devices="cpu,cpu")
    heard = Heard()
    pool = ProcessPool(spec, heard)
    folder = run_folder(spec)
    try:
        with locked(folder):
            opened = open_run(folder, manifest_for("r", pool.plan, pool.description))
            monkeypatch.setattr(
                WorkerShare,
                "split",
                lambda share, count: [WorkerShare(range(4)), WorkerShare(range(4, 96))],
            )
            timer = threading.Timer(1.5, os.kill, (os.getpid(), signal.SIGINT))
            timer.start()
            outcome = pool.execute(opened, heard)
        assert len(pool.processes) == 2
    finally:
        pool.close()
    assert outcome.interrupted
    assert 8 <= outcome.made < 96
    assert len(opened.ids("samples")) == outcome.made == 96 - outcome.missing
    assert not any("is lost" in line for line in heard.said)


def test_orphans_of_a_killed_leader_end_and_the_next_leader_finishes(tmp_path, alone):
    """The one that started them is killed, the workers are not: they must not live on."""
    process = started(tmp_path, "0.05")
    children = [int(pid) for pid in children_of(process.pid)]
    assert len(children) >= 2
    process.kill()
    process.communicate()
    outcome = run(spec_in(tmp_path), Silent()).outcome
    assert outcome.missing == 0
    assert_same_tables(Run(tmp_path / "r"), alone)
    end = time.monotonic() + 10
    while any(alive(pid) for pid in children) and time.monotonic() < end:
        time.sleep(0.05)
    assert not any(alive(pid) for pid in children)


def children_of(process: int) -> list[str]:
    return Path(f"/proc/{process}/task/{process}/children").read_text().split()


def alive(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_bug_in_a_worker_is_told_with_its_name_and_what_was_made_is_kept(tmp_path):
    spec = spec_in(tmp_path, devices="cpu,cpu", model=f"{__name__}:breaking")
    heard = Heard()
    with pytest.raises(WorkersError, match="were lost .ValueError: a bug in the sampler"):
        run(spec, heard)
    assert sum("is lost (ValueError: a bug in the sampler)" in one for one in heard.said) == 2
    assert 0 < len(Run(tmp_path / "r").ids("samples")) < 96


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
    spec = spec_in(tmp_path, devices="cpu,cpu")
    with pytest.raises(UsageError, match="did you mean 'local'"):
        run(replace(spec, source=replace(spec.source, model="locale")), Silent())
    assert not (tmp_path / "r").exists()


def test_workers_with_different_models_are_refused(tmp_path, monkeypatch):
    spec = spec_in(tmp_path, devices="cpu,cpu")
    original = ProcessPool._start

    def start(pool, workers):
        pool._specs["1:cpu"] = spec_in(tmp_path, steps=5)
        return original(pool, workers)

    monkeypatch.setattr(ProcessPool, "_start", start)
    with pytest.raises(NotComparableError, match="1:cpu has another sampler than the first"):
        ProcessPool(spec, Silent())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"devices": "cpu", "engine": "ray"}, "--devices is of --engine local"),
        ({"workers": 4}, "--workers 4 is of --engine ray"),
        ({"workers": 4, "devices": "cpu"}, "--workers 4 is of --engine ray"),
    ],
)
def test_options_that_exclude_each_other(tmp_path, options, words):
    with pytest.raises(UsageError, match=words):
        run(spec_in(tmp_path, **options), Silent())


def test_workers_without_ray_are_refused_by_the_forecast_too(capsys):
    for more in ([], ["--dry-run"]):
        assert bench(["run", "--model", "local", "--workers", "4", *more]) == 2
        assert "--workers 4 is of --engine ray" in capsys.readouterr().err


def test_repeated_images_of_two_writers_are_read_once(tmp_path, alone):
    folder = tmp_path / "r"
    shutil.copytree(alone.folder, folder)
    for table in alone.manifest.tables():
        first = sorted((folder / table).glob("part-*"))[0]
        shutil.copy(first, folder / table / "part-000009-ffff.parquet")
    twice = Run(folder)
    assert_same_tables(twice, alone)
    assert len(table_of(twice, "samples")) == 96
    done = run(spec_in(tmp_path), Silent())
    assert (done.outcome.made, done.stock.images) == (0, 96)
    assert estimates_of(done.run) == estimates_of(alone)


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


def test_shares_hold_everything_once_and_are_even():
    lacking = {f"part-{n}": {"regions": [str(n)]} for n in range(5)}
    whole = WorkerShare(range(103), lacking)
    for parts in (whole.split(4), list(whole.chunks(10))):
        assert sorted(place for part in parts for place in part.missing) == list(range(103))
        assert sorted(name for part in parts for name in part.unscored) == sorted(lacking)
    assert {len(part.missing) for part in whole.split(4)} == {25, 26}
    # However many are missing, they are not listed.
    assert [len(part.missing) for part in WorkerShare(range(10**12)).split(2)] == [5 * 10**11] * 2


def test_interrupted_run_is_not_a_lost_one(tmp_path):
    assert InterruptedRunError.exit_code == 130
