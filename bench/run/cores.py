"""How the cores of a machine are shared among processes, and how many of them judge on a GPU."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from bench.judge.device import core_count, is_cuda, usable_cores
from bench.run.spec import RunSpec

#: Of a GPU that judges pictures which exist: cores and free bytes of the GPU for each process, the
#: most processes, and the pictures that are worth the seconds in which one more starts.
CORES_EACH, BYTES_EACH, MOST, PICTURES_EACH = 2, 3 * 2**30, 8, 256
#: Segmenters and scorers whose weights are bundled: each process can have its own.
_BUNDLED = frozenset({"auto:bundled", "cutout", "saliency", "segmentation", "clip", "ood"})

_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def judges_on(spec: RunSpec, device: str, pictures: int) -> int:
    """How many processes judge pictures that exist on one device: several on a GPU.

    There the bundled networks take little of the time, and the rest is Python, which one thread of
    a process has at a time.
    """
    if not is_cuda(device) or spec.clip or not {spec.segmenter, *spec.scorers} <= _BUNDLED:
        return 1
    import torch

    by_memory = torch.cuda.mem_get_info(device)[0] // BYTES_EACH
    by_cores = core_count() // CORES_EACH
    return max(1, min(by_cores, by_memory, MOST, pictures // PICTURES_EACH))


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Let processes started meanwhile use so many threads, where the user has not said."""
    ours = [name for name in _THREADS if name not in os.environ]
    os.environ.update(dict.fromkeys(ours, str(count)))
    try:
        yield
    finally:
        for name in ours:
            del os.environ[name]


def keep_to_own_cores(rank: int, of: int) -> None:
    """Share the cores out: threads of the judge are as many as the cores that a process may use."""
    cores = usable_cores()
    mine = cores[rank * len(cores) // of : (rank + 1) * len(cores) // of]
    if mine and of > 1:
        os.sched_setaffinity(0, mine)
