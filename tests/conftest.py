"""What holds for every test: one thread a process, no window, no network by accident."""

import os
import sys

import pytest

# Before torch and numpy are imported, and inherited by the processes that tests start. Tests run
# side by side (pytest -n 2): more threads than cores would make each of them slower.
for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")
# No test may need a download; what a library looks up on the hub in passing fails at once.
os.environ.setdefault("HF_HUB_OFFLINE", "1")


@pytest.fixture(autouse=True)
def arithmetic_left_as_it_was():
    """Denormals left flushed make other tests of the same process fail by chance."""
    yield
    assert sys.float_info.min / 2 > 0, "this test left denormal numbers flushed to zero"
