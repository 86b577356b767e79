"""What a patch is compared with: the asked subjects, the named neighbours, and everything else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from prompts.cells import Cell
from prompts.colours import COLOUR_NAMES
from prompts.grammar import noun_phrase
from prompts.subjects import BACKGROUNDS, NEIGHBOURS, SUBJECT_NAMES, SUBJECTS, Subject

if TYPE_CHECKING:
    import torch

    from bench.judge.clip.model import Clip

#: What pictures have behind their subjects, for a CLIP of the open world.
_OPEN_BACKGROUNDS = (*BACKGROUNDS, "background", "floor", "sky", "grass", "room", "street")
_OPEN_TEMPLATES = ("{}", "a photo of {}", "a drawing of {}")


@dataclass(frozen=True, slots=True)
class Nouns:
    """The classes of one prompt.

    Attributes
    ----------
    subjects : tuple of str
        Asked for, in the order of the prompt.
    neighbours : tuple of str
        Objects beside them; ``other`` last: all known subjects that were not asked for.
    words : tuple of str
        Every noun that patches are compared with.
    slots : tuple of int
        For each word its class: 0.. subjects, then neighbours, then the background.
    """

    subjects: tuple[str, ...]
    neighbours: tuple[str, ...]
    words: tuple[str, ...]
    slots: tuple[int, ...]

    @property
    def things(self) -> tuple[int, ...]:
        """Places in ``words`` of all subjects, the asked ones first; no plates, no walls."""
        count = len(self.subjects)
        other = self.classes - 2
        return (*range(count), *(i for i, slot in enumerate(self.slots) if slot == other))

    @property
    def classes(self) -> int:
        """Subjects, neighbours and the background."""
        return len(self.subjects) + len(self.neighbours) + 1


def nouns_of(cell: Cell, closed: bool) -> Nouns:
    """Return the classes of a cell.

    Parameters
    ----------
    cell : Cell
    closed : bool
        Whether the CLIP knows the bundled world alone.
    """
    subjects = tuple(binding.subject for binding in cell.bindings)
    named = [b.subject for b in cell.scenery if b.subject not in BACKGROUNDS]
    beside = [n for n in dict.fromkeys((*NEIGHBOURS, *named)) if n not in subjects]
    neighbours = (*beside, "other")
    others = [name for name in SUBJECT_NAMES if name not in (*subjects, *beside)]
    backgrounds = BACKGROUNDS if closed else _OPEN_BACKGROUNDS
    words = (*subjects, *beside, *others, *backgrounds)
    first = len(subjects)
    slots = (
        *range(first + len(beside)),
        *(first + len(beside) for _ in others),
        *(first + len(neighbours) for _ in backgrounds),
    )
    return Nouns(subjects, neighbours, words, slots)


def unknown_nouns(clip: Clip, nouns: Nouns) -> tuple[str, ...]:
    """List the words of the asked subjects that the CLIP does not know."""
    return clip.unknown_words(" ".join(nouns.subjects))


def embed_noun(clip: Clip, noun: str) -> torch.Tensor:
    """Return the unit vector of a noun.

    The bundled CLIP was aligned on the bare noun, which it was shown in every colour. Any other
    is given the mean over several phrases and all colours, so that the subject is found whatever
    its colour.
    """
    import torch

    subject = SUBJECTS.get(noun, Subject(noun))
    bare = noun_phrase(None, subject)
    if clip.closed:
        return clip.encode_text([bare])[0]
    phrases = [bare, *(noun_phrase(colour, subject) for colour in COLOUR_NAMES)]
    texts = [template.format(phrase) for template in _OPEN_TEMPLATES for phrase in phrases]
    return torch.nn.functional.normalize(clip.encode_text(texts).mean(0), dim=0)
