"""What is kept of the study: one small file, a line a drawing, a letter a binding."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from bench.records import LEAKS, NOT_JUDGED, VERDICTS
from prompts.subjects import SUBJECTS
from reference_models.errors import ModelError
from reference_models.world.statistics import held_out_pairs

FORMAT = 2
#: Letters of the verdicts and of the places that a leak was measured on.
LETTERS = dict(zip(VERDICTS, "bsngmpxwaui", strict=True))
PLACES = {"": ".", "wall": "w", "support": "t", "plate": "p", "picture_frame": "f", "other": "o"}
#: Places of a leak by their letters, in words.
PLACE_WORDS = {"w": "wall", "t": "table", "p": "plate", "f": "frame", "o": "another thing"}
_DRIFTS = frozenset(LETTERS[name] for name in LEAKS if name != "swapped")
_UNJUDGED = frozenset(LETTERS[name] for name in NOT_JUDGED)

#: A share of verdicts among the judged ones of some cells: by verdict and place.
Metric = Callable[[str, str], bool]
METRICS: dict[str, Metric] = {
    "bound": lambda verdict, _: verdict == LETTERS["bound"],
    "leaked": lambda verdict, _: verdict in _DRIFTS,
    "swapped": lambda verdict, _: verdict == LETTERS["swapped"],
    "mixed": lambda verdict, _: verdict == LETTERS["mixed"],
    "kept": lambda verdict, _: verdict == LETTERS["prior"],
    "absent": lambda verdict, _: verdict == LETTERS["absent"],
    **{
        f"leaked to {words}": lambda verdict, place, letter=letter: (  # type: ignore[misc]
            verdict in _DRIFTS and place == letter
        )
        for letter, words in PLACE_WORDS.items()
    },
}


@cache
def groups_of(cell: str) -> frozenset[str]:
    """Groups of a cell by its id: ``one`` or ``pair``; plain ones too ``held`` or ``natural``."""
    kind, *words = cell.split("/")
    if kind == "pair":
        return frozenset({"pair"})
    if kind != "single":
        return frozenset({"one", "scene"})
    colour, subject = words
    found = {"one", "single"}
    if (colour, subject) in held_out_pairs():
        found.add("held")
    if colour in SUBJECTS[subject].canonical:
        found.add("natural")
    return frozenset(found)


@dataclass(frozen=True, slots=True)
class Drawing:
    """One trained network, drawn with in one way, and what became of every binding.

    Attributes
    ----------
    condition, sampling : str
    seed : int
        Of the training.
    pictures : int
        That the training saw.
    facts : mapping
        Loss, seconds, and the revision of the judge's code, where it is known.
    cells : tuple of str
        Ids, one a binding.
    verdicts, places : str
        A letter a binding; see ``LETTERS`` and ``PLACES``.
    """

    condition: str
    seed: int
    sampling: str
    pictures: int
    facts: Mapping[str, Any]
    cells: tuple[str, ...]
    verdicts: str
    places: str

    def count(self, metric: str, group: str) -> tuple[int, int]:
        """Bindings of a group that are of a metric, and how many are judged."""
        is_hit, hits, judged = METRICS[metric], 0, 0
        for cell, verdict, place in zip(self.cells, self.verdicts, self.places, strict=True):
            if group in groups_of(cell) and verdict not in _UNJUDGED:
                judged += 1
                hits += is_hit(verdict, place)
        return hits, judged

    def unjudged(self) -> float:
        """Share of all bindings that nothing is known of."""
        return sum(letter in _UNJUDGED for letter in self.verdicts) / max(1, len(self.verdicts))


def from_lines(lines: Iterable[str]) -> Iterator[Drawing]:
    """Drawings of the lines of ``results.jsonl``."""
    for line in lines:
        row = json.loads(line)
        cells, verdicts, places = [], "", ""
        for cell, bindings in row["cells"].items():
            for verdict, place, *_ in bindings:
                cells.append(cell)
                verdicts += LETTERS[verdict]
                places += PLACES.get(place, "o")
        facts = {k: row[k] for k in ("loss", "train_seconds", "revision") if k in row}
        yield Drawing(
            row["condition"],
            row["seed"],
            row["sampling"],
            row["pictures"],
            facts,
            tuple(cells),
            verdicts,
            places,
        )


def read_drawings(path: Path) -> list[Drawing]:
    """Drawings of the small file.

    Raises
    ------
    ModelError
        It is not there, or no such file.
    """
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        if stored["format"] != FORMAT:
            raise ValueError(f"format {stored['format']!r}")
        lists = [tuple(cells) for cells in stored["cells"]]
        return [Drawing(**{**row, "cells": lists[row["cells"]]}) for row in stored["drawings"]]
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        raise ModelError(
            f"{path} is no file of the study's results of format {FORMAT} ({error!r}); "
            "take it from the repository again, or make it with --lines"
        ) from error


def write_drawings(path: Path, drawings: Sequence[Drawing]) -> None:
    """Write the small file, a line a drawing."""
    lists = list(dict.fromkeys(one.cells for one in drawings))
    number = {cells: k for k, cells in enumerate(lists)}
    rows = [
        json.dumps(
            {
                "condition": one.condition,
                "seed": one.seed,
                "sampling": one.sampling,
                "pictures": one.pictures,
                "facts": dict(one.facts),
                "cells": number[one.cells],
                "verdicts": one.verdicts,
                "places": one.places,
            }
        )
        for one in sorted(drawings, key=lambda one: (one.condition, one.sampling, one.seed))
    ]
    cells = ",\n".join(json.dumps(list(one)) for one in lists)
    text = f'{{"format": {FORMAT},\n"cells": [\n{cells}\n],\n"drawings": [\n' + ",\n".join(rows)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text + "\n]}\n", encoding="utf-8")
