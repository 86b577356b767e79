"""Quantiser and predictor as one model of the family."""

from __future__ import annotations

from collections.abc import Container
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from reference_models.tokens.masked import MaskedPredictor, unmasked
from reference_models.tokens.predictor import Predictor
from reference_models.tokens.quantiser import CODES, Quantiser
from reference_models.tokens.raster import SHARE, raster

Encoded = tuple[Tensor, Tensor, Tensor]
#: In place of a code: left out of the loss, as torch's cross entropy has it.
UNASKED = -100


class TokenModel(nn.Module):
    """Pictures of ``3 x side x side`` as codes, drawn one after the other.

    Parameters
    ----------
    words, length : int
        Vocabulary and longest prompt of the text encoder.
    side : int
        Pixels.
    width, depth : int
        Of the predictor.
    """

    #: What says how likely each code is.
    kind: type[Any] = Predictor

    def __init__(
        self, words: int, length: int, side: int = 32, width: int = 160, depth: int = 5
    ) -> None:
        super().__init__()
        self.side = side
        self.places = (side // Quantiser.square) ** 2
        # It is trained before, and stays as it is.
        self.quantiser = Quantiser().requires_grad_(False)
        self.predictor = self.kind(words, length, CODES, self.places, width, depth)

    def encode(self, ids: Tensor) -> Encoded:
        """Token ids of prompts (N, L) to what the predictor reads."""
        prompt: Encoded = self.predictor.encode(ids)
        return prompt

    def forward(self, pictures: Tensor, prompt: Encoded) -> tuple[Tensor, Tensor]:
        """What is predicted of pictures (N, 3, side, side), and what is true.

        Parameters
        ----------
        pictures : Tensor, float32 (N, 3, side, side)
        prompt : tuple
            Of ``encode``.

        Returns
        -------
        logits : Tensor (N places, codes)
        codes : Tensor, int64 (N places,)
            `UNASKED` where nothing is to be predicted.
        """
        codes = self.quantiser.codes(pictures)
        return self.predictor(codes, prompt).flatten(0, 1), codes.flatten()

    def draw(
        self, prompt: Encoded, noise: Tensor, scale: float, steps: int, frames: Container[int]
    ) -> tuple[Tensor, list[Tensor], list[Tensor]]:
        """Draw pictures; as ``reference_models.sampling.drawn``, prompts already encoded."""
        kept = []
        for step, codes in enumerate(raster(self.predictor, prompt, noise, scale)):
            if step in frames:
                kept.append(self.picture(codes, step + 1))
        return self.picture(codes), kept, []

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


class MaskedModel(TokenModel):
    """Pictures of ``3 x side x side`` as codes, all guessed at once and the surest kept."""

    kind = MaskedPredictor

    def forward(
        self, pictures: Tensor, prompt: Encoded, hidden: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """As `TokenModel.forward`, of the places (N, places) that are hidden; all by default."""
        codes = self.quantiser.codes(pictures)
        hidden = torch.ones_like(codes, dtype=torch.bool) if hidden is None else hidden
        asked = codes.masked_fill(~hidden, UNASKED)
        return self.predictor(codes, hidden, prompt).flatten(0, 1), asked.flatten()

    def draw(
        self, prompt: Encoded, noise: Tensor, scale: float, steps: int, frames: Container[int]
    ) -> tuple[Tensor, list[Tensor], list[Tensor]]:
        """As `TokenModel.draw`; a frame is a guess at the whole picture."""
        kept, conditional = [], []
        guesses = unmasked(self.predictor, prompt, noise, scale, steps, SHARE)
        for step, (codes, alone, _) in enumerate(guesses):
            if step in frames:
                kept.append(self.picture(codes))
                conditional.append(self.picture(alone))
        return self.picture(codes), kept, conditional
