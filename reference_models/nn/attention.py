"""Attention: softmax(Q K^T / sqrt(d)) V, on oneself or on a text.

Vaswani et al. 2017, "Attention Is All You Need", eq. 1 and section 3.2.2.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from reference_models.nn.linear import Linear


class Attention(nn.Module):
    """Multi-head attention from a sequence to itself or to a context.

    Parameters
    ----------
    width : int
        Of the sequence that asks.
    heads : int
        Divides ``width``.
    context : int or None
        Width of the sequence that answers; None for self-attention.
    """

    def __init__(self, width: int, heads: int, context: int | None = None) -> None:
        super().__init__()
        self.heads = heads
        self.query = Linear(width, width, bias=False)
        self.key_value = Linear(context or width, 2 * width, bias=False)
        self.out = Linear(width, width, gain=0.1)

    def forward(
        self, x: Tensor, context: Tensor | None = None, mask: Tensor | None = None
    ) -> Tensor:
        """(N, L, width), and a context (N, M, context), to (N, L, width).

        ``mask`` is bool (N, M): True where the context may be looked at.
        """
        q, k, v, seen = self._read(x, context, mask)
        y = attend(q, k, v, seen)
        return self.out(y.transpose(1, 2).reshape(x.shape))

    def weights(
        self, x: Tensor, context: Tensor | None = None, mask: Tensor | None = None
    ) -> Tensor:
        """How much each place looks at each of the context: (N, heads, L, M), rows sum to 1."""
        q, k, _, seen = self._read(x, context, mask)
        return attention_weights(q, k, seen)

    def _read(
        self, x: Tensor, context: Tensor | None, mask: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor, Tensor | None]:
        """Queries, keys and values (N, heads, L or M, d), and the mask (N, 1, 1, M)."""
        n, length, _ = x.shape
        source = x if context is None else context
        q = self.query(x).view(n, length, self.heads, -1).transpose(1, 2)
        k, v = self.key_value(source).view(n, source.shape[1], 2, self.heads, -1).unbind(2)
        seen = None if mask is None else mask[:, None, None, :]
        return q, k.transpose(1, 2), v.transpose(1, 2), seen


def attention_weights(q: Tensor, k: Tensor, mask: Tensor | None = None) -> Tensor:
    """softmax(q k^T / sqrt(d)): (N, heads, L, M); parameters as in ``attend``."""
    scores = (q * q.shape[-1] ** -0.5) @ k.transpose(-2, -1)
    if mask is not None:
        scores = scores.masked_fill(~mask, -torch.inf)
    return F.softmax(scores, dim=-1)


def attend(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None) -> Tensor:
    """softmax(q k^T / sqrt(d)) v, written out.

    On short sequences the plain form trains faster on a CPU than torch's fused one, whose backward
    pass is not blocked for them.

    Parameters
    ----------
    q : Tensor (N, heads, L, d)
    k, v : Tensor (N, heads, M, d)
    mask : Tensor, bool, broadcast to (N, heads, L, M), optional
        True where a key may be looked at; at least one in each row.

    Returns
    -------
    Tensor (N, heads, L, d)
    """
    return attention_weights(q, k, mask).to(v.dtype) @ v
