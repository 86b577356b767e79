"""Scenes for training alone that show what a segmenter finds hard; the test set has none of them.

Small things, things that touch, crowds, close-ups and things of several colours on plates, each
with any noun equally often.
"""

from __future__ import annotations

from prompts.colours import COLOUR_NAMES
from reference_models.photoreal.draws import Draws
from reference_models.photoreal.plan import (
    TEST_ONLY,
    THINGS,
    PlannedThing,
    ScenePlan,
    draw_other,
    usual,
)

#: In turn.
LAYOUTS: tuple[str, ...] = ("small", "touching", "crowd", "plate", "small", "close", "crowd")
#: Things with a brim, a foot or a filling that is easily taken for the plate below them.
_ON_PLATES = (
    "hat", "lamp", "cup", "vase", "bottle", "umbrella", "bowl", "egg", "fish", "eggplant", "flower",
    "clock", "mushroom", "candle",
)  # fmt: skip


def plan_hard(index: int, d: Draws) -> ScenePlan:
    """Plan a hard scene of a number: layout in turn, everything else drawn.

    Raises
    ------
    ValueError
        The draws are those of the test set.
    """
    if d.test:
        raise ValueError(
            "hard scenes are for training; expected draws that are not of the test set"
        )
    layout = LAYOUTS[index % len(LAYOUTS)]
    nouns = [noun for noun in THINGS if noun not in TEST_ONLY]
    count = {"touching": 2, "crowd": 3 + int(d.rng.integers(4)), "plate": 1}.get(layout)
    if count is None:
        count = 2 if d.chance(0.4) else 1
    drawn: list[PlannedThing] = []
    for _ in range(count):
        left = [noun for noun in nouns if noun not in {thing.name for thing in drawn}]
        on_plate = layout == "plate" and d.chance(0.7)
        noun = d.pick(_ON_PLATES if on_plate else left)
        own = usual(noun)
        # Neighbours of one colour part by their shapes alone.
        same = bool(drawn) and d.chance(0.15)
        colour = drawn[0].colour if same else d.pick(
            own if own and d.chance(0.3) else COLOUR_NAMES
        )  # fmt: skip
        two = d.chance(0.3)
        second = draw_other(d, colour) if two else None
        pattern = d.pick(("halves", "stripes", "patch")) if two else "plain"
        drawn.append(PlannedThing(noun, colour, second, pattern))
    first = drawn[0]
    wall, support = (None if d.chance(0.4) else d.pick(COLOUR_NAMES) for _ in range(2))
    plated = layout == "plate" or (count == 1 and d.chance(0.25))
    return ScenePlan(
        "bound" if first.second is None else "mixed",
        ((first.colour, first.name),),
        tuple(drawn),
        wall,
        support,
        d.pick(COLOUR_NAMES) if plated else None,
        d.pick(COLOUR_NAMES) if layout != "close" and d.chance(0.15) else None,
        layout,
    )
