"""Drawing token by token: row by row, each code by the odds that the predictor gives it.

Chance comes from the starting noise that every model of the family is handed: one number a place,
turned into a uniform one by the normal distribution's own function. A code is the one into whose
share of [0, 1] that number falls (inverse transform sampling), so that the same noise with nearly
the same odds gives nearly the same picture.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn import functional as F

from reference_models.guidance import guided
from reference_models.tokens.predictor import Past, Predictor

#: The likeliest codes that together have this share of the odds are drawn from.
SHARE = 0.9


def uniforms(noise: Tensor, places: int) -> Tensor:
    """Starting noise (N, C, H, W), standard normal, to (N, places) in (0, 1)."""
    u = torch.special.ndtr(noise.flatten(1)[:, :places].double())
    return u.clamp(1e-9, 1 - 1e-9)


def chosen(odds: Tensor, u: Tensor) -> Tensor:
    """The code into whose share of [0, 1] a number falls.

    Parameters
    ----------
    odds : Tensor, float (N, codes)
        Each row sums to 1.
    u : Tensor, float64 (N,)

    Returns
    -------
    Tensor, int64 (N,)
    """
    edges = odds.double().cumsum(1)
    edges = edges / edges[:, -1:]
    return torch.searchsorted(edges, u[:, None].contiguous()).clamp(max=odds.shape[1] - 1)[:, 0]


def likely(odds: Tensor, share: float) -> Tensor:
    """The likeliest codes that together have ``share`` of the odds; the others get none.

    Holtzman et al. 2020, "The Curious Case of Neural Text Degeneration", section 3.1.
    """
    ranked, order = odds.sort(1, descending=True)
    before = ranked.cumsum(1) - ranked
    kept = torch.zeros_like(odds).scatter(1, order, ranked * (before < share))
    return kept / kept.sum(1, keepdim=True)


def raster(
    predictor: Predictor,
    prompt: tuple[Tensor, Tensor, Tensor],
    noise: Tensor,
    scale: float,
    share: float = SHARE,
) -> Iterator[Tensor]:
    """The codes of a picture, as they are drawn one by one.

    Parameters
    ----------
    predictor : Predictor
    prompt : tuple
        Of ``encoded``: followed by as many empty ones where there is guidance.
    noise : Tensor, float32 (N, C, H, W)
    scale : float
        Guidance on the logits; 1 is none.
    share : float
        See ``likely``.

    Yields
    ------
    Tensor, int64 (N, places)
        After each step; the places that are still to come hold 0. The same tensor again and again.
    """
    places = len(predictor.position)
    u = uniforms(noise, places)
    codes = torch.zeros(len(noise), places, dtype=torch.int64, device=noise.device)
    x = prompt[2][:, None]
    past: list[Past] | None = None
    for place in range(places):
        logits, past = predictor.step(x, place, past, prompt)
        logits = logits[:, 0].float()
        if scale != 1:
            with_prompt, without = F.log_softmax(logits, 1).chunk(2)
            logits = guided(with_prompt, without, scale)
        code = chosen(likely(F.softmax(logits, 1), share), u[:, place])
        codes[:, place] = code
        x = F.embedding(code, predictor.code)[:, None]
        if scale != 1:
            x = torch.cat((x, x))
        yield codes
