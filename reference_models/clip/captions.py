"""What is said of a scene, as numbers, and of which scenes of a batch it is true.

A contrastive loss takes every other caption of the batch for false. Here the scenes are known, so
the captions that happen to be true of another image are known too, and can be left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from prompts.colours import COLOUR_NAMES
from prompts.subjects import SUBJECT_NAMES
from reference_models.clip.vocabulary import article
from reference_models.world.scene import NONE, QUIET, SCENERY, Scenes

_SCENERY_PHRASE = ("in front of {}", "on {}", "on {}", "in {}")
_PREFIXES = ("", "", "", "a photo of ", "a picture of ", "a drawing of ")
#: Colours that the quiet colour of an unnamed wall could fairly be called.
_QUIET_NAMES = torch.tensor([name in ("white", "gray", "brown", "pink") for name in COLOUR_NAMES])


@dataclass(frozen=True, slots=True, eq=False)
class Sayings:
    """One caption a scene; -1 stands for what is not said.

    Attributes
    ----------
    subject, colour : Tensor, int64 (N, 2)
    scenery, scenery_colour : Tensor, int64 (N,)
    prefix : Tensor, int64 (N,)
    """

    subject: Tensor
    colour: Tensor
    scenery: Tensor
    scenery_colour: Tensor
    prefix: Tensor


def say(scenes: Scenes, generator: torch.Generator) -> Sayings:
    """Choose a true caption for each scene: some say all, some little."""
    n = len(scenes)

    def chance(p: float, *shape: int) -> Tensor:
        return torch.rand(shape, generator=generator) < p

    two = scenes.subject[:, 1] >= 0
    subject = scenes.subject.clone()
    # Of two subjects, sometimes only one is named.
    only = chance(0.25, n) & two
    second = only & chance(0.5, n)
    subject[second, 0] = subject[second, 1]
    subject[only, 1] = -1
    term = scenes.term.clone()
    term[second, 0] = term[second, 1]
    colour = torch.where((subject >= 0) & chance(0.8, n, 2), term, -torch.ones_like(term))

    there = (scenes.scenery_term != NONE).float()
    weights = there * torch.tensor([1.0, 0.5, 1.6, 1.0]) + 1e-6
    scenery = torch.multinomial(weights, 1, generator=generator)[:, 0]
    shown = scenes.scenery_term.gather(1, scenery[:, None])[:, 0]
    said = torch.where(shown >= 0, chance(0.6, n), chance(0.15, n)) & (subject[:, 1] < 0)
    said &= shown != NONE
    scenery = torch.where(said, scenery, -torch.ones_like(scenery))
    named = said & (shown >= 0) & chance(0.85, n)
    return Sayings(
        subject=subject,
        colour=colour,
        scenery=scenery,
        scenery_colour=torch.where(named, shown, -torch.ones_like(shown)),
        prefix=torch.randint(len(_PREFIXES), (n,), generator=generator),
    )


def _phrase(colour: int, noun: str) -> str:
    return article(noun if colour < 0 else f"{COLOUR_NAMES[colour]} {noun}")


def texts(sayings: Sayings) -> list[str]:
    """The captions as text."""
    out = []
    for subjects, colours, scenery, scenery_colour, prefix in zip(
        sayings.subject.tolist(),
        sayings.colour.tolist(),
        sayings.scenery.tolist(),
        sayings.scenery_colour.tolist(),
        sayings.prefix.tolist(),
        strict=True,
    ):
        things = [
            _phrase(colour, SUBJECT_NAMES[subject])
            for subject, colour in zip(subjects, colours, strict=True)
            if subject >= 0
        ]
        caption = _PREFIXES[prefix] + " and ".join(things)
        if scenery >= 0:
            phrase = _phrase(scenery_colour, SCENERY[scenery])
            caption += " " + _SCENERY_PHRASE[scenery].format(phrase)
        out.append(caption)
    return out


def truth(scenes: Scenes, sayings: Sayings) -> Tensor:
    """Which captions are true of which scenes, bool (scenes, captions).

    A quiet wall is neither surely white nor surely not: a caption that calls it by a name it could
    fairly have counts as true, so that it is no negative.
    """
    result = torch.ones(len(scenes), len(sayings.prefix), dtype=torch.bool)
    for place in range(2):
        subject, colour = sayings.subject[:, place], sayings.colour[:, place]
        match = torch.zeros_like(result)
        for shown in range(2):
            same = scenes.subject[:, shown, None] == subject
            same &= (colour < 0) | (scenes.term[:, shown, None] == colour)
            match |= same
        result &= match | (subject < 0)
    kind, colour = sayings.scenery, sayings.scenery_colour
    shown_term = scenes.scenery_term[:, kind.clamp(min=0)]
    quiet = (shown_term == QUIET) & _QUIET_NAMES[colour.clamp(min=0)]
    match = (shown_term != NONE) & ((colour < 0) | (shown_term == colour) | quiet)
    return result & (match | (kind < 0))
