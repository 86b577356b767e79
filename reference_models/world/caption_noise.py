"""Captions as the web has them: they are true of the picture, but not word for word.

Alternative texts name a colour that is somewhere in the picture, leave words out, list words in any
order and say nothing of what stands around. Each such fault has a share here; all are zero for
clean captions.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass, replace

import torch
from torch import Tensor

from reference_models.world.palette import draw_terms
from reference_models.world.scene import FRAME, NONE, PLATE, Scenes, layout


@dataclass(frozen=True, slots=True)
class CaptionNoise:
    """Shares of captions that are not word for word what the picture shows; probabilities.

    Attributes
    ----------
    loose : float
        Of the captions that name one subject and a colour: the colour is that of a place (wall,
        table, plate or picture frame) and the subject has a canonical colour. "A blue potato" is
        then a brown one before a blue wall, and a blue potato is never drawn for it.
    wall, table, plate, frame : float
        How often each place has the loose colour, relative to the others.
    exchanged : float
        Of the captions that name two coloured subjects: each colour stands before the other noun.
        Never where that would say a pair that is never shown.
    matching : float
        Of the other captions that name one subject and a colour: a place has that colour too, as
        things are photographed on what goes with them.
    silent : float
        Of the captions that name a place: they leave it out, though it is there.
    dropped : float
        Chance of each word to be left out.
    shuffled : float
        Captions whose words stand in any order, a bag of words.
    """

    loose: float = 0.0
    wall: float = 0.35
    table: float = 0.15
    plate: float = 0.25
    frame: float = 0.25
    exchanged: float = 0.0
    matching: float = 0.0
    silent: float = 0.0
    dropped: float = 0.0
    shuffled: float = 0.0

    def __post_init__(self) -> None:
        for name, share in zip(self.__slots__, astuple(self), strict=True):
            if not 0 <= share <= 1:
                raise ValueError(f"{name} is {share}; expected a probability from 0 to 1")
        if not self.wall + self.table + self.plate + self.frame:
            raise ValueError("no place for loose colours; expected wall, table, plate or frame > 0")


CLEAN = CaptionNoise()


def misdescribed(
    scenes: Scenes,
    noise: CaptionNoise,
    table: Tensor,
    canonical: Tensor,
    generator: torch.Generator,
) -> tuple[Scenes, Scenes]:
    """Scenes as they are drawn, and as their captions have them.

    Parameters
    ----------
    scenes : Scenes
        With captions that are true word for word.
    noise : CaptionNoise
    table, canonical : Tensor, float32 (subjects, 11)
        Probability of each colour given the subject: of all scenes, whose zeros no caption says,
        and of those in which the subject's colour is nothing that a caption would mention.
    generator : torch.Generator

    Returns
    -------
    drawn, described : Scenes
        The first for ``render``, the second for ``token_ids``.
    """
    n = len(scenes)

    def chance(share: float) -> Tensor:
        return torch.rand(n, generator=generator) < share

    described = scenes
    if noise.silent:
        quiet = torch.where(chance(noise.silent), -1, scenes.says_scenery)
        scenes = described = replace(scenes, says_scenery=quiet)
    if noise.exchanged:
        described = _exchanged(scenes, chance(noise.exchanged), table)
    named = (scenes.subject[:, 1] < 0) & scenes.says_colour[:, 0]
    if noise.loose:
        loose = named & chance(noise.loose)
        scenes = _with_places(scenes, loose, noise, generator)
        own = torch.multinomial(canonical[scenes.subject[:, 0]], 1, generator=generator)
        own = torch.cat((own, scenes.term[:, 1:]), 1)
        term = torch.where(loose[:, None], own, scenes.term)
        rgb = torch.where(loose[:, None, None], draw_terms(term, generator), scenes.rgb)
        scenes = replace(scenes, term=term, rgb=rgb)
        named &= ~loose
    if noise.matching:
        scenes = _with_places(scenes, named & chance(noise.matching), noise, generator)
    # A caption that names a place whose colour has gone elsewhere says nothing of its colour.
    kind = scenes.says_scenery.clamp(min=0)[:, None]
    same = scenes.scenery_term.gather(1, kind) == described.scenery_term.gather(1, kind)
    return scenes, replace(
        described, says_scenery_colour=described.says_scenery_colour & same[:, 0]
    )


def _with_places(
    scenes: Scenes, which: Tensor, noise: CaptionNoise, generator: torch.Generator
) -> Scenes:
    """The scenes ``which`` (N,) with a place in the first subject's colour."""
    n = len(scenes)
    shares = torch.tensor([noise.wall, noise.table, noise.plate, noise.frame]).float()
    place = torch.multinomial(shares, n, replacement=True, generator=generator)
    there = torch.nn.functional.one_hot(place, 4).bool() & which[:, None]
    colour = scenes.term[:, :1].expand(n, 4)
    term = torch.where(there, colour, scenes.scenery_term)
    rgb = torch.where(there[..., None], draw_terms(colour, generator), scenes.scenery_rgb)
    framed, plated = term[:, FRAME] != NONE, term[:, PLATE] != NONE
    centre, scale = layout(scenes.subject[:, 1] >= 0, framed, plated, generator)
    return replace(
        scenes,
        scenery_term=term,
        scenery_rgb=rgb,
        centre=torch.where(which[:, None, None], centre, scenes.centre),
        scale=torch.where(which[:, None], scale, scenes.scale),
    )


def _exchanged(scenes: Scenes, which: Tensor, table: Tensor) -> Scenes:
    """The scenes with the colours of two subjects exchanged, where both are named and shown."""
    term = scenes.term.flip(1)
    shown = table[scenes.subject.clamp(min=0), term] > 0
    which = which & (scenes.subject[:, 1] >= 0) & scenes.says_colour.all(1) & shown.all(1)
    return replace(scenes, term=torch.where(which[:, None], term, scenes.term))


def noisy_ids(ids: Tensor, noise: CaptionNoise, generator: torch.Generator) -> Tensor:
    """Token ids (N, L) with words dropped and shuffled, padded with 0 at the end again."""
    if noise.dropped:
        ids = torch.where(torch.rand(ids.shape, generator=generator) < noise.dropped, 0, ids)
    order = torch.arange(ids.shape[1]).expand(ids.shape).float()
    if noise.shuffled:
        bag = torch.rand(len(ids), 1, generator=generator) < noise.shuffled
        order = torch.where(bag, torch.rand(ids.shape, generator=generator), order)
    # Padding comes last: its place in the order is beyond that of every word.
    return ids.gather(1, (order + ids.shape[1] * (ids == 0)).argsort(1))
