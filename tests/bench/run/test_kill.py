"""A real process is killed with SIGKILL at random moments; what it leaves is whole and exact."""

import multiprocessing
import os
import random
import signal
import time
from pathlib import Path

import pytest

from tests.bench.runs import assert_same_tables, go, make_run
from tests.bench.shapes import crew

KILLS = int(os.environ.get("BENCH_TEST_KILLS", "10"))
#: So many images that the run outlives the kills.
SEEDS = 3 * KILLS

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="POSIX only")


def work(folder: Path) -> None:
    # Parts of 20 ms, so that many files are being written when the kill comes.
    go(folder, seeds=SEEDS, seconds=0.02, batch=3, team=crew(pause=0.004, batch_size=3))


def parts_of(folder: Path) -> list[Path]:
    return list(folder.rglob("*part-*"))


def test_killed_at_random_moments_and_taken_up_gives_the_same_tables(tmp_path):
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.bench.runs"])
    rng = random.Random(5)
    folder = tmp_path / "r"
    killed = 0
    for _ in range(3 * KILLS):
        process = context.Process(target=work, args=(folder,))
        process.start()
        # The moment is told by the files that appear, so that a slow machine is hit as evenly.
        files = len(parts_of(folder)) + rng.randrange(8)
        while len(parts_of(folder)) < files and process.exitcode is None:
            time.sleep(0.001)
        process.join(rng.uniform(0.0, 0.03))
        if process.exitcode is not None:
            assert process.exitcode == 0
            break
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        killed += process.exitcode == -signal.SIGKILL
        if killed == KILLS:
            break
    assert killed >= KILLS // 2
    run, outcome = go(folder, seeds=SEEDS)
    assert outcome.missing == 0
    assert not list(folder.rglob(".tmp-*"))
    assert_same_tables(run, make_run(tmp_path / "whole", seeds=SEEDS))
