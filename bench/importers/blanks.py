"""A run of which every picture was blank gives way to the same set once it is mended."""

from __future__ import annotations

import shutil
from pathlib import Path

from bench.store.lock import locked
from bench.store.manifest import FILE, read_manifest
from bench.store.run import Run


def give_way(folder: Path, weights: str) -> int:
    """Remove what is stored of a run that holds no picture but invalid ones of another set.

    Parameters
    ----------
    folder : Path
        Of the run; nothing is done where there is none.
    weights : str
        Hash of the set that is to be scored.

    Returns
    -------
    int
        How many blank pictures were removed; 0 where the run stays.
    """
    if not (folder / FILE).is_file():
        return 0
    sampler = read_manifest(folder).sampler
    if sampler.kind != "pictures" or sampler.weights == weights:
        return 0
    with locked(folder):
        blank = 0
        for _, part in Run(folder).parts("samples", ["invalid"]):
            if part["invalid"].null_count:
                return 0
            blank += len(part)
        if not blank:
            return 0
        for path in folder.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            elif not path.name.startswith(".lock"):
                path.unlink()
    return blank
