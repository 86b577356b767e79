"""Labels by people, from the report's CSV or in GenEval's layout."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from bench.errors import UsageError
from bench.records import VERDICTS
from bench.registry import unknown
from prompts.errors import PromptError
from prompts.tables import read_table

#: Verdict of a person who only said that the scorer's is wrong.
OTHER = "other"
#: Columns that may name the person; where there is none, a file is one person.
PERSON = ("person", "annotator", "rater")
RIGHT, WRONG = "right", "wrong"

Key = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Label:
    """What one person said of one binding; what was not said is None.

    Attributes
    ----------
    sample_id, binding, person
    verdict : str or None
        One of `bench.records.VERDICTS`, or `OTHER`.
    bound : bool or None
        Whether the subject has the requested colour and nothing else took it (of GenEval's labels:
        whether the requested colour is among those named).
    colours : frozenset of str, or None
        Colours named for the subject: any of them is right. Empty where it is not in the picture.
    """

    sample_id: str
    binding: int
    person: str
    verdict: str | None
    bound: bool | None
    colours: frozenset[str] | None


@dataclass(frozen=True)
class Labels:
    """Labels of one run: those that belong to it, and the number of those that do not."""

    labels: tuple[Label, ...]
    foreign: int

    @property
    def people(self) -> tuple[str, ...]:
        """Names of the people, sorted."""
        return tuple(sorted({one.person for one in self.labels}))


def read_labels(paths: Sequence[Path], verdicts: pd.DataFrame, samples: pd.DataFrame) -> Labels:
    """Read label files.

    Parameters
    ----------
    paths : sequence of Path
    verdicts : DataFrame
        The run's verdicts: ``sample_id, binding, colour, subject``.
    samples : DataFrame
        ``sample_id, text, index, path`` of its images, for GenEval's layout; ``run``, its name.

    Raises
    ------
    UsageError
        A file that is missing or no label file, a bad value (file and line are told), one person
        who says two things of one judgement, or nothing that belongs to the run.
    """
    keys = list(zip(verdicts["sample_id"], verdicts["binding"].astype(int), strict=True))
    asked = dict(zip(keys, zip(verdicts["colour"], verdicts["subject"], strict=True), strict=True))
    found: dict[tuple[Key, str], tuple[Label, str]] = {}
    foreign = 0
    for path in paths:
        rows = _rows(path)
        header = rows[0][1].keys() if rows else ()
        if "sample_id" in header:
            read: Iterable[tuple[str, Label | None]] = _own(path, rows, asked, samples)
        elif {"Input.prompt_id", "Input.image_id", "Answer.task-color-0"} <= set(header):
            read = _geneval(path, rows, asked, samples)
        else:
            raise UsageError(
                f"{path} holds no labels: expected the CSV that the report exports (sample_id, "
                "verdict, label, human) or GenEval's (Input.prompt_id, Answer.task-color-0)"
            )
        for where, label in read:
            if label is None:
                foreign += 1
                continue
            key = ((label.sample_id, label.binding), label.person)
            if key in found and found[key][0] != label:
                raise UsageError(
                    f"{where}: {label.person!r} says another thing of this judgement than in "
                    f"{found[key][1]}; a column `person` tells people apart"
                )
            found[key] = (label, where)
    if not found:
        names = ", ".join(map(str, paths))
        raise UsageError(f"no label of {names} belongs to this run ({foreign} belong to others)")
    return Labels(tuple(label for label, _ in found.values()), foreign)


def _rows(path: Path) -> list[tuple[str, dict[str, str]]]:
    if not path.is_file():
        raise UsageError(f"{path}: no such file")
    try:
        return [
            (str(place), {name: str(value or "").strip() for name, value in row.items()})
            for place, row in read_table(path, ".csv")
        ]
    except PromptError as error:
        raise UsageError(str(error)) from None


def _own(
    path: Path,
    rows: Sequence[tuple[str, Mapping[str, str]]],
    bindings: Mapping[Key, tuple[str, str]],
    samples: pd.DataFrame,
) -> Iterator[tuple[str, Label | None]]:
    run = samples.attrs.get("run", "")
    for where, row in rows:
        binding = row.get("binding") or "0"
        if not binding.isdecimal():
            raise UsageError(f"{where}: binding {binding!r} is no number")
        key = (row["sample_id"], int(binding))
        if key not in bindings or (run and row.get("run", run) not in ("", run)):
            yield where, None
            continue
        verdict = _verdict(where, row)
        colours = _colours(row["colours"]) if row.get("colours") else None
        if verdict is None and colours is None:
            # A row that was exported and not labelled.
            continue
        bound = _bound(verdict, row.get("verdict", ""))
        if bound is None and colours is not None:
            bound = bindings[key][0] in colours
        person = next((row[name] for name in PERSON if row.get(name)), path.stem)
        yield where, Label(*key, person, verdict, bound, colours)


def _verdict(where: str, row: Mapping[str, str]) -> str | None:
    human, label, said = (row.get(name, "") for name in ("human", "label", "verdict"))
    if human:
        if human not in VERDICTS:
            raise UsageError(f"{where}: {unknown('verdict', human, VERDICTS)}")
        return human
    if label not in ("", RIGHT, WRONG):
        raise UsageError(f"{where}: label {label!r}; expected {RIGHT} or {WRONG}")
    if label == RIGHT:
        if said not in VERDICTS:
            raise UsageError(f"{where}: {unknown('verdict', said, VERDICTS)}")
        return said
    return OTHER if label == WRONG else None


def _bound(verdict: str | None, scored: str) -> bool | None:
    """Whether the person sees it bound; unknown where only some other verdict was called wrong."""
    if verdict == OTHER:
        return False if scored == "bound" else None
    return None if verdict is None else verdict == "bound"


def _geneval(
    path: Path,
    rows: Sequence[tuple[str, Mapping[str, str]]],
    bindings: Mapping[Key, tuple[str, str]],
    samples: pd.DataFrame,
) -> Iterator[tuple[str, Label | None]]:
    """Labels of GenEval: a row an image and a person, without the names of the people.

    The n-th row of an image counts as person n; Fleiss' and Krippendorff's coefficients do not
    need the same people for every image.
    """
    by_place = {
        place: sample
        for place, sample in zip(map(_place, samples["path"]), samples["sample_id"], strict=True)
        if place is not None
    }
    by_text = dict(
        zip(
            zip(samples["text"], samples["index"].astype(int), strict=True),
            samples["sample_id"],
            strict=True,
        )
    )
    seen: dict[str, int] = {}
    for where, row in rows:
        numbers = row["Input.prompt_id"], row["Input.image_id"]
        if not all(number.isdecimal() for number in numbers):
            raise UsageError(f"{where}: prompt and image {numbers} are no numbers")
        place = (int(numbers[0]), int(numbers[1]))
        sample = by_place.get(place) or by_text.get((row.get("Input.caption", ""), place[1]))
        if sample is None:
            yield where, None
            continue
        person = f"{path.stem} {seen.setdefault(sample, 0) + 1}"
        seen[sample] += 1
        for number in range(2):
            name = row.get(f"Input.object_{number}_name", "")
            count = row.get(f"Answer.task-count-{number}", "")
            binding = _binding_of(name, sample, bindings)
            if not name or not count or binding is None:
                continue
            named = _colours(row.get(f"Answer.task-color-{number}", ""))
            there = _count(where, count) > 0
            if there and not named:
                continue
            colours = named if there else frozenset()
            bound = bindings[sample, binding][0] in colours
            yield where, Label(sample, binding, person, None, bound, colours)


def _count(where: str, text: str) -> float:
    try:
        count = float(text)
    except ValueError:
        count = float("nan")
    if not count >= 0:
        raise UsageError(f"{where}: count {text!r} is no number of objects")
    return count


def _binding_of(name: str, sample: str, bindings: Mapping[Key, tuple[str, str]]) -> int | None:
    for binding in range(2):
        if bindings.get((sample, binding), ("", ""))[1] == name:
            return binding
    return None


def _place(path: str | None) -> tuple[int, int] | None:
    """Prompt and image number of a picture in GenEval's layout."""
    match = re.search(r"(?:^|/)(\d+)/(?:samples/)?(\d+)\.\w+$", path or "")
    return (int(match[1]), int(match[2])) if match else None


def _colours(text: str) -> frozenset[str]:
    return frozenset(
        "gray" if name == "grey" else name
        for name in (piece.strip().lower() for piece in re.split(r"[|;]", text))
        if name
    )
