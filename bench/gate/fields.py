"""Whether two runs may be compared, and by which field they may not."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from bench.errors import NotComparableError
from bench.registry import unknown

#: The release of this program: another may judge by other rules.
VERSION = "bench"


def require_comparable(
    before: Mapping[str, Any], after: Mapping[str, Any], allowed: Collection[str] = ()
) -> list[str]:
    """Refuse to compare runs that were not made alike.

    Parameters
    ----------
    before, after : mapping
        As `bench.gate.baseline.comparable` gives them.
    allowed : collection of str
        Fields that may differ: ``grid``, or deeper, ``sampler.steps``.

    Returns
    -------
    list of str
        What differs and was let through, in words.

    Raises
    ------
    NotComparableError
        Names the first field that differs, both values, and how to let it through.
    UsageError
        A name in ``allowed`` that is no field.
    """
    first, second = flatten(before), flatten(after)
    if not (first.get(VERSION) and second.get(VERSION)):
        # Run from a checkout that is not installed: its version is not known.
        first.pop(VERSION, None)
        second.pop(VERSION, None)
    fields = sorted({*first, *second})
    known = sorted({prefix for field in fields for prefix in _prefixes(field)})
    for name in allowed:
        if name not in known:
            raise unknown("field", name, known)
    passed = []
    for field in fields:
        old, new = first.get(field), second.get(field)
        if old == new:
            continue
        if not any(prefix in allowed for prefix in _prefixes(field)):
            raise NotComparableError(
                f"cannot compare: {field} was {old!r} in the baseline and is {new!r} now; "
                f"make the run alike, write a new baseline, or pass --allow {field}"
            )
        passed.append(f"{field} differs ({old!r} and {new!r}) and was let through")
    return passed


def flatten(value: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested mappings as one, keys joined by dots."""
    found: dict[str, Any] = {}
    for key, item in value.items():
        name = f"{prefix}{key}"
        if isinstance(item, Mapping):
            found |= flatten(item, f"{name}.")
        else:
            found[name] = item
    return found


def _prefixes(field: str) -> list[str]:
    steps = field.split(".")
    return [".".join(steps[: count + 1]) for count in range(len(steps))]
