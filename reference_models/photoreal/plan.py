"""What a scene shows and what was asked for, verdict by verdict, before anything is built.

The verdicts mean what they mean in `reference_models.world.known`.
"""

from __future__ import annotations

from dataclasses import dataclass

from prompts.cells import Binding, Cell
from prompts.colours import COLOUR_NAMES
from prompts.subjects import SUBJECT_LIST, SUBJECT_NAMES
from reference_models.photoreal.draws import Draws
from reference_models.photoreal.made import MADE
from reference_models.photoreal.nature import NATURE
from reference_models.photoreal.thing import Builder

#: In turn; more of those that a photograph shows more.
TURNS: tuple[str, ...] = (
    "bound", "neighbour", "bound", "background", "mixed", "prior", "bound", "swapped", "spilled",
    "wrong", "absent", "bound",
)  # fmt: skip
THINGS: dict[str, Builder] = {**NATURE, **MADE}
#: Everyday things: some are met in training alone, some in the test set alone.
TRAIN_ONLY: frozenset[str] = frozenset({"bus", "candle", "cat", "donut", "bowl", "mushroom"})
TEST_ONLY: frozenset[str] = frozenset({"sofa", "boot", "duck", "suitcase", "pumpkin", "teapot"})
#: Colours that everyday things have when nobody asks.
_USUAL: dict[str, tuple[str, ...]] = {
    "dog": ("brown", "white"), "cat": ("gray", "black"), "sheep": ("white",),
    "teddy bear": ("brown",), "duck": ("yellow",), "mushroom": ("brown", "red"),
    "pumpkin": ("orange",), "flower": ("pink", "red"), "tree": ("green",), "bowl": ("white",),
    "vase": ("white",), "box": ("brown",), "bench": ("brown",), "suitcase": ("black", "brown"),
    "teapot": ("white",), "lamp": ("white",), "donut": ("pink", "brown"), "sofa": ("gray",),
    "boot": ("brown", "black"), "bus": ("yellow", "red"), "can": ("red",), "candle": ("white",),
}  # fmt: skip
_QUIET = frozenset({"white", "gray", "brown"})


@dataclass(frozen=True, slots=True)
class PlannedThing:
    """A thing of the scene: its name, its colour term, a second one, and how both are laid out."""

    name: str
    colour: str
    second: str | None = None
    pattern: str = "plain"


@dataclass(frozen=True, slots=True)
class ScenePlan:
    """One scene in words.

    Attributes
    ----------
    verdict : str
    asked : tuple of (colour, noun)
    drawn : tuple of PlannedThing
        The asked things first, those beside them after.
    wall, support : str or None
        Colour terms; None is a quiet surface.
    plate, frame : str or None
        Colour terms; None where there is none.
    layout : str
        ``usual``, or one of `reference_models.photoreal.hard.LAYOUTS`.
    """

    verdict: str
    asked: tuple[tuple[str, str], ...]
    drawn: tuple[PlannedThing, ...]
    wall: str | None = None
    support: str | None = None
    plate: str | None = None
    frame: str | None = None
    layout: str = "usual"

    @property
    def cell(self) -> Cell:
        """What was asked for, as a cell."""
        bindings = tuple(Binding(c, n) for c, n in self.asked)
        text = " and ".join(f"a {c} {n}" for c, n in self.asked)
        slug = "/".join(f"{c}/{n}" for c, n in self.asked)
        kind = "single" if len(bindings) == 1 else "pair"
        control = "control/" + "/".join(n for _, n in self.asked)
        return Cell(f"{kind}/{slug}", text, bindings, kind, control, (), frozenset({kind}))


def usual(name: str) -> tuple[str, ...]:
    """Canonical colours of a thing; empty where there is none."""
    known = {s.name: s.canonical for s in SUBJECT_LIST}
    return known.get(name, _USUAL.get(name, ()))


def draw_other(d: Draws, *taken: str | None) -> str:
    """A colour term that is none of those taken."""
    return d.pick([c for c in COLOUR_NAMES if c not in taken])


def _noun(d: Draws, test: bool, *taken: str) -> str:
    kept = TRAIN_ONLY if test else TEST_ONLY
    names = [n for n in THINGS if n not in kept and n not in taken]
    known = [n for n in names if n in SUBJECT_NAMES]
    return d.pick(known if d.chance(0.6) else names)


def plan_scene(index: int, d: Draws) -> ScenePlan:
    """ScenePlan the scene of a number: verdict and colour in turn, everything else drawn."""
    verdict = TURNS[index % len(TURNS)]
    colour = COLOUR_NAMES[(index // len(TURNS) + index) % len(COLOUR_NAMES)]
    name = _noun(d, d.test)
    for _ in range(50):
        if verdict != "prior" or (usual(name) and colour not in usual(name)):
            break
        name = _noun(d, d.test)
    natural = [c for c in usual(name) if c != colour]
    other = draw_other(d, colour, *usual(name))
    second_name = _noun(d, d.test, name)
    second_colour = draw_other(d, colour, other)
    shown = PlannedThing(name, colour)
    asked: tuple[tuple[str, str], ...] = ((colour, name),)
    pair = verdict in ("bound", "neighbour", "mixed", "wrong") and d.chance(0.35)
    if verdict == "prior":
        shown = PlannedThing(name, natural[0])
    elif verdict == "wrong":
        shown = PlannedThing(name, other)
    elif verdict in ("neighbour", "background"):
        shown = PlannedThing(name, natural[0] if natural and d.chance(0.6) else other)
    elif verdict == "mixed":
        second = draw_other(d, colour)
        shown = PlannedThing(name, colour, second, d.pick(("halves", "stripes", "patch")))
    drawn: tuple[PlannedThing, ...] = (shown,)
    if verdict == "swapped":
        asked = ((colour, name), (other, second_name))
        drawn = (PlannedThing(name, other), PlannedThing(second_name, colour))
    elif verdict == "absent":
        drawn = () if d.chance(0.3) else (PlannedThing(second_name, second_colour),)
    elif pair:
        # The neighbour in the asked colour may be a thing that nobody asked for.
        beside = colour if verdict == "neighbour" else second_colour
        drawn = (shown, PlannedThing(second_name, beside))
        if verdict == "bound" and d.chance(0.7):
            asked = ((colour, name), (second_colour, second_name))
    taken = {colour, *(t.colour for t in drawn), *(t.second or colour for t in drawn)}
    wall, support = (
        None if d.chance(0.6) and not taken & _QUIET else draw_other(d, *taken) for _ in range(2)
    )
    plate = frame = None
    if len(drawn) == 1 and d.chance(0.3):
        plate = draw_other(d, *taken)
    if d.chance(0.15):
        frame = draw_other(d, *taken)
    if verdict == "background":
        place = d.pick(("wall", "support", "both"))
        wall = colour if place != "support" else wall
        support = colour if place != "wall" else support
    elif verdict == "spilled" or (verdict == "neighbour" and not pair):
        places = ("plate", "frame", "wall", "support") if verdict == "spilled" else ("plate",
                  "plate", "frame")  # fmt: skip
        place = d.pick(places)
        plate = colour if place == "plate" else plate
        frame = colour if place == "frame" else frame
        wall = colour if place == "wall" else wall
        support = colour if place == "support" else support
    return ScenePlan(verdict, asked, drawn, wall, support, plate, frame)
