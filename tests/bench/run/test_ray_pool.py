"""A real Ray on this machine: three workers, one of them killed, on one run."""

import os
import signal
import threading

import pytest
import ray

from bench.run.progress import Silent
from bench.run.ray_pool import RayPool
from bench.run.record import manifest_for, open_run
from bench.run.run import run
from bench.run.spec import run_folder
from bench.store.lock import locked
from bench.store.run import Run
from tests.bench.run.test_process_pool import Heard, estimates_of, made_with_a_kill, spec_in
from tests.bench.runs import assert_same_tables
from tests.bundled import ROOT


@pytest.fixture(scope="module")
def cluster():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]))
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("SHAPES_PAUSE", "0.1")
        patch.delenv("RAY_ADDRESS", raising=False)
        ray.init(num_cpus=3, num_gpus=0, include_dashboard=False, log_to_driver=False,
                 logging_level="ERROR")  # fmt: skip
        yield
        ray.shutdown()


@pytest.fixture(scope="module")
def alone(tmp_path_factory) -> Run:
    return run(spec_in(tmp_path_factory.mktemp("alone")), Silent()).run


def test_actors_make_the_same_tables_though_one_is_killed(cluster, tmp_path, alone):
    spec = spec_in(tmp_path, engine="ray", workers=3)
    heard = Heard()
    pool = RayPool(spec, heard)
    try:
        made, outcome = made_with_a_kill(spec, pool, "ray:1", heard)
    finally:
        pool.close()
    assert outcome.missing == 0
    assert len(set(pool.processes.values())) == 3
    assert_same_tables(made, alone)


def test_run_begun_by_this_process_is_finished_by_ray_and_the_other_way_round(
    cluster, tmp_path, alone
):
    run(spec_in(tmp_path, limit=30), Silent())
    heard = Heard()
    outcome = run(spec_in(tmp_path, engine="ray", workers=2, limit=70), heard).outcome
    assert (outcome.made, heard.counted) == (40, 40)
    outcome = run(spec_in(tmp_path), Silent()).outcome
    assert (outcome.made, outcome.missing) == (26, 0)
    assert_same_tables(Run(tmp_path / "r"), alone)
    assert estimates_of(Run(tmp_path / "r")) == estimates_of(alone)
    assert ray.is_initialized()


def test_a_stop_stores_what_every_actor_has_in_hand(cluster, tmp_path):
    spec = spec_in(tmp_path, engine="ray", workers=2, seeds=40)
    folder, heard = run_folder(spec), Heard()
    pool = RayPool(spec, heard)
    try:
        with locked(folder):
            opened = open_run(folder, manifest_for("r", pool.plan, pool.description))
            threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGINT)).start()
            outcome = pool.execute(opened, heard)
    finally:
        pool.close()
    assert outcome.interrupted
    assert 0 < outcome.made < 320
    assert len(opened.ids("samples")) == outcome.made == 320 - outcome.missing
