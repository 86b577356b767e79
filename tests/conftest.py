"""What holds for every test: one thread a process, no window, no network by accident."""

import os
import sys
from pathlib import Path

import pytest

# Before torch and numpy are imported, and inherited by the processes that tests start. Tests run
# side by side (pytest -n 3): more threads than cores would make each of them slower.
for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")
# No test may need a download; what a library looks up on the hub in passing fails at once.
os.environ.setdefault("HF_HUB_OFFLINE", "1")

#: Files that take longest, the longest first: begun at the end, one of them would keep a worker
#: busy when the others have nothing left to do.
LONGEST = (
    "bench/run/test_process_pool.py",
    "bench/gate/test_decide.py",
    "bench/cli/test_main.py",
    "bench/samplers/test_openai_images.py",
    "bench/run/test_ray_pool.py",
    "reference_models/study/test_study_page.py",
    "reports/test_report_command.py",
    "bench/gate/test_baseline.py",
    "bench/importers/test_score.py",
    "prompts/test_captions.py",
    "bench/certificate/test_report.py",
    "bench/judge/regions/test_cutout.py",
    "test_bad_input.py",
    "bench/judge/clip/test_load.py",
    "reference_models/miniatures/test_miniatures.py",
    "reference_models/test_export.py",
    "examples/test_fine_tune.py",
    "benchmarks/test_gpu.py",
    "bench/run/test_kill.py",
    "reports/test_widths.py",
    "test_action.py",
)


def pytest_configure(config):
    """Leave the files in the order below; xdist would begin with those of the most tests."""
    if config.pluginmanager.hasplugin("xdist"):
        config.option.loadscopereorder = False


def pytest_collection_modifyitems(items):
    """Begin with the files that take longest."""
    root = Path(__file__).parent
    rank = {root / name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: rank.get(item.path, len(rank)))


@pytest.fixture(autouse=True)
def arithmetic_left_as_it_was():
    """Denormals left flushed make other tests of the same process fail by chance."""
    yield
    assert sys.float_info.min / 2 > 0, "this test left denormal numbers flushed to zero"
