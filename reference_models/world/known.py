"""Scenes whose verdict is decided before they are drawn: what the scorers are judged on.

For each verdict of the suite there is a layout that a person would call by that name: the potato
is blue (bound), the potato and the wall are blue (spilled), the plate is (neighbour), the wall is
(background), half the potato is (mixed), nothing is and the potato is brown (prior), the potato and
the cup have each other's colours (swapped), nothing is and the potato is green (wrong), there is no
potato (absent), the picture is black (invalid).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from prompts.cells import Binding, Cell
from prompts.colours import COLOUR_NAMES
from prompts.subjects import SUBJECT_LIST, SUBJECT_NAMES
from reference_models.world.palette import draw_quiet, draw_terms
from reference_models.world.render import Rendered, render
from reference_models.world.scene import (
    FRAME,
    HALVES,
    NONE,
    PLATE,
    QUIET,
    STRIPES,
    TABLE,
    WALL,
    Mixture,
    Scenes,
    sample_scenes,
)

#: Those of `bench.records.VERDICTS` that a scene can show, in their order; a test keeps them alike.
KNOWN_VERDICTS: tuple[str, ...] = (
    "bound", "spilled", "neighbour", "background", "mixed",
    "prior", "swapped", "wrong", "absent", "invalid",
)  # fmt: skip
#: Terms that a quiet wall may be called by; a colour asked for from these needs a loud wall.
_QUIET_TERMS = frozenset({"white", "gray", "pink", "brown", "yellow", "orange"})
#: Shares of the asked colour on a subject that is to be called mixed.
MIXED_SHARES = (0.35, 0.5)


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """N scenes, what was "asked for" in them, and what the judge must say.

    Attributes
    ----------
    scenes : Scenes
    cells : tuple of Cell, N
    verdicts : tuple of tuple of str
        For each scene the verdict of each binding.
    painted : Tensor, float32 (N,)
        Share of the first subject's coloured part that wears the asked colour.
    """

    scenes: Scenes
    cells: tuple[Cell, ...]
    verdicts: tuple[tuple[str, ...], ...]
    painted: Tensor

    def __getitem__(self, rows: slice) -> Known:
        """Some of the scenes."""
        return Known(self.scenes[rows], self.cells[rows], self.verdicts[rows], self.painted[rows])

    def draw(self, size: int = 64) -> Rendered:
        """Render the scenes; invalid ones come out black."""
        rendered = render(self.scenes, size)
        black = torch.tensor([v[0] == "invalid" for v in self.verdicts])
        return replace(rendered, image=torch.where(black[:, None, None, None], 0.0, rendered.image))


def _pick(options: list[str], generator: torch.Generator) -> str:
    return options[int(torch.randint(len(options), (1,), generator=generator))]


def _others(*taken: str) -> list[str]:
    return [name for name in COLOUR_NAMES if name not in taken]


@dataclass(frozen=True, slots=True)
class SceneWords:
    """One scene in words, before it becomes numbers.

    Attributes
    ----------
    asked, drawn : tuple of (str, str)
        Colour and subject of each thing of the prompt, and of each that is there.
    wall, table : str or None
        Colours; None for a quiet one.
    plate, frame : str or None
        Colours; None where there is none.
    second : str or None
        Another colour of the first subject.
    share : float
        Of the first subject in its first colour.
    """

    asked: tuple[tuple[str, str], ...]
    drawn: tuple[tuple[str, str], ...]
    wall: str | None
    table: str | None
    plate: str | None = None
    frame: str | None = None
    second: str | None = None
    share: float = 1.0


def _plan(
    verdict: str, subject: str, colour: str, g: torch.Generator, clutter: float = 0.3
) -> SceneWords:
    canonical = next(s.canonical for s in SUBJECT_LIST if s.name == subject)
    natural = [c for c in canonical if c != colour]
    other_subject = _pick([s for s in SUBJECT_NAMES if s != subject], g)
    other = _pick(_others(colour, *canonical), g)
    shown, second, share = colour, None, 1.0
    if verdict in ("neighbour", "background"):
        shown = _pick([*natural, other], g)
    elif verdict == "prior":
        shown = natural[0]
    elif verdict == "wrong":
        shown = other
    elif verdict == "mixed":
        second = _pick(_others(colour), g)
        low, high = MIXED_SHARES
        share = low + (high - low) * float(torch.rand(1, generator=g))
    asked: tuple[tuple[str, str], ...] = ((colour, subject),)
    drawn: tuple[tuple[str, str], ...] = ((shown, subject),)
    if verdict == "swapped":
        asked = ((colour, subject), (other, other_subject))
        drawn = ((other, subject), (colour, other_subject))
    elif verdict == "absent":
        drawn = () if float(torch.rand(1, generator=g)) < 0.4 else ((other, other_subject),)
    elif verdict == "bound" and float(torch.rand(1, generator=g)) < 0.3:
        asked = drawn = ((colour, subject), (other, other_subject))
    taken = {colour, *(c for c, _ in drawn), second or colour}
    loud = _pick(_others(*taken), g)
    quiet = colour not in _QUIET_TERMS and not taken & {"white", "gray"}
    wall = None if quiet and float(torch.rand(1, generator=g)) < 0.6 else loud
    table = None if quiet and float(torch.rand(1, generator=g)) < 0.6 else _pick(_others(*taken), g)
    plate = frame = None
    single = len(drawn) == 1
    if single and float(torch.rand(1, generator=g)) < clutter:
        plate = _pick(_others(*taken), g)
    if clutter > 0.3 and float(torch.rand(1, generator=g)) < clutter:
        frame = _pick(_others(*taken), g)
    if verdict == "background":
        wall = colour
        table = colour if float(torch.rand(1, generator=g)) < 0.4 else table
    elif verdict == "neighbour" or verdict == "spilled":
        place = _pick(
            ["plate", "frame"] if verdict == "neighbour" else ["plate", "frame", "wall"], g
        )
        plate = colour if place == "plate" else plate if clutter > 0.3 else None
        frame = colour if place == "frame" else frame
        if place == "wall":
            wall, table = colour, colour if float(torch.rand(1, generator=g)) < 0.5 else table
    return SceneWords(asked, drawn, wall, table, plate, frame, second, share)


def known_scenes(
    n: int,
    generator: torch.Generator,
    verdicts: tuple[str, ...] = KNOWN_VERDICTS,
    light: tuple[float, float] = (0.95, 1.03),
    cast: float = 0.0,
    scale: tuple[float, float] = (1.0, 1.0),
    clutter: float = 0.3,
) -> Known:
    """Draw ``n`` scenes, the verdicts, colours and subjects taken in turn so that all are met.

    Parameters
    ----------
    n : int
    generator : torch.Generator
    verdicts : tuple of str
    light : (float, float)
        Range of the brightness of the light.
    cast : float
        Largest relative change of a colour channel: the cast of the light.
    scale : (float, float)
        Range of the factor on the size of the subjects.
    clutter : float
        Chance of a plate of some other colour; above 0.3 also of a picture frame.
    """
    plans, kinds = [], []
    shift = int(torch.randint(len(SUBJECT_NAMES), (1,), generator=generator))
    for k in range(n):
        verdict = verdicts[k % len(verdicts)]
        round_ = k // len(verdicts)
        colour = COLOUR_NAMES[round_ % len(COLOUR_NAMES)]
        subject = SUBJECT_LIST[
            (shift + 5 * round_ + 7 * k + round_ // len(COLOUR_NAMES)) % len(SUBJECT_LIST)
        ]
        if verdict == "prior" and set(subject.canonical) <= {colour}:
            subject = next(s for s in SUBJECT_LIST if colour not in s.canonical)
        plans.append(_plan(verdict, subject.name, colour, generator, clutter))
        kinds.append(verdict)
    scenes = scenes_of(plans, generator)
    brightness = light[0] + (light[1] - light[0]) * torch.rand(n, 1, generator=generator)
    tint = 1 + cast * (2 * torch.rand(n, 3, generator=generator) - 1)
    scenes = replace(scenes, light=brightness * tint)
    if scale != (1.0, 1.0):
        factor = scale[0] + (scale[1] - scale[0]) * torch.rand(n, 1, generator=generator)
        scenes = scaled(scenes, factor)
    expected = tuple((kind,) * len(plan.asked) for kind, plan in zip(kinds, plans, strict=True))
    painted = torch.tensor(
        [
            0.0
            if not p.drawn or p.drawn[0][1] != p.asked[0][1] or p.drawn[0][0] != p.asked[0][0]
            else p.share
            for p in plans
        ]
    )
    return Known(scenes, tuple(cell_of(p) for p in plans), expected, painted)


def scaled(scenes: Scenes, factor: Tensor) -> Scenes:
    """Subjects of another size, by a factor (N, 1), standing where they stood."""
    foot = scenes.centre[..., 1] - 0.9 * scenes.scale
    size = scenes.scale * factor
    centre = torch.stack((scenes.centre[..., 0], foot + 0.9 * size), -1)
    return replace(scenes, scale=size, centre=centre)


def cell_of(plan: SceneWords) -> Cell:
    """The prompt of a planned scene."""
    bindings = tuple(Binding(colour, subject) for colour, subject in plan.asked)
    text = " and ".join(f"a {colour} {subject}" for colour, subject in plan.asked)
    slug = "/".join(f"{colour}/{subject}" for colour, subject in plan.asked)
    kind = "single" if len(bindings) == 1 else "pair"
    control = "/".join(subject for _, subject in plan.asked)
    return Cell(f"{kind}/{slug}", text, bindings, kind, f"control/{control}", (), frozenset({kind}))


def scenes_of(plans: list[SceneWords], g: torch.Generator) -> Scenes:
    """Lay planned scenes out, and draw the colours that they name."""
    n = len(plans)
    subject = torch.full((n, 2), -1)
    term = torch.zeros(n, 2, dtype=torch.int64)
    second = torch.zeros(n, 2, dtype=torch.int64)
    pattern = torch.zeros(n, 2, dtype=torch.int64)
    coverage = torch.ones(n, 2)
    scenery = torch.full((n, 4), NONE)
    for row, plan in enumerate(plans):
        for place, (colour, name) in enumerate(plan.drawn):
            subject[row, place] = SUBJECT_NAMES.index(name)
            term[row, place] = COLOUR_NAMES.index(colour)
        if plan.second is not None:
            second[row, 0] = COLOUR_NAMES.index(plan.second)
            pattern[row, 0] = STRIPES if row % 2 else HALVES
            coverage[row, 0] = plan.share
        for column, there in ((WALL, plan.wall), (TABLE, plan.table)):
            scenery[row, column] = QUIET if there is None else COLOUR_NAMES.index(there)
        for column, there in ((PLATE, plan.plate), (FRAME, plan.frame)):
            scenery[row, column] = NONE if there is None else COLOUR_NAMES.index(there)
    # Layout depends on what stands in the scene: have it drawn with the scenery in place.
    bare = Mixture(pair=0, scenery=0, plate=0, frame=0, coloured_wall=0)
    scenes = sample_scenes(n, g, bare, subject=subject, term=term)
    framed, plated = scenery[:, FRAME] != NONE, scenery[:, PLATE] != NONE
    factor = torch.where(framed, 0.8, 1.0) * torch.where(plated, 0.88, 1.0)
    lift = 0.14 * framed + 0.06 * plated
    foot = scenes.centre[..., 1] - 0.9 * scenes.scale + lift[:, None]
    scale = scenes.scale * factor[:, None]
    centre = torch.stack(
        (scenes.centre[..., 0] * torch.where(framed, 0.82, 1.0)[:, None], foot + 0.9 * scale), -1
    )
    rgb = torch.where(
        (scenery >= 0)[..., None], draw_terms(scenery, g), draw_quiet(4 * n, g).view(n, 4, 3)
    )
    return replace(
        scenes,
        pattern=pattern,
        coverage=coverage,
        second_rgb=draw_terms(second, g),
        scenery_term=scenery,
        scenery_rgb=rgb,
        scale=scale,
        centre=centre,
    )
