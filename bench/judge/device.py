"""Where the judge computes: a device, a stream of its own, threads for what stays on the CPU."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from bench.errors import UsageError

if TYPE_CHECKING:
    import torch

Item = TypeVar("Item")
Result = TypeVar("Result")
#: Of the judge's stream: its kernels are few and short, and whoever waits for them is a CPU thread,
#: while those of a sampler fill the whole device for long.
_PRIORITY = -1
#: More threads than this wait for each other's Python.
_MOST_THREADS = 16
#: Batches of pictures that are measured side by side: while one ends the other goes on.
_BATCHES = 2
_STARTING = threading.RLock()
_here = threading.local()


def require_device(device: str) -> None:
    """Refuse a device that is not there.

    Raises
    ------
    UsageError
        With the reason of torch.
    """
    import torch

    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise UsageError(
            f"device {device!r} cannot be used ({reason}); expected cpu, cuda or mps"
        ) from error


def is_cuda(device: str) -> bool:
    """Whether a device is one of CUDA, whose work is queued and waited for."""
    return device.partition(":")[0] == "cuda"


@lru_cache(maxsize=16)
def _stream(device: str) -> Any:
    import torch

    return torch.cuda.Stream(device, _PRIORITY)


@contextmanager
def judging(device: str) -> Iterator[None]:
    """Compute without gradients; on CUDA in one stream of the judge's own for the whole process.

    What a sampler queues in another stream is not waited for. Whatever is used inside must be
    complete before, as `settled` makes weights, or have been made inside.
    """
    import torch

    with torch.inference_mode():
        if not is_cuda(device):
            yield
            return
        with torch.cuda.stream(_stream(device)):
            yield


def settled(device: str) -> None:
    """Wait until what was copied to a device is there, for whatever stream."""
    if is_cuda(device):
        import torch

        torch.cuda.synchronize(device)


def to_device(images: Sequence[np.ndarray], device: str) -> torch.Tensor:
    """Pictures uint8 (H, W, 3) of one shape as uint8 (N, 3, H, W), copied as they are."""
    import torch

    stack = torch.from_numpy(np.stack(images)).to(device)
    return stack.permute(0, 3, 1, 2)


def computed(
    device: str, function: Callable[[Item], Result], items: Sequence[Item]
) -> list[Result]:
    """Apply a function that has a device compute to each item, in the order of the items.

    On a CPU `in_threads`. On a GPU one after the other, in the one thread of the process that has
    it compute: in each thread that comes to a convolution of a new shape cuDNN plans it anew.
    """
    if not is_cuda(device):
        return in_threads(function, items)
    with _STARTING:
        thread = _of_device()
    return thread.submit(lambda: [function(item) for item in items]).result()


@lru_cache(maxsize=1)
def _of_device() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, "bench-judge-device")


def in_threads(function: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    """Apply a function to each item, in the order of the items; where it raises, so does this.

    It is applied in threads of the judge, one a core, and each is one thread of torch too: two
    pictures side by side share two cores better than each operation does. The threads of torch of
    whoever calls stay as they are. The function must spend its time outside of Python's lock, in
    array arithmetic. Called in such a thread, it goes on there.
    """
    if getattr(_here, "is_of_pool", False):
        return [function(item) for item in items]
    return list(_pools()[0].map(function, items))


def beside(function: Callable[[], Result]) -> Future[Result]:
    """Begin the measuring of a batch, which calls `in_threads`.

    So a batch is measured beside another, and no core waits for the last pictures of either. In
    such a batch nothing may be begun so and waited for: no thread might be left for it. Its own
    thread has as many of torch as any other: a network that is not the judge's may run there.
    """
    return _pools()[1].submit(function)


def thread_count() -> int:
    """How many threads `in_threads` has: one a core, as far as that helps."""
    return min(core_count(), _MOST_THREADS)


def usable_cores() -> list[int]:
    """Cores that this process may use; none where the system does not tell."""
    try:
        return sorted(os.sched_getaffinity(0))
    except AttributeError:
        return []


def core_count() -> int:
    """How many cores this process may use; all where the system does not tell."""
    return len(usable_cores()) or os.cpu_count() or 1


def _pools() -> tuple[ThreadPoolExecutor, ThreadPoolExecutor]:
    """Threads for pictures, one a core, and for batches, whose pictures they wait for."""
    with _STARTING:
        return _started()


@lru_cache(maxsize=1)
def _started() -> tuple[ThreadPoolExecutor, ThreadPoolExecutor]:
    pool = threads_of_torch(thread_count(), 1, "bench-judge", _of_pool)
    return pool, ThreadPoolExecutor(_BATCHES, "bench-judge-batch")


def _after_fork() -> None:
    """Have no threads: those of the parent are not in a process that it forks."""
    global _STARTING
    _STARTING = threading.RLock()
    _here.__dict__.clear()
    _started.cache_clear()
    _of_device.cache_clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def _of_pool() -> None:
    _here.is_of_pool = True


def threads_of_torch(
    count: int, each: int, name: str, begin: Callable[[], None] | None = None
) -> ThreadPoolExecutor:
    """Threads in each of which torch has so many of its own; all others keep what they have."""
    import torch

    all_of_them = threading.Barrier(count)

    def begun() -> None:
        # A thread takes the number of all when it first asks for it, whatever was set before.
        torch.get_num_threads()
        torch.set_num_threads(each)
        if begin is not None:
            begin()
        all_of_them.wait()

    with _STARTING:
        usual = torch.get_num_threads()
        pool = ThreadPoolExecutor(count, name, begun)
        # Each begins with a number of its own; the last that is set is that of threads to come.
        for first in [pool.submit(int) for _ in range(count)]:
            first.result()
        torch.set_num_threads(usual)
    return pool
