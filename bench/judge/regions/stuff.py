"""Nouns that are no things: what is behind, and what things stand on.

The stuff classes of COCO-Stuff in everyday words, those that a prompt can ask for in a colour.

References
----------
Caesar, Uijlings and Ferrari. COCO-Stuff: Thing and Stuff Classes in Context. CVPR 2018: 91 stuff
classes, of which the indoor ones (wall, floor, ceiling, furniture-table) and the outdoor ones
(sky, ground, plant, water, solid) stand here.
"""

from __future__ import annotations

_WALLS = "wall sky background backdrop ceiling clouds fog mountain mountains hill hills forest"
_SUPPORTS = (
    "table floor ground grass lawn field meadow sand beach snow road street pavement path dirt mud "
    "gravel carpet rug countertop counter desk shelf tablecloth cloth water sea ocean lake river "
    "pond pool"
)

#: Behind everything.
WALLS: frozenset[str] = frozenset(_WALLS.split(" "))
#: Below things, or around them from below.
SUPPORTS: frozenset[str] = frozenset(_SUPPORTS.split(" "))


def is_stuff(noun: str) -> bool:
    """Whether a noun is judged on the background and the support."""
    return noun in WALLS or noun in SUPPORTS
