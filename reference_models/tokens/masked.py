"""Masked classification: all codes that are hidden are guessed at once, and the surest are kept.

Chang et al. 2022, "MaskGIT: Masked Generative Image Transformer". In training a share of the codes
of a picture is hidden, and the network says how likely each code is in each hidden place (section
3.1). A picture begins with all places hidden. At each step every hidden place is guessed, and the
surest guesses stay (section 3.2), so that it takes eight steps where one code at a time takes 64.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn import functional as F

from reference_models.guidance import guided
from reference_models.nn.linear import looked_up
from reference_models.tokens.raster import chosen, likely, uniforms
from reference_models.tokens.transformer import CodeBlock, CodeTransformer

#: Weight of chance beside the surety of a guess at the first step; it falls to none at the last
#: (the paper's temperature, 4.5 there for 16 x 16 codes of photographs).
CHANCE = 2.0


def hidden_share(step: int, steps: int) -> float:
    """Share of the places that are hidden before a step: the cosine of section 3.3."""
    return math.cos(math.pi / 2 * step / steps)


def hidden_places(n: int, places: int, generator: torch.Generator) -> Tensor:
    """Places to hide in training, bool (n, places): a share by the cosine, at least one."""
    share = torch.cos(math.pi / 2 * torch.rand(n, 1, generator=generator))
    count = (share * places).ceil().clamp(min=1)
    order = torch.rand(n, places, generator=generator).argsort(1).argsort(1)
    return order < count


class MaskedBlock(CodeBlock):
    """Looks everywhere."""

    def forward(self, x: Tensor, words: Tensor, mask: Tensor) -> Tensor:
        """(N, L, width), words (N, M, text) and their mask (N, M) to (N, L, width)."""
        return self.with_words(x + self.attend_self(self.norm_self(x)), words, mask)


class MaskedPredictor(CodeTransformer):
    """Logits of the codes in the hidden places of a picture."""

    block = MaskedBlock
    # The last is what stands in a hidden place.
    more = 1

    def forward(
        self, codes: Tensor, hidden: Tensor, prompt: tuple[Tensor, Tensor, Tensor]
    ) -> Tensor:
        """Codes int64 (N, places), which are hidden, bool, and prompts to (N, places, codes)."""
        words, mask, whole = prompt
        seen = codes.masked_fill(hidden, len(self.code) - 1)
        x = looked_up(seen, self.code).to(whole.dtype) + self.position.to(whole.dtype)
        x = x + whole[:, None]
        for block in self.blocks:
            x = block(x, words, mask)
        return self.leave(self.norm(x))


def unmasked(
    predictor: MaskedPredictor,
    prompt: tuple[Tensor, Tensor, Tensor],
    noise: Tensor,
    scale: float,
    steps: int,
    share: float,
) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """The codes of a picture as they are guessed, step by step.

    Parameters
    ----------
    predictor : MaskedPredictor
    prompt : tuple
        Of ``encoded``: followed by as many empty ones where there is guidance.
    noise : Tensor, float32 (N, C, H, W)
        All chance is of it: a number a place and step for the guess, another for what stays.
    scale : float
        Guidance on the logits; 1 is none.
    steps : int
    share : float
        See ``likely``.

    Yields
    ------
    guessed : Tensor, int64 (N, places)
        What is kept so far, and the guesses of this step elsewhere. At the last step the picture.
    conditional : Tensor, int64 (N, places)
        The same with the guesses that the prompt alone makes, by the same chance.
    hidden : Tensor, bool (N, places)
        Where this step guessed.
    """
    places = len(predictor.position)
    n = len(noise)
    u = uniforms(noise, 2 * steps * places).view(n, 2, steps, places)
    codes = torch.zeros(n, places, dtype=torch.int64, device=noise.device)
    hidden = torch.ones_like(codes, dtype=torch.bool)
    for step in range(steps):
        twice = (codes, hidden) if scale == 1 else (codes.repeat(2, 1), hidden.repeat(2, 1))
        logits = predictor(*twice, prompt).float().log_softmax(-1)
        with_prompt, without = (logits, logits) if scale == 1 else logits.chunk(2)
        odds = _odds(guided(with_prompt, without, scale), share)
        guess = _drawn(odds, u[:, 0, step])
        conditional = guess if scale == 1 else _drawn(_odds(with_prompt, share), u[:, 0, step])
        guessed = torch.where(hidden, guess, codes)
        yield guessed, torch.where(hidden, conditional, codes), hidden
        sure = odds.gather(-1, guess[..., None])[..., 0].clamp(min=1e-9).log()
        chance = -(-u[:, 1, step].log()).log()  # Gumbel's distribution, as the paper's code has it
        sure = sure + CHANCE * (1 - (step + 1) / steps) * chance.float()
        sure = sure.masked_fill(~hidden, torch.inf)
        count = math.floor(hidden_share(step + 1, steps) * places + 1e-6)
        hidden = sure.argsort(1).argsort(1) < count
        codes = guessed


def _odds(logits: Tensor, share: float) -> Tensor:
    flat = F.softmax(logits, -1).flatten(0, 1)
    return likely(flat, share).view(logits.shape)


def _drawn(odds: Tensor, u: Tensor) -> Tensor:
    return chosen(odds.flatten(0, 1), u.flatten()).view(u.shape)
