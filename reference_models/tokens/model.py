"""Quantiser and predictor as one model of the family."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from reference_models.tokens.predictor import Predictor
from reference_models.tokens.quantiser import CODES, Quantiser


class TokenModel(nn.Module):
    """Pictures of ``3 x side x side`` as codes.

    Parameters
    ----------
    words, length : int
        Vocabulary and longest prompt of the text encoder.
    side : int
        Pixels.
    width, depth : int
        Of the predictor.
    """

    def __init__(
        self, words: int, length: int, side: int = 32, width: int = 160, depth: int = 5
    ) -> None:
        super().__init__()
        self.side = side
        self.places = (side // Quantiser.square) ** 2
        # It is trained before, and stays as it is.
        self.quantiser = Quantiser().requires_grad_(False)
        self.predictor = Predictor(words, length, CODES, self.places, width, depth)

    def encode(self, ids: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Token ids of prompts (N, L) to what the predictor reads."""
        return self.predictor.encode(ids)

    def forward(
        self, pictures: Tensor, prompt: tuple[Tensor, Tensor, Tensor]
    ) -> tuple[Tensor, Tensor]:
        """Pictures (N, 3, side, side) to logits (N, places, codes) and codes int64 (N, places)."""
        codes = self.quantiser.codes(pictures)
        return self.predictor(codes, prompt), codes

    def picture(self, codes: Tensor, drawn: int | None = None) -> Tensor:
        """The picture of codes, gray where none is drawn yet.

        Parameters
        ----------
        codes : Tensor, int64 (N, places)
        drawn : int, optional
            How many of them are drawn, row by row; all by default.

        Returns
        -------
        Tensor, float32 (N, 3, side, side)
            About in [-1, 1].
        """
        whole = self.quantiser.pictures(codes).float()
        if drawn is None or drawn == self.places:
            return whole
        there = (torch.arange(self.places, device=codes.device) < drawn).float()
        grid = self.side // Quantiser.square
        there = F.interpolate(there.view(1, 1, grid, grid), scale_factor=Quantiser.square)
        return whole * there


def cross_entropy(logits: Tensor, codes: Tensor) -> Tensor:
    """Mean surprise at the codes (N, places) by logits (N, places, codes), in nats a code."""
    return F.cross_entropy(logits.float().flatten(0, 1), codes.flatten())
