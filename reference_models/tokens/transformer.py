"""What the two predictors of codes have in common: a block, and a transformer of such blocks."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from reference_models.nn.attention import Attention
from reference_models.nn.linear import Linear
from reference_models.nn.normalisation import RMSNorm
from reference_models.nn.prompted import Prompted
from reference_models.nn.transformer import TextEncoder


class CodeBlock(nn.Module):
    """Looks at the places, looks at the words, and a perceptron, each on a residual branch.

    Attributes
    ----------
    attention : type
        How it looks at the places.
    """

    attention: ClassVar[type[Attention]] = Attention

    def __init__(self, width: int, heads: int, text: int) -> None:
        super().__init__()
        self.norm_self = RMSNorm(width)
        self.attend_self = self.attention(width, heads)
        self.norm_cross = RMSNorm(width)
        self.attend_cross = Attention(width, heads, text)
        self.norm_mlp = RMSNorm(width)
        self.up = Linear(width, 3 * width)
        self.down = Linear(3 * width, width, gain=0.1)

    def with_words(self, x: Tensor, words: Tensor, mask: Tensor) -> Tensor:
        """(N, L, width), words (N, M, text) and their mask (N, M) to (N, L, width)."""
        x = x + self.attend_cross(self.norm_cross(x), words, mask)
        return x + self.down(F.gelu(self.up(self.norm_mlp(x)), approximate="tanh"))


class CodeTransformer(Prompted):
    """Logits of the codes of a picture.

    Parameters
    ----------
    words, length : int
        Vocabulary and longest prompt of the text encoder.
    codes, places : int
        How many codes there are, and how many a picture has.
    width, depth, heads : int
    text, text_depth : int
        Width and depth of the text encoder.

    Attributes
    ----------
    block : type
        Of which it has ``depth``.
    more : int
        Things beside codes that can stand in a place.
    """

    block: ClassVar[type[CodeBlock]] = CodeBlock
    more: ClassVar[int] = 0

    def __init__(
        self,
        words: int,
        length: int,
        codes: int,
        places: int = 64,
        width: int = 160,
        depth: int = 5,
        heads: int = 5,
        text: int = 128,
        text_depth: int = 2,
    ) -> None:
        super().__init__()
        self.text = TextEncoder(words, length, text, text_depth, 4)
        self.prompt = Linear(text, width)
        self.code = nn.Parameter(0.5 * torch.randn(codes + self.more, width))
        self.position = nn.Parameter(0.1 * torch.randn(places, width))
        self.blocks = nn.ModuleList(self.block(width, heads, text) for _ in range(depth))
        self.norm = RMSNorm(width)
        self.leave = Linear(width, codes, gain=0.1)
