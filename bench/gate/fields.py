"""Whether two runs may be compared, and by which field they may not."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from bench.errors import NotComparableError
from bench.registry import unknown
from bench.store.manifest import flatten

#: The release of this program: another may judge by other rules.
VERSION = "bench"
#: Options of a sampler that tell where its weights and its code are from.
PROVENANCE = frozenset({"source", "commit", "variant"})
#: Kinds of samplers, by an option that only they record.
KINDS = {"pipeline": "diffusers pipeline", "base_url": "image API", "source": "callable"}


def require_comparable(
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    allowed: Collection[str] = (),
    among: str = "",
) -> list[str]:
    """Refuse to compare runs that were not made alike.

    Parameters
    ----------
    before, after : mapping
        As `bench.gate.baseline.comparable` gives them.
    allowed : collection of str
        Fields that may differ: ``grid``, or deeper, ``sampler.steps``.
    among : str
        What is to be joined in one baseline, in words; else a run is compared with a baseline.

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
    first, second = (
        flatten({**one, "sampler": compared(one["sampler"])} if "sampler" in one else one)
        for one in (before, after)
    )
    if first.get("sampler.configuration"):
        raise NotComparableError(
            "cannot compare: the baseline was written by a release that kept a hash of the model's "
            "configuration; write it again with `bench baseline`"
        )
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
    # What kind of model it is comes before what only one kind has.
    for field in sorted(fields, key=lambda name: (name != "sampler.kind", name)):
        old, new = first.get(field), second.get(field)
        if old == new:
            continue
        if among:
            raise NotComparableError(
                f"{among} cannot stand in one baseline: {field} is {old!r} in one and {new!r} in "
                "another; make them alike"
            )
        if not any(prefix in allowed for prefix in _prefixes(field)):
            raise NotComparableError(
                f"cannot compare: {field} was {old!r} in the baseline and is {new!r} now; "
                f"make the run alike, write a new baseline, or pass --allow {field}"
            )
        passed.append(f"{field} differs ({old!r} and {new!r}) and was let through")
    return passed


def compared(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options of a sampler as far as two runs must agree in them.

    Weights may differ, that is the point of a gate; and so may all that only tells where weights
    and code are from: the commit and variant of the files, the hash of a user's module, the hashes
    of adapters. Of adapters count, name and scale are compared, a name without its numbers, so that
    step 500 and step 1000 of one training are alike.
    """
    found = {key: value for key, value in options.items() if key not in PROVENANCE}
    found["kind"] = next((kind for key, kind in KINDS.items() if key in options), "bundled model")
    adapters = found.pop("loras", [])
    found["loras"] = {
        "count": len(adapters),
        "names": [re.sub(r"\d+", "#", one["name"]) for one in adapters],
        "scales": [one["weight"] for one in adapters],
    }
    return found


def _prefixes(field: str) -> list[str]:
    steps = field.split(".")
    return [".".join(steps[: count + 1]) for count in range(len(steps))]
