"""Classifier-free guidance: away from what the picture would be without the prompt.

Ho and Salimans 2022, "Classifier-Free Diffusion Guidance", eq. 6, written for velocities.
"""

from __future__ import annotations

from torch import Tensor


def guided(with_prompt: Tensor, without: Tensor, scale: float) -> Tensor:
    """V = v_without + scale (v_with - v_without); scale 1 is no guidance."""
    return without + scale * (with_prompt - without)
