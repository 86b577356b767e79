"""What a model was trained on: how often each colour was seen on each subject."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from prompts.errors import PromptError, shown

#: Version of the file format.
FORMAT = 1


@dataclass(frozen=True, slots=True)
class TrainingManifest:
    """Counts over a set of training captions.

    Attributes
    ----------
    pairs : mapping of (str, str) to int
        Captions in which a colour was said of a subject, by (colour, subject). A pair that is not
        there was never seen.
    subjects : mapping of str to int
        Captions that name a subject, with or without a colour.
    captions : int
        Captions read.
    """

    pairs: Mapping[tuple[str, str], int] = field(default_factory=dict)
    subjects: Mapping[str, int] = field(default_factory=dict)
    captions: int = 0

    def count(self, colour: str, subject: str) -> int:
        """Return the number of captions that said this colour of this subject."""
        return self.pairs.get((colour, subject), 0)

    @classmethod
    def from_bindings(
        cls, captions: Iterable[Iterable[tuple[str | None, str]]]
    ) -> TrainingManifest:
        """Count captions whose (colour or None, subject) pairs are known already."""
        pairs: Counter[tuple[str, str]] = Counter()
        subjects: Counter[str] = Counter()
        total = 0
        for bindings in captions:
            total += 1
            found = set(bindings)
            pairs.update((colour, subject) for colour, subject in found if colour is not None)
            subjects.update({subject for _, subject in found})
        return cls(dict(pairs), dict(subjects), total)

    def __add__(self, other: TrainingManifest) -> TrainingManifest:
        """Add the counts of other captions."""
        return TrainingManifest(
            dict(Counter(self.pairs) + Counter(other.pairs)),
            dict(Counter(self.subjects) + Counter(other.subjects)),
            self.captions + other.captions,
        )

    def to_json(self) -> str:
        """Return the manifest as sorted JSON, one subject a line, zero counts left out."""
        rows: dict[str, dict[str, int]] = {}
        for (colour, subject), count in self.pairs.items():
            if count:
                rows.setdefault(subject, {})[colour] = count
        named = {name: count for name, count in self.subjects.items() if count}
        body = ",\n".join(
            f"  {json.dumps(subject)}: {json.dumps(rows[subject], sort_keys=True)}"
            for subject in sorted(rows)
        )
        lines = (
            "{",
            f' "format": {FORMAT},',
            f' "captions": {self.captions},',
            f' "subjects": {json.dumps(named, sort_keys=True)},',
            ' "pairs": {' + (f"\n{body}\n " if body else "") + "}",
            "}\n",
        )
        return "\n".join(lines)

    def save(self, path: str | Path) -> None:
        """Write `to_json` to a file."""
        Path(path).write_text(self.to_json(), encoding="utf-8")

    @classmethod
    def load(cls, path: str | Path) -> TrainingManifest:
        """Read a file that `save` wrote.

        Raises
        ------
        PromptError
            Where the file cannot be read or is not a manifest.
        """
        try:
            text = Path(path).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise PromptError(f"cannot read the manifest {path}: {error}", "manifest") from None
        return cls.from_json(text, str(path))

    @classmethod
    def from_json(cls, text: str, source: str = "manifest") -> TrainingManifest:
        """Read what `to_json` returned; ``source`` names it in errors."""
        try:
            document = json.loads(text)
        except ValueError as error:
            raise PromptError(f"{source} is not JSON: {error}", "manifest") from None
        if not isinstance(document, dict) or document.get("format") != FORMAT:
            found = document.get("format") if isinstance(document, dict) else type(document)
            raise PromptError(
                f"{source} is not a training manifest of format {FORMAT}: found {shown(found)}; "
                "make one with TrainingManifest.save",
                "manifest",
            )
        try:
            pairs = {
                (str(colour), str(subject)): _whole(count)
                for subject, row in document["pairs"].items()
                for colour, count in row.items()
            }
            subjects = {str(name): _whole(count) for name, count in document["subjects"].items()}
            return cls(pairs, subjects, _whole(document["captions"]))
        except (KeyError, AttributeError, TypeError) as error:
            raise PromptError(f"{source} is damaged: {error!r}", "manifest") from None


def _whole(count: object) -> int:
    if isinstance(count, bool) or not isinstance(count, int) or count < 0:
        raise TypeError(f"a count must be a whole number from 0, got {shown(count)}")
    return count
