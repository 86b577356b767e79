"""The layout of a batch of scenes: what stands where, in which colour, and what is said of it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from prompts.subjects import SUBJECT_NAMES
from reference_models.world.palette import draw_quiet, draw_terms
from reference_models.world.statistics import colour_given_subject

#: Scenery, in the order of the columns of ``Scenes.scenery_term`` and ``scenery_rgb``.
SCENERY: tuple[str, ...] = ("wall", "table", "plate", "picture frame")
WALL, TABLE, PLATE, FRAME = range(4)
#: A term of an unnamed, quiet colour; and "nothing there".
QUIET, NONE = -1, -2
#: Patterns of a second colour on a subject.
PLAIN, STRIPES, HALVES = range(3)


@dataclass(frozen=True, slots=True, eq=False)
class Scenes:
    """N scenes of up to two subjects. Drawn on the CPU; coordinates in [-1, 1], y up.

    Attributes
    ----------
    subject : int64 (N, 2)
        Index into ``SUBJECT_NAMES``, -1 for an empty place.
    term : int64 (N, 2)
        Colour drawn on the subject, index into ``COLOUR_NAMES``.
    rgb, second_rgb : float32 (N, 2, 3)
        sRGB of the subject, and of the pattern on it.
    pattern : int64 (N, 2)
        PLAIN, STRIPES or HALVES.
    coverage : float32 (N, 2)
        Share of the subject in its first colour, where there is a pattern.
    centre : float32 (N, 2, 2)
    scale, angle, aspect : float32 (N, 2)
        Half-size, turn in radians, width over height. Subjects face one way: a small model that
        sees both takes long to decide between them, and draws fish with two heads until then.
    scenery_term : int64 (N, 4)
        Colour of wall, table, plate, frame; QUIET for a quiet colour, NONE where it is not there.
    scenery_rgb : float32 (N, 4, 3)
    horizon : float32 (N,)
        Height of the table's far edge.
    light : float32 (N, 3)
        Factor on all sRGB values: brightness and cast of the light.
    says_colour : bool (N, 2)
        Whether the caption names the subject's colour.
    says_scenery : int64 (N,)
        Column of the scenery that the caption names, -1 for none.
    says_scenery_colour : bool (N,)
    """

    subject: Tensor
    term: Tensor
    rgb: Tensor
    second_rgb: Tensor
    pattern: Tensor
    coverage: Tensor
    centre: Tensor
    scale: Tensor
    angle: Tensor
    aspect: Tensor
    scenery_term: Tensor
    scenery_rgb: Tensor
    horizon: Tensor
    light: Tensor
    says_colour: Tensor
    says_scenery: Tensor
    says_scenery_colour: Tensor

    def __len__(self) -> int:
        return int(self.subject.shape[0])

    def __getitem__(self, index: slice | Tensor) -> Scenes:
        """A part of the batch."""
        return Scenes(*(getattr(self, name)[index] for name in self.__slots__))

    def to(self, device: torch.device | str) -> Scenes:
        """The same scenes on a device, where ``render`` then draws them."""
        return Scenes(*(getattr(self, name).to(device) for name in self.__slots__))


@dataclass(frozen=True, slots=True)
class Mixture:
    """How often each kind of scene is drawn. Shares are probabilities.

    Attributes
    ----------
    pair : float
        Scenes of two subjects.
    scenery : float
        Scenes of one subject whose caption names a plate, wall, frame or table.
    scenery_colour : float
        Of those, captions that name the scenery's colour too.
    colour : float
        Subjects whose colour the caption names.
    plate, frame : float
        Chance that a plate or frame stands in a scene whose caption is silent about it.
    coloured_wall : float
        Chance that a wall or table that the caption is silent about has a strong colour.
    """

    pair: float = 0.18
    scenery: float = 0.24
    scenery_colour: float = 0.75
    colour: float = 0.82
    plate: float = 0.08
    frame: float = 0.05
    coloured_wall: float = 0.08


NATURAL = Mixture()


def sample_scenes(
    n: int,
    generator: torch.Generator,
    mixture: Mixture = NATURAL,
    table: Tensor | None = None,
    subject: Tensor | None = None,
    term: Tensor | None = None,
) -> Scenes:
    """Draw ``n`` scenes.

    Parameters
    ----------
    n : int
    generator : torch.Generator
        On the CPU; the scenes are a function of its state.
    mixture : Mixture
    table : Tensor, float32 (subjects, 11), optional
        Probability of each colour given the subject; natural statistics by default.
    subject, term : Tensor, int64 (n, 2), optional
        Fix the subjects (-1 for none) and their colours.
    """
    g = generator
    table = colour_given_subject() if table is None else table

    def uniform(low: float, high: float, *shape: int) -> Tensor:
        return low + (high - low) * torch.rand(shape, generator=g)

    def chance(p: float, *shape: int) -> Tensor:
        return torch.rand(shape, generator=g) < p

    if subject is None:
        subject = torch.randint(len(SUBJECT_NAMES), (n, 2), generator=g)
        step = torch.randint(1, len(SUBJECT_NAMES), (n,), generator=g)
        subject[:, 1] = (subject[:, 0] + step) % len(SUBJECT_NAMES)
        subject[~chance(mixture.pair, n), 1] = -1
    if term is None:
        rows = table[subject.clamp(min=0).flatten()]
        term = torch.multinomial(rows, 1, generator=g).view(n, 2)
    two = subject[:, 1] >= 0

    says_scenery = torch.randint(len(SCENERY), (n,), generator=g)
    says_scenery[~chance(mixture.scenery, n) | two] = -1
    said = torch.nn.functional.one_hot(says_scenery.clamp(min=0), len(SCENERY)).bool()
    said &= (says_scenery >= 0)[:, None]
    scenery_term = torch.full((n, 4), QUIET)
    strong = chance(mixture.coloured_wall, n, 4)
    present = (
        torch.stack(
            (
                torch.ones(n, dtype=torch.bool),
                chance(0.8, n),
                chance(mixture.plate, n) & ~two,
                chance(mixture.frame, n),
            ),
            1,
        )
        | said
    )
    any_term = torch.randint(11, (n, 4), generator=g)
    named = said & chance(mixture.scenery_colour, n, 1)
    scenery_term = torch.where(strong | named, any_term, scenery_term)
    # Plates and frames always have a colour of their own; an unnamed plate is mostly white.
    own = torch.tensor([[-1, -1, 9, 7]]).expand(n, 4)
    own = torch.where(chance(0.4, n, 4) & (own >= 0), any_term, own)
    scenery_term = torch.where((scenery_term == QUIET) & (own >= 0), own, scenery_term)
    scenery_term = torch.where(present, scenery_term, torch.full_like(scenery_term, NONE))
    quiet = draw_quiet(n * 4, g).view(n, 4, 3)
    scenery_rgb = torch.where((scenery_term >= 0)[..., None], draw_terms(scenery_term, g), quiet)

    framed = scenery_term[:, FRAME] != NONE
    centre, scale = layout(two, framed, scenery_term[:, PLATE] != NONE, g)
    return Scenes(
        subject=subject,
        term=term,
        rgb=draw_terms(term, g),
        second_rgb=draw_terms(term, g),
        pattern=torch.zeros(n, 2, dtype=torch.int64),
        coverage=torch.ones(n, 2),
        centre=centre,
        scale=scale,
        angle=uniform(-0.14, 0.14, n, 2),
        aspect=uniform(0.9, 1.08, n, 2),
        scenery_term=scenery_term,
        scenery_rgb=scenery_rgb,
        horizon=uniform(-0.4, -0.15, n) + 0.1 * framed,
        light=uniform(0.95, 1.03, n, 1).expand(n, 3),
        says_colour=chance(mixture.colour, n, 2),
        says_scenery=says_scenery,
        says_scenery_colour=named.any(1),
    )


def layout(
    two: Tensor, framed: Tensor, plated: Tensor, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Where subjects stand and how large they are, so that a frame or a plate has room.

    Parameters
    ----------
    two, framed, plated : Tensor, bool (N,)
    generator : torch.Generator

    Returns
    -------
    centre : Tensor, float32 (N, 2, 2)
    scale : Tensor, float32 (N, 2)
    """
    n = len(two)

    def uniform(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(n, 2, generator=generator)

    scale = torch.where(two[:, None], uniform(0.4, 0.48), uniform(0.58, 0.76))
    scale = scale * torch.where(framed, 0.8, 1.0)[:, None] * torch.where(plated, 0.88, 1.0)[:, None]
    base = uniform(-0.74, -0.62) + 0.14 * framed[:, None] + 0.06 * plated[:, None]
    spread = torch.where(two, 0.49, 0.0)
    centre_x = (
        torch.stack((-spread, spread), 1) + uniform(-1, 1) * torch.where(two, 0.04, 0.14)[:, None]
    )
    centre_x = centre_x * torch.where(framed, 0.82, 1.0)[:, None]
    return torch.stack((centre_x, base + 0.9 * scale), -1), scale


def with_natural_bare_names(
    scenes: Scenes, generator: torch.Generator, table: Tensor, share: float = 0.9
) -> Scenes:
    """Give most subjects whose colour goes unsaid a canonical colour.

    People name the colour of what is unusual: a bare "potato" is a brown one.
    """
    silent = ~scenes.says_colour & (torch.rand(scenes.term.shape, generator=generator) < share)
    rows = table[scenes.subject.clamp(min=0).flatten()]
    natural = torch.multinomial(rows, 1, generator=generator).view(-1, 2)
    term = torch.where(silent, natural, scenes.term)
    rgb = torch.where(silent[..., None], draw_terms(term, generator), scenes.rgb)
    return replace(scenes, term=term, rgb=rgb)
