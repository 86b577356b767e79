"""Memory that is freed: what glibc's allocator does with it, what the collector looks through."""

from __future__ import annotations

import ctypes
import gc
import os

#: Options of glibc's ``mallopt`` (mallopt(3)): its name in the environment, its number and bytes.
#: Arrays of a batch are some megabytes: by default each comes new from the system, page by page,
#: and goes back at once. What is larger than the second, a large picture, still does. Up to the
#: first is kept when all arrays of a step are let go of: a guided model has more than 16 MiB.
MALLOC = {
    "MALLOC_TRIM_THRESHOLD_": (-1, 2**26),
    "MALLOC_MMAP_THRESHOLD_": (-3, 2**24),
}
#: Objects that the garbage collector waits for: torch, pandas, SciPy and Arrow make 365,000.
LIBRARY_OBJECTS = 300_000


def keep_freed_pages() -> None:
    """Let this process and its children use freed memory again; what the user has set stays."""
    library = _glibc()
    if library is None:
        return
    for name, (option, size) in MALLOC.items():
        if name not in os.environ and hasattr(library, "mallopt"):
            library.mallopt(option, size)
        os.environ.setdefault(name, str(size))


def give_freed_pages_back() -> None:
    """Let the system have what is freed and kept, where a large picture is to stand beside it."""
    library = _glibc()
    if library is not None and hasattr(library, "malloc_trim"):
        library.malloc_trim(0)


def _glibc() -> ctypes.CDLL | None:
    if not hasattr(os, "confstr") or "CS_GNU_LIBC_VERSION" not in os.confstr_names:
        return None
    return ctypes.CDLL(None)


def spare_libraries() -> None:
    """Have the garbage collector pass by the libraries, which live to the end.

    To look through them while they are imported takes a fifth of the import, and a tenth of a
    second whenever it comes to old objects later.
    """
    usual = gc.get_threshold()

    def pass_by(phase: str, _: dict[str, int]) -> None:
        gc.callbacks.remove(pass_by)
        gc.freeze()
        gc.set_threshold(*usual)

    gc.callbacks.append(pass_by)
    gc.set_threshold(LIBRARY_OBJECTS)
