"""One pass over a set of pictures: the cells that they are of, the rest, and a hash of all."""

from __future__ import annotations

import csv
import hashlib
import io
import shutil
import tempfile
from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.errors import UsageError
from bench.importers.layouts import PictureSet
from bench.importers.matching import Matcher
from bench.importers.picture import ImportedPicture, UnreadableError
from bench.store import files
from prompts.cells import Cell, Sample
from prompts.errors import shown
from prompts.tables import guarded

#: Distinct prompts without a cell that are told, and that are counted one by one.
TOLD = 5
COUNTED = 10_000


@dataclass
class Census:
    """What a set of pictures holds.

    Attributes
    ----------
    samples : sequence of Sample
        One a matched picture, in the order of the set; its index counts the pictures of its cell.
    places : array of int
        Position in the set of the picture of each sample.
    pictures : int
        All pictures, matched or not.
    unmatched : Counter
        Of prompt and reason.
    left_out : dict
        Number and first place of the files that are no samples, by the reason.
    missing : list
        Number and first place of the matched pictures whose files are missing.
    hash : str
        Of the bytes and prompts of all pictures, in order.
    """

    samples: Sequence[Sample] = ()
    places: array[int] = field(default_factory=lambda: array("q"))
    pictures: int = 0
    unmatched: Counter[tuple[str, str]] = field(default_factory=Counter)
    left_out: dict[str, tuple[int, str]] = field(default_factory=dict)
    missing: tuple[int, str] = (0, "")
    hash: str = ""

    @property
    def cells(self) -> list[Cell]:
        """The cells, in the order of their first pictures."""
        return list({sample.cell.id: sample.cell for sample in self.samples}.values())

    @property
    def most(self) -> int:
        """Pictures of the cell that has most."""
        return 1 + max((sample.index for sample in self.samples), default=-1)


class UnmatchedList:
    """Collects the pictures that are of no cell, as CSV, on the disk."""

    def __init__(self) -> None:
        self._binary = tempfile.TemporaryFile()  # noqa: SIM115
        self._file = io.TextIOWrapper(self._binary, "utf-8", errors="replace", newline="")
        self._writer = csv.writer(self._file, lineterminator="\n")
        self._writer.writerow(("picture", "prompt", "reason"))

    def add(self, picture: ImportedPicture, prompt: str, reason: str) -> None:
        """Add one."""
        self._writer.writerow(map(guarded, (picture.place, prompt, reason)))

    def write(self, path: Path) -> None:
        """Write the file whole, and let go of what was collected."""
        self._file.flush()
        self._binary.seek(0)
        files.write_whole(path, lambda file: shutil.copyfileobj(self._binary, file))
        self._file.close()


def take_census(
    source: PictureSet,
    matcher: Matcher,
    say: Callable[[str], object],
    unmatched: UnmatchedList | None = None,
) -> Census:
    """Read a set once.

    Parameters
    ----------
    source : PictureSet
    matcher : Matcher
    say : callable
        Is given what a person should know, a line each.
    unmatched : UnmatchedList, optional
        Is given every picture that is of no cell.

    Raises
    ------
    UsageError
        Damaged metadata, a path that leaves the folder, a set without pictures.
    """
    census = Census()
    samples: list[Sample] = []
    counts: Counter[str] = Counter()
    digest = hashlib.sha256()
    for number, picture in enumerate(source.pictures()):
        prompt = str(picture.said.get("prompt") or "")
        if not picture.is_sample:
            count, first = census.left_out.get(picture.why_not, (0, picture.place))
            census.left_out[picture.why_not] = (count + 1, first)
            if unmatched is not None:
                unmatched.add(picture, prompt, f"left out: {picture.why_not}")
            continue
        census.pictures += 1
        data, missing = _fingerprint(picture, prompt)
        digest.update(data)
        found = picture.why_not or matcher.match(picture.said)
        if isinstance(found, str):
            known = (prompt, found) in census.unmatched or len(census.unmatched) < COUNTED
            census.unmatched[(prompt, found) if known else ("...", found)] += 1
            if unmatched is not None:
                unmatched.add(picture, prompt, found)
            continue
        if missing:
            census.missing = (census.missing[0] + 1, census.missing[1] or picture.place)
        samples.append(Sample(found, counts[found.id]))
        census.places.append(number)
        counts[found.id] += 1
    census.samples = samples
    census.hash = digest.hexdigest()[:16]
    if not census.pictures:
        rest = "; ".join(_left_out(census))
        raise UsageError(
            f"{source.path} ({source.layout}) has no pictures" + (f": {rest}" if rest else "")
        )
    for line in census_lines(census):
        say(line)
    return census


def _fingerprint(picture: ImportedPicture, prompt: str) -> tuple[bytes, bool]:
    """Digest of one picture and its prompt, and whether its file is missing.

    One that cannot be read counts as its reason.
    """
    missing = False
    try:
        data = picture.read()
    except UnreadableError as error:
        data = error.kind.encode()
        missing = error.kind == "missing file"
    if picture.tile is not None:
        prompt = f"{picture.tile} {prompt}"
    digest = hashlib.sha256(data).digest()
    return digest + hashlib.sha256(prompt.encode(errors="replace")).digest(), missing


def _left_out(census: Census) -> Iterator[str]:
    for reason, (count, first) in census.left_out.items():
        yield f"left out: {count:,} files that are no samples, such as {shown(first)}: {reason}"


def census_lines(census: Census) -> Iterator[str]:
    """Yield what a person should know of a census, a line each."""
    matched = len(census.samples)
    controls = sum(sample.cell.id == sample.cell.control_id for sample in census.samples)
    yield (
        f"{census.pictures:,} pictures: {matched:,} matched to {len(census.cells):,} cells "
        f"({controls:,} pictures are controls), {census.pictures - matched:,} not matched"
    )
    yield from _left_out(census)
    for (prompt, reason), count in census.unmatched.most_common(TOLD):
        yield f"not matched: {count:,} of {shown(prompt)}: {reason}"
    rest = len(census.unmatched) - TOLD
    if rest > 0:
        yield f"not matched: {rest:,} prompts more; --unmatched FILE lists them all"


def require_matches(census: Census, name: str) -> None:
    """Refuse a set that nothing can be measured on.

    Raises
    ------
    UsageError
        No picture matched, none of a prompt that asks for a colour, or all files are missing.
    """
    if not census.samples:
        raise UsageError(
            f"none of the {census.pictures:,} pictures of {name} has a prompt of a known form, "
            "such as 'a blue potato'; name colour and subject in columns of these names, or give "
            "a --grid with your own words"
        )
    count, first = census.missing
    if count == len(census.samples):
        raise UsageError(
            f"all {count:,} pictures of {name} are missing, such as {shown(first)}: paths are "
            "relative to the table; --images DIR names another folder"
        )
    if all(sample.cell.id == sample.cell.control_id for sample in census.samples):
        raise UsageError(
            f"no prompt of {name} asks for a colour: its {len(census.samples):,} matched pictures "
            "are controls only"
        )
