"""Composed pictures of every verdict: an icon in a colour, over a photograph, a wall or a plate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from bench.certificate.composites.backdrops import cut_photograph, dyed, plate, wall
from bench.certificate.composites.icon import SIDE, Icon
from bench.certificate.composites.icons import drawn_icons
from bench.certificate.scenes import Answer
from bench.judge.colour import memberships
from bench.records import VERDICTS, Generation, Regions
from prompts.cells import Binding, Cell, Sample
from prompts.colours import COLOUR_NAMES, COLOURS
from prompts.subjects import SUBJECTS
from prompts.templates import make_cell

#: Largest share of a backdrop that a photograph may have in a colour that matters.
_QUIET = 0.15
#: Verdicts that a picture can be composed for.
KNOWN_VERDICTS = tuple(verdict for verdict in VERDICTS if verdict != "unjudged")
#: Share of a mixed icon in the asked colour.
MIXED_SHARES = (0.35, 0.5)


@dataclass(frozen=True, slots=True)
class _Plan:
    """One picture in words."""

    asked: tuple[tuple[str, str], ...]
    drawn: tuple[tuple[str, str], ...]
    wall: str | None
    plate: str | None
    second: str | None = None
    share: float = 1.0


def compose(
    n: int,
    seed: int,
    icons: Sequence[Icon] | None = None,
    size: int = 256,
    verdicts: Sequence[str] = KNOWN_VERDICTS,
) -> list[Answer]:
    """Compose ``n`` pictures, all verdicts and colours in turn.

    Parameters
    ----------
    n, seed : int
    icons : sequence of Icon, optional
        Those that are drawn here, where none are given.
    size : int
        Pixels a side.
    verdicts : sequence of str

    Returns
    -------
    list of Answer
        Pictures, exact masks and true verdicts, as of `bench.certificate.scenes.known_answers`.
    """
    rng = np.random.default_rng(seed)
    by_name = {icon.subject: icon for icon in (icons or drawn_icons())}
    order = rng.permutation(list(by_name)).tolist()
    out = []
    for row in range(n):
        verdict = verdicts[row % len(verdicts)]
        colour = COLOUR_NAMES[(row // len(verdicts)) % len(COLOUR_NAMES)]
        subject = order[row % len(order)]
        out.append(
            _compose(
                _plan(verdict, subject, colour, list(by_name), rng),
                verdict,
                by_name,
                row,
                size,
                rng,
            )
        )
    return out


def _plan(
    verdict: str, subject: str, colour: str, known: list[str], rng: np.random.Generator
) -> _Plan:
    canonical = SUBJECTS[subject].canonical
    if verdict == "prior" and colour in canonical:
        colour = str(rng.choice(_others(*canonical)))
    natural = [c for c in canonical if c != colour]
    second_subject = str(rng.choice([s for s in known if s != subject]))
    other = str(rng.choice(_others(colour, *canonical)))
    shown, second, share = colour, None, 1.0
    if verdict in ("neighbour", "background"):
        shown = str(rng.choice([*natural, other]))
    elif verdict == "prior":
        shown = natural[0]
    elif verdict == "wrong":
        shown = other
    elif verdict == "mixed":
        second, share = str(rng.choice(_others(colour))), float(rng.uniform(*MIXED_SHARES))
    asked: tuple[tuple[str, str], ...] = ((colour, subject),)
    drawn: tuple[tuple[str, str], ...] = ((shown, subject),)
    if verdict == "swapped":
        asked = ((colour, subject), (other, second_subject))
        drawn = ((other, subject), (colour, second_subject))
    elif verdict == "absent":
        drawn = () if rng.random() < 0.5 else ((other, second_subject),)
    elif verdict == "bound" and rng.random() < 0.25:
        asked = drawn = ((colour, subject), (other, second_subject))
    taken = {c for c, _ in (*asked, *drawn)} | {second or colour}
    free = _others(*taken)
    on_wall = str(rng.choice(free)) if rng.random() < 0.3 else None
    on_plate = str(rng.choice(free)) if len(drawn) < 2 and rng.random() < 0.4 else None
    if verdict in ("background", "spilled"):
        on_wall, on_plate = colour, None
    if verdict == "neighbour" or (verdict == "spilled" and rng.random() < 0.5):
        on_plate = colour
        on_wall = on_wall if on_wall != colour else None
    return _Plan(asked, drawn, on_wall, on_plate, second, share)


def _others(*taken: str) -> list[str]:
    return [name for name in COLOUR_NAMES if name not in taken]


def _compose(
    plan: _Plan, verdict: str, icons: dict[str, Icon], row: int, size: int, rng: np.random.Generator
) -> Answer:
    cell = _cell(plan.asked)
    picture = _backdrop(plan, size, rng)
    ground = np.ones((size, size))
    places = _places(len(plan.drawn), plan.plate is not None, size, rng)
    neighbours: dict[str, np.ndarray] = {}
    if plan.plate is not None:
        y, x, side = places[0] if places else (size / 2, size / 2, 0.5 * size)
        reach = (side * rng.uniform(0.62, 0.8), side * rng.uniform(0.72, 0.85))
        layer, mask = plate(size, _paint(plan.plate, rng), (y + 0.08 * side, x), reach)
        picture = picture * (1 - mask[..., None]) + layer * mask[..., None]
        ground = ground * (1 - mask)
        neighbours["plate"] = mask
    masks: dict[str, np.ndarray] = {}
    painted = 0.0
    for number, ((colour, subject), place) in enumerate(zip(plan.drawn, places, strict=True)):
        layer, mask, share = _painted(icons[subject], colour, plan, number, place, size, rng)
        picture = picture * (1 - mask[..., None]) + layer * mask[..., None]
        ground = ground * (1 - mask)
        for name in neighbours:
            neighbours[name] = neighbours[name] * (1 - mask)
        masks[subject] = mask
        if number == 0:
            painted = share
    image = np.zeros((size, size, 3), np.uint8)
    if verdict != "invalid":
        image = np.round(picture).clip(0, 255).astype(np.uint8)
    empty = np.zeros((size, size))
    asked = [subject for _, subject in plan.asked]
    others = [mask for subject, mask in masks.items() if subject not in asked]
    if others:
        neighbours["other"] = np.maximum.reduce(others)
    return Answer(
        Generation(Sample(cell, row), image),
        Regions(
            subjects=tuple(asked),
            masks=np.stack([masks.get(s, empty) for s in asked]).astype(np.float32),
            found=np.array([float(s in masks) for s in asked], np.float32),
            neighbours=tuple(neighbours),
            neighbour_masks=(
                np.stack(list(neighbours.values())) if neighbours else np.zeros((0, size, size))
            ).astype(np.float32),
            background=ground.astype(np.float32),
            segmenter="exact",
        ),
        tuple([verdict] * len(plan.asked)),
        painted if verdict in ("bound", "spilled", "mixed") else 0.0,
    )


def _cell(requested: tuple[tuple[str, str], ...]) -> Cell:
    bindings = [Binding(colour, subject) for colour, subject in requested]
    return make_cell("single" if len(bindings) == 1 else "pair", bindings)


def _backdrop(plan: _Plan, size: int, rng: np.random.Generator) -> np.ndarray:
    """A photograph in which no colour that matters stands out, a dyed one, or a wall."""
    if plan.wall is not None:
        paint = _paint(plan.wall, rng)
        flat = rng.random() < 0.5
        return wall(rng, size, paint) if flat else dyed(cut_photograph(rng, size), paint)
    matter = {COLOUR_NAMES.index(c) for c, _ in (*plan.asked, *plan.drawn)}
    for _ in range(20):
        photo = cut_photograph(rng, size)
        shares = memberships(photo[::4, ::4].round().clip(0, 255).astype(np.uint8)).mean((0, 1))
        if max(shares[term] for term in matter) < _QUIET:
            return photo
    free = [c for c in COLOUR_NAMES if COLOUR_NAMES.index(c) not in matter]
    return dyed(cut_photograph(rng, size), _paint(str(rng.choice(free)), rng))


def _places(
    count: int, plated: bool, size: int, rng: np.random.Generator
) -> list[tuple[float, float, float]]:
    """Middle (y, x) and side of each icon, in pixels; two stand side by side."""
    if count == 2:
        side = size * rng.uniform(0.36, 0.45)
        xs = (0.27 * size, 0.73 * size) if rng.random() < 0.5 else (0.73 * size, 0.27 * size)
        return [(size * rng.uniform(0.4, 0.6), x, side) for x in xs]
    side = size * (rng.uniform(0.4, 0.52) if plated else rng.uniform(0.42, 0.7))
    reach = 0.5 * (size - side * (1.7 if plated else 1.0))
    return [
        (size / 2 + rng.uniform(-1, 1) * reach, size / 2 + rng.uniform(-1, 1) * reach, side)
        for _ in range(count)
    ]


def _painted(
    icon: Icon,
    colour: str,
    plan: _Plan,
    number: int,
    place: tuple[float, float, float],
    size: int,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray, float]:
    """An icon in its paint at its place: picture, mask, and the share of it that is painted."""
    paint = np.broadcast_to(_paint(colour, rng), (SIDE, SIDE, 3))
    share = 1.0
    if number == 0 and plan.second is not None:
        second = _second_paint(icon.body, plan.share, rng)
        share = 1 - float((second * icon.body).sum() / icon.body.sum())
        paint = np.where(second[..., None], _paint(plan.second, rng), paint)
    tone = icon.colour.astype(np.float64).mean(-1) / 200 - 1
    depth = 0.5 if rng.random() < 0.5 else 1.0
    light = depth * tone
    if rng.random() < 0.5:  # shaded: light from the upper left
        rows, columns = np.mgrid[:SIDE, :SIDE] / SIDE - 0.5
        light = light - rng.uniform(0.1, 0.3) * (rows + columns)
    body = np.clip(paint * (1 + light[..., None]) + 8 * light[..., None], 0, 255)
    rgb = np.where((icon.body > 0.5)[..., None], body, icon.colour)
    layer = np.dstack([rgb * icon.mask[..., None], icon.mask * 255])
    layer = layer[:, ::-1] if rng.random() < 0.5 else layer
    y, x, side = place
    angle = rng.uniform(-15, 15)
    placed = [_placed(layer[..., k], y, x, side, angle, size) for k in range(4)]
    mask = np.clip(placed[3] / 255, 0, 1)
    picture = np.stack(placed[:3], -1) / np.maximum(mask, 1e-3)[..., None]
    return picture.clip(0, 255), mask, share * float(icon.body.sum() / icon.mask.sum())


def _placed(
    layer: np.ndarray, y: float, x: float, side: float, angle: float, size: int
) -> np.ndarray:
    """One channel turned, scaled and set down on an empty canvas."""
    c, s = np.cos(np.radians(angle)) * SIDE / side, np.sin(np.radians(angle)) * SIDE / side
    half = SIDE / 2
    matrix = (c, s, half - c * x - s * y, -s, c, half + s * x - c * y)
    image = Image.fromarray(layer.astype(np.float32))
    return np.asarray(
        image.transform((size, size), Image.Transform.AFFINE, matrix, Image.Resampling.BICUBIC)
    )


def _second_paint(body: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    """Where the second paint lies, so that the first keeps ``share`` of the body."""
    rows, columns = np.mgrid[:SIDE, :SIDE]
    angle = rng.uniform(0, np.pi)
    along = rows * np.sin(angle) + columns * np.cos(angle)
    if rng.random() < 0.5:
        along = along % (SIDE * rng.uniform(0.18, 0.3))
    inside = np.sort(along[body > 0.5])
    return along > inside[int(share * (len(inside) - 1))]


def _paint(colour: str, rng: np.random.Generator) -> np.ndarray:
    """A paint of the term: its prototype, a little darker, paler or off in hue."""
    base = np.array(COLOURS[colour].srgb, np.float64)
    spread = 4 if COLOURS[colour].achromatic else 14
    return np.clip(base * rng.uniform(0.94, 1.04) + rng.uniform(-spread, spread, 3), 0, 255)
