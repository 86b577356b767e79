"""A real Ray on this machine: three workers, one of them killed, on one run."""

import os

import pytest
import ray

from bench.run.progress import Silent
from bench.run.ray_pool import RayTeam
from bench.run.scheduler import Leader
from bench.store.run import Run
from tests.bench.run.test_team import Heard, estimates_of, job_in, led_with_a_kill
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
    job = job_in(tmp_path_factory.mktemp("alone"))
    job.run(progress=Silent())
    return Run(job.folder)


def test_actors_make_the_same_tables_though_one_is_killed(cluster, tmp_path, alone):
    job = job_in(tmp_path, seeds=12)
    team = RayTeam(job, 3)
    heard = Heard()
    leader = Leader(team, heard)
    try:
        run, outcome = led_with_a_kill(job, leader, "ray:1")
    finally:
        team.end()
    assert outcome.missing == 0
    assert len(leader.processes) == 3
    assert any("worker ray:1 is lost" in one and "2 others do" in one for one in heard.said)
    assert_same_tables(run, alone)


def test_run_begun_by_this_process_is_finished_by_ray_and_the_other_way_round(
    cluster, tmp_path, alone, capsys
):
    job_in(tmp_path, limit=30).run(progress=Silent())
    heard = Heard()
    outcome = job_in(tmp_path, engine="ray", workers=2, limit=70).run(progress=heard)
    assert (outcome.made, heard.counted) == (40, 40)
    outcome = job_in(tmp_path).run(progress=Silent())
    assert (outcome.made, outcome.missing) == (26, 0)
    run = Run(tmp_path / "r")
    assert_same_tables(run, alone)
    assert estimates_of(run) == estimates_of(alone)
    assert ray.is_initialized()
