"""Pictures with a leak that is known, or none, each beside its control: one layout, drawn twice.

What the word did is known: the wall, the table, a patch of the wall, the plate, the frame or
another thing took the asked colour, or nothing did. The control is the picture of the prompt
without the colour: everything there has a colour of its own, a plate or a frame may be missing, the
thing stands a little elsewhere and is a little larger or smaller, and what has one colour in both
differs a little, as it does in pictures that begin with the same noise. Some things that took the
colour have a halo of it, which is no leak.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch

from bench.certificate.scenes import Answer, Conditions, answers_of, compressed
from prompts.cells import Binding, Cell
from prompts.colours import COLOUR_NAMES
from prompts.subjects import SUBJECT_NAMES, SUBJECTS
from reference_models.world.known import Known, SceneWords, cell_of, scaled, scenes_of
from reference_models.world.palette import draw_terms
from reference_models.world.scene import Scenes

#: Where leaks go, in turn. Every other scene has none.
LEAKS: tuple[str, ...] = ("wall", "plate", "table", "frame", "patch", "other")
#: Colours of walls and tables that the quiet ones of the world may be called by.
_PALE = frozenset({"white", "gray", "pink", "brown", "yellow", "orange"})
#: Area of a patch of the ground over that of the subject. White and gray ones are shade and light.
_PATCH = (0.5, 1.0)
#: A halo of the subject's own colour, which is no leak: chance of one, the deviation of its blur
#: in shares of the side, and how strong it is at the outline.
_HALO, _HALO_WIDTH, _HALO_STRENGTH = 0.3, (0.01, 0.03), 0.9
#: By how much the control's subject differs: of its scale, and shift in units of half the picture.
_SCALE, _SHIFT = 0.15, 0.08
#: Chance that a plate or a frame of the picture is not there in the control.
_MISSING = 0.3


@dataclass(frozen=True, slots=True, eq=False)
class LeakPair:
    """A picture, its control, and where the asked colour leaked.

    Attributes
    ----------
    picture, control : Answer
    leak : str
        Of `LEAKS`, or empty.
    """

    picture: Answer
    control: Answer
    leak: str


@dataclass(frozen=True, slots=True)
class _PairPlan:
    picture: SceneWords
    control: SceneWords
    leak: str
    patch: float
    halo: float


def leak_pairs(n: int, seed: int, conditions: Conditions) -> list[LeakPair]:
    """Draw ``n`` pairs; the colours, and the places of leaks, in turn.

    Parameters
    ----------
    n : int
    seed : int
    conditions : Conditions
        Size, JPEG quality and scale are those of both pictures.
    """
    g = torch.Generator().manual_seed(seed)
    plans = [_plan(k, g) for k in range(n)]
    scenes = scenes_of([plan.picture for plan in plans], g)
    low, high = conditions.scale
    scenes = scaled(scenes, low + (high - low) * torch.rand(n, 1, generator=g))
    control = _control(scenes, [plan.control for plan in plans], g)
    cells = [cell_of(plan.picture) for plan in plans]
    verdicts = tuple((_verdict(plan),) for plan in plans)
    pictures = _answers(Known(scenes, tuple(cells), verdicts, torch.zeros(n)), conditions)
    bare = tuple(map(_without_colour, cells))
    controls = _answers(Known(control, bare, (("prior",),) * n, torch.zeros(n)), conditions)
    pairs = []
    for plan, picture, other in zip(plans, pictures, controls, strict=True):
        image = _blotched(picture, plan, g)
        picture, other = (
            replace(one, generation=replace(
                one.generation, image=compressed(shown, conditions.jpeg)))
            for one, shown in ((picture, image), (other, other.generation.image))
        )  # fmt: skip
        pairs.append(LeakPair(picture, other, plan.leak))
    return pairs


def _answers(known: Known, conditions: Conditions) -> list[Answer]:
    raw = replace(conditions, jpeg=None)
    return [answer for batch in answers_of(known, raw) for answer in batch]


def _without_colour(cell: Cell) -> Cell:
    bindings = tuple(Binding(None, one.subject) for one in cell.bindings)
    text = " and ".join(f"a {one.subject}" for one in bindings)
    return replace(cell, id=cell.control_id, text=text, bindings=bindings, template="control")


def _verdict(plan: _PairPlan) -> str:
    (colour, _), (shown, _) = plan.picture.asked[0], plan.picture.drawn[0]
    if colour == shown:
        return "spilled" if plan.leak else "bound"
    if plan.leak:
        return "background" if plan.leak in ("wall", "table", "patch") else "neighbour"
    return "prior"


def _blotched(answer: Answer, plan: _PairPlan, g: torch.Generator) -> np.ndarray:
    """The picture with its patch or its halo of the asked colour, if it has one."""
    from scipy.ndimage import distance_transform_edt, gaussian_filter

    image, mask = answer.generation.image, answer.regions.masks[0]
    if not plan.patch and not plan.halo:
        return image
    term = torch.tensor(COLOUR_NAMES.index(plan.picture.asked[0][0]))
    rgb = (255 * draw_terms(term, g)).numpy()
    if plan.patch:
        ground = answer.regions.background
        room = distance_transform_edt(np.pad(ground > 0.5, 1))[1:-1, 1:-1]
        row, column = np.unravel_index(int(room.argmax()), room.shape)
        y, x = np.ogrid[: image.shape[0], : image.shape[1]]
        squared = (y - row) ** 2 + (x - column) ** 2
        share = ground * (np.pi * squared <= plan.patch * mask.sum())
    else:
        around = 2 * gaussian_filter(mask, plan.halo * image.shape[1])
        share = _HALO_STRENGTH * np.minimum(around, 1.0) * (1 - mask)
    return np.asarray((image + (rgb - image) * share[..., None]).round().astype(np.uint8))


def _pick(options: list[str], g: torch.Generator) -> str:
    return options[int(torch.randint(len(options), (1,), generator=g))]


def _plan(k: int, g: torch.Generator) -> _PairPlan:
    """The two scenes of a pair in words."""

    def chance(share: float) -> bool:
        return float(torch.rand(1, generator=g)) < share

    leak = LEAKS[k // 2 % len(LEAKS)] if k % 2 else ""
    colour = COLOUR_NAMES[k // 2 % len(COLOUR_NAMES)]
    if leak == "patch" and colour in ("white", "gray"):
        leak = "wall"
    subject, other = (SUBJECT_NAMES[i] for i in torch.randperm(len(SUBJECT_NAMES), generator=g)[:2])
    natural, own = (
        _pick([c for c in (*SUBJECTS[noun].canonical, "gray") if c != colour][:1] or ["brown"], g)
        for noun in (subject, other)
    )
    shown = colour if chance(0.5) else natural
    rest = [c for c in COLOUR_NAMES if c not in (colour, natural)]
    quiet = colour not in _PALE and natural not in _PALE
    places: dict[str, str | None] = {
        place: None if quiet and chance(0.6) else _pick(rest, g) for place in ("wall", "table")
    }
    two = leak == "other" or (not leak and chance(0.15))
    for place, often, usual in (("plate", 0.4, "white"), ("frame", 0.3, "brown")):
        there = place == leak or (chance(often) and not two)
        options = rest if chance(0.5) or usual == colour else [usual]
        places[place] = _pick(options, g) if there else None
    if not leak and chance(0.2):
        # What has the colour without the word.
        places[_pick([place for place, its in places.items() if its] or ["wall"], g)] = colour
    changed = dict(places)
    if leak in places:
        changed[leak] = colour
        if leak == "wall" and chance(0.4):
            changed["table"] = colour
    for place in ("plate", "frame"):
        if places[place] and chance(_MISSING) and places[place] != colour:
            places[place] = None
    asked = ((colour, subject),)
    drawn = ((shown, subject), (colour if leak == "other" else own, other))[: 1 + two]
    usual_drawn = ((natural, subject), (own, other))[: 1 + two]
    patch = halo = 0.0
    if leak == "patch":
        patch = _PATCH[0] + (_PATCH[1] - _PATCH[0]) * float(torch.rand(1, generator=g))
    elif not leak and shown == colour and chance(_HALO):
        low, high = _HALO_WIDTH
        halo = low + (high - low) * float(torch.rand(1, generator=g))
    picture, control = (
        SceneWords(asked, things, its["wall"], its["table"], its["plate"], its["frame"])
        for things, its in ((drawn, changed), (usual_drawn, places))
    )
    return _PairPlan(picture, control, leak, patch, halo)


def _control(scenes: Scenes, plans: list[SceneWords], g: torch.Generator) -> Scenes:
    """The same layout in the control's colours: what has one colour in both hardly differs."""
    n = len(scenes)
    own = scenes_of(plans, g)
    same = (own.term == scenes.term)[..., None]
    alike = (own.scenery_term == scenes.scenery_term)[..., None]
    near = 0.7 * scenes.scenery_rgb + 0.3 * own.scenery_rgb
    shift = _SHIFT * (2 * torch.rand(n, 1, 2, generator=g) - 1)
    moved = replace(
        scenes,
        term=own.term,
        rgb=torch.where(same, 0.7 * scenes.rgb + 0.3 * own.rgb, own.rgb),
        scenery_term=own.scenery_term,
        scenery_rgb=torch.where(alike, near, own.scenery_rgb),
        centre=scenes.centre + shift,
    )
    return scaled(moved, 1 + _SCALE * (2 * torch.rand(n, 1, generator=g) - 1))
