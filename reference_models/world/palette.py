"""From a colour term to an sRGB value, and the quiet colours of unnamed scenery.

Each term has a few anchors that people agree on; a draw is a random convex mixture of them, so
that "green" is a family of greens and not one value.
"""

from __future__ import annotations

import torch
from torch import Tensor

from prompts.colours import COLOUR_NAMES

_ANCHORS: dict[str, tuple[tuple[int, int, int], ...]] = {
    "red": ((214, 28, 32), (188, 20, 28), (232, 42, 40)),
    "orange": ((250, 136, 20), (255, 150, 40), (244, 122, 12)),
    "yellow": ((252, 220, 40), (255, 230, 80), (246, 210, 20)),
    "green": ((40, 160, 56), (60, 180, 70), (30, 134, 50)),
    "blue": ((36, 84, 216), (30, 70, 190), (52, 116, 232)),
    "purple": ((124, 44, 168), (140, 60, 190), (104, 34, 146)),
    "pink": ((252, 136, 184), (255, 156, 196), (250, 120, 176)),
    "brown": ((122, 76, 36), (108, 64, 30), (138, 88, 46)),
    "black": ((22, 22, 24), (34, 34, 36), (14, 14, 16)),
    "white": ((246, 246, 244), (240, 240, 238), (250, 250, 250)),
    "gray": ((132, 132, 134), (120, 120, 122), (146, 146, 148)),
}

#: Walls and tables that no caption names: pale and quiet, so that a strong colour there is news.
_QUIET: tuple[tuple[int, int, int], ...] = (
    (226, 222, 214),
    (214, 216, 218),
    (232, 226, 210),
    (206, 212, 214),
    (220, 208, 192),
    (196, 200, 204),
)


def _stack(rows: list[tuple[tuple[int, int, int], ...]]) -> Tensor:
    return torch.tensor(rows, dtype=torch.float32) / 255


_TERM_ANCHORS = _stack([_ANCHORS[name] for name in COLOUR_NAMES])
_QUIET_ANCHORS = _stack([_QUIET])[0]


def _mixture(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """Weights that sum to one along the last axis, uniform on the simplex."""
    weights = -torch.rand(shape, generator=generator).clamp(min=1e-6).log()
    return weights / weights.sum(-1, keepdim=True)


def draw_terms(terms: Tensor, generator: torch.Generator) -> Tensor:
    """One sRGB value a term.

    Parameters
    ----------
    terms : Tensor, int64, any shape
        Indices into ``COLOUR_NAMES``; negative ones are treated as 0.

    Returns
    -------
    Tensor, float32, shape + (3,)
        sRGB in [0, 1].
    """
    anchors = _TERM_ANCHORS[terms.clamp(min=0)]
    weights = _mixture(tuple(anchors.shape[:-1]), generator)
    return (anchors * weights[..., None]).sum(-2)


def draw_quiet(n: int, generator: torch.Generator) -> Tensor:
    """``n`` pale neutral sRGB values, float32 (n, 3) in [0, 1]."""
    weights = _mixture((n, len(_QUIET)), generator)
    return weights @ _QUIET_ANCHORS
