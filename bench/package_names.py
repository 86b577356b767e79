"""The names of the suite's packages against a project that has its own of the same name.

The wheel brings ``prompts``, ``reports`` and ``reference_models`` beside ``bench``: names that a
project on image models may have too. Whichever is found first on ``sys.path`` is what both import.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

#: Packages that ``bench`` imports and that come with it.
BESIDE = ("prompts", "reports", "reference_models")
#: The folder that holds ``bench`` and the packages beside it.
HOME = Path(__file__).resolve().parents[1]


def foreign(name: str) -> Path | None:
    """Return where a package of the suite's name is imported from, where that is not the suite's.

    Returns
    -------
    Path or None
        The file or folder of the other package; None where the suite's own is found, or none.
    """
    loaded = sys.modules.get(name)
    spec = loaded.__spec__ if loaded is not None else importlib.util.find_spec(name)
    if spec is None:
        return None
    # A namespace package (a folder without __init__.py) has no origin, only places.
    places = [spec.origin] if spec.origin else list(spec.submodule_search_locations or ())
    first = Path(places[0]).resolve() if places else HOME
    return None if first.is_relative_to(HOME / name) else first


def clashes(folder: Path) -> list[str]:
    """Names of the suite's packages that a folder has its own of, in the order of `BESIDE`.

    Parameters
    ----------
    folder : Path
        A folder on ``sys.path``, such as the one where the user's modules lie.
    """
    folder = folder.resolve()
    if folder == HOME:
        return []
    return [
        name
        for name in BESIDE
        if (folder / f"{name}.py").is_file() or (folder / name / "__init__.py").is_file()
    ]


def come_first() -> None:
    """Put the suite's folder at the front of ``sys.path``, so that its own packages are found.

    For ``python -m bench`` in the folder of a project, which Python puts first.
    """
    sys.path.insert(0, str(HOME))


def require_own() -> None:
    """See that the suite imports its own packages.

    Raises
    ------
    ImportError
        Another package has the name; the message says where it is and what to do.
    """
    for name in BESIDE:
        other = foreign(name)
        if other is not None:
            raise ImportError(
                f"{other} is imported as {name!r}, which is a package of Binding Bench too; rename "
                f"it, or start with the command `bench`, or put {HOME} before it on sys.path"
            )
