"""Whether the judge of a run passed its own examination."""

from __future__ import annotations

from collections.abc import Collection

from bench.errors import NotComparableError
from bench.store.manifest import Manifest

#: What `--allow` calls it.
CONTROL = "control"


def require_control(manifest: Manifest, allowed: Collection[str] = ()) -> list[str]:
    """Refuse a run whose scorers failed their control on known scenes.

    Parameters
    ----------
    manifest : Manifest
    allowed : collection of str
        ``control`` among them lets it through.

    Returns
    -------
    list of str
        What was let through, in words.

    Raises
    ------
    NotComparableError
        The control failed: no score of this run says anything about its model.
    """
    control = manifest.control
    if control is None or control.get("passed", True):
        return []
    reached = (
        f"macro F1 {control.get('macro_f1', 0):.2f}, at least {control.get('least_f1', 0):.2f}"
    )
    if CONTROL in allowed:
        return [f"control failed ({reached}) and was let through"]
    raise NotComparableError(
        f"the scorers of run {manifest.name!r} failed their control on known scenes ({reached}): "
        "`bench validate` shows where; mend the scorer or segmenter and score again, or pass "
        "--allow control"
    )
