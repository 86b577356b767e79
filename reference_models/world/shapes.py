"""The table from a subject's name to the function that paints it."""

from __future__ import annotations

from collections.abc import Callable

from prompts.subjects import SUBJECT_NAMES
from reference_models.world import animals, artefacts, food
from reference_models.world.canvas import Canvas

SHAPES: dict[str, Callable[[Canvas], None]] = {
    name: next(getattr(m, name) for m in (food, animals, artefacts) if hasattr(m, name))
    for name in SUBJECT_NAMES
}
