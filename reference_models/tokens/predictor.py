"""The predictor: how likely each code is as the next one, given those before it and the prompt.

A transformer whose places look back only (Vaswani et al. 2017, section 3.2.3) and at the words of
the prompt. What goes in at a place is the code before it, and at the first place the prompt as a
whole. When drawing, keys and values of the places before are kept and not computed again.
"""

from __future__ import annotations

import torch
from torch import Tensor

from reference_models.nn.attention import Attention, attend
from reference_models.nn.linear import looked_up
from reference_models.tokens.transformer import CodeBlock, CodeTransformer

#: Keys and values of the places so far, each (N, heads, places, d).
Past = tuple[Tensor, Tensor]


class CausalAttention(Attention):
    """Attention of each place of a sequence to itself and those before it."""

    def step(self, x: Tensor, past: Past | None) -> tuple[Tensor, Past]:
        """Some more places (N, L, width) after those of ``past``; returns what now is the past.

        All at once without a past, or one after the other with it: the results are the same.
        """
        n, length, width = x.shape
        q = self.query(x).view(n, length, self.heads, -1).transpose(1, 2)
        k, v = self.key_value(x).view(n, length, 2, self.heads, -1).unbind(2)
        k, v = k.transpose(1, 2), v.transpose(1, 2)
        if past is not None:
            k, v = torch.cat((past[0], k), 2), torch.cat((past[1], v), 2)
        seen = None
        if length > 1:
            whole = torch.ones(length, k.shape[2], dtype=torch.bool, device=x.device)
            seen = whole.tril(k.shape[2] - length)
        y = attend(q, k, v, seen)
        return self.out(y.transpose(1, 2).reshape(n, length, width)), (k, v)


class CausalBlock(CodeBlock):
    """Looks back."""

    attention = CausalAttention
    attend_self: CausalAttention

    def forward(
        self, x: Tensor, past: Past | None, words: Tensor, mask: Tensor
    ) -> tuple[Tensor, Past]:
        """(N, L, width), the past, words (N, M, text) and mask (N, M) to (N, L, width)."""
        y, past = self.attend_self.step(self.norm_self(x), past)
        return self.with_words(x + y, words, mask), past


class Predictor(CodeTransformer):
    """Logits of the codes of a picture, each given those before it."""

    block = CausalBlock

    def forward(self, codes: Tensor, prompt: tuple[Tensor, Tensor, Tensor]) -> Tensor:
        """Codes int64 (N, places) and encoded prompts to logits (N, places, codes).

        Those at a place are given the codes before it: the last code is not read.
        """
        before = looked_up(codes[:, :-1], self.code)
        x = torch.cat((prompt[2][:, None].to(before.dtype), before), 1)
        return self.step(x, 0, None, prompt)[0]

    def step(
        self,
        x: Tensor,
        place: int,
        past: list[Past] | None,
        prompt: tuple[Tensor, Tensor, Tensor],
    ) -> tuple[Tensor, list[Past]]:
        """Logits (N, L, codes) of the places from ``place`` on, and what now is the past.

        Parameters
        ----------
        x : Tensor (N, L, width)
            What goes in: the embedded code before each place, or the prompt's sum.
        place : int
            The first of them.
        past : list of (Tensor, Tensor), one a block; None at the first place
        prompt : tuple
            Of ``encode``.
        """
        words, mask, whole = prompt
        h = x + whole[:, None] + self.position[place : place + x.shape[1]]
        kept = []
        for k, block in enumerate(self.blocks):
            h, held = block(h, None if past is None else past[k], words, mask)
            kept.append(held)
        return self.leave(self.norm(h)), kept
