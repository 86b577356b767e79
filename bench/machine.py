"""What this machine has and lacks: versions, devices, memory, disk, and the parts that can run."""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import sys
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from bench.tables import TABLES, address, load

#: Distribution, whether it is needed, and what for.
LIBRARIES: tuple[tuple[str, bool, str], ...] = (
    ("torch", True, "models and CLIP"),
    ("numpy", True, "pictures and statistics"),
    ("pyarrow", True, "the run folder"),
    ("pandas", True, "tables"),
    ("scipy", True, "intervals"),
    ("scikit-image", True, "regions"),
    ("open_clip_torch", True, "CLIP"),
    ("diffusers", True, "other models than the bundled one"),
    ("transformers", True, "text encoders of diffusers models"),
    ("ray", False, "several machines (pip install binding-bench[ray])"),
    ("matplotlib", False, "figures for a paper (pip install binding-bench[figures])"),
)


@dataclass(frozen=True)
class Finding:
    """One line: what, what was found, and whether it is as it should be."""

    topic: str
    name: str
    value: str
    ok: bool = True


def examine(out: Path) -> list[Finding]:
    """Look at the machine.

    Parameters
    ----------
    out : Path
        Folder where runs would be stored.
    """
    return [
        Finding("machine", "python", platform.python_version(), sys.version_info >= (3, 11)),
        Finding("machine", "system", f"{platform.system()} {platform.machine()}"),
        Finding("machine", "cores", str(os.cpu_count() or 1)),
        _memory(),
        _disk(out),
        *_libraries(),
        *_devices(),
        *_parts(),
    ]


def _memory() -> Finding:
    try:
        pages, size = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return Finding("machine", "memory", "unknown")
    total = pages * size / 1e9
    return Finding("machine", "memory", f"{total:.1f} GB", total >= 2)


def _disk(out: Path) -> Finding:
    folder = out.absolute()
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free / 1e9
    writable = os.access(folder, os.W_OK)
    value = f"{free:.1f} GB free at {folder}" + ("" if writable else ", not writable")
    return Finding("machine", "disk", value, writable and free > 0.1)


def _libraries() -> list[Finding]:
    found = []
    for name, needed, purpose in LIBRARIES:
        try:
            found.append(Finding("library", name, metadata.version(name)))
        except metadata.PackageNotFoundError:
            found.append(Finding("library", name, f"missing: {purpose}", not needed))
    return found


def _devices() -> list[Finding]:
    if importlib.util.find_spec("torch") is None:
        return []
    import torch

    found = [Finding("device", "cpu", f"{torch.get_num_threads()} threads")]
    for number in range(torch.cuda.device_count()):
        properties = torch.cuda.get_device_properties(number)
        value = f"{properties.name}, {properties.total_memory / 1e9:.0f} GB"
        found.append(Finding("device", f"cuda:{number}", value))
    if torch.backends.mps.is_available():
        found.append(Finding("device", "mps", "Apple GPU"))
    return found


def _parts() -> list[Finding]:
    found = []
    for kind, table in TABLES.items():
        for name in table:
            try:
                load(kind, name)
            except Exception as error:
                reason = " ".join(str(error).split())
                found.append(Finding(kind, name, f"cannot be used: {reason}", False))
            else:
                found.append(Finding(kind, name, address(kind, name)))
    return found
