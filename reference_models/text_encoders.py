"""Text encoders in place of the one that is trained along, by name.

What a text encoder tells of a prompt bounds what a network can bind: a bag of words cannot say
which of two nouns a colour stands before, and one vector for the whole prompt has to hold both.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from reference_models.nn.linear import Linear
from reference_models.nn.normalisation import RMSNorm
from reference_models.nn.transformer import TextEncoder
from reference_models.world.captions import LENGTH, WORDS

#: ``contextual``: a transformer over the words, trained along. ``static``: a vector a word and one
#: a place, no transformer. ``bag``: the transformer without places, to which word order is nothing.
#: ``clip-tokens``: the frozen text tower of the bundled CLIP, a vector a token, as Stable Diffusion
#: reads one. ``clip-pooled``: its one vector for the whole prompt.
TEXT_ENCODERS = ("contextual", "static", "bag", "clip-tokens", "clip-pooled")


class FrozenClip(nn.Module):
    """The text tower of the bundled CLIP, frozen, and a trained projection of what it gives.

    Parameters
    ----------
    width : int
        Of the vectors given out.
    pooled : bool
        Whether the prompt is one vector, the one that CLIP compares with pictures.

    Attributes
    ----------
    first : int
        Place of the first word: a mark stands before it.
    """

    first = 1

    table: Tensor
    mask: Tensor

    def __init__(self, width: int, pooled: bool) -> None:
        from safetensors.torch import load_file

        from reference_models.clip.towers import FOLDER, build

        super().__init__()
        model, tokenizer = build()
        stored = load_file(FOLDER / "bundled.safetensors")
        model.load_state_dict({name: tensor.float() for name, tensor in stored.items()})
        self.pooled = pooled
        self.embedding, self.position = model.token_embedding, model.positional_embedding
        self.tower, self.final = model.transformer, model.ln_final
        self.projection = model.text_projection
        self.requires_grad_(False)
        texts = tokenizer(list(WORDS[1:]))
        self.register_buffer(
            "table", torch.cat((torch.zeros(1, dtype=torch.int64), texts[:, 1])), persistent=False
        )
        self.begin, self.end = int(texts[0, 0]), int(texts[0, 2])
        length = LENGTH + 2
        self.register_buffer("mask", model.attn_mask[:length, :length], persistent=False)
        self.enter = Linear(self.position.shape[1], width)
        self.norm = RMSNorm(width)

    def forward(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        """Token ids int64 (N, LENGTH), 0 for padding, to vectors (N, L, width) and mask (N, L)."""
        with torch.no_grad(), torch.autocast(ids.device.type, enabled=False):
            read, last = self._read(ids)
            x = self.embedding(read) + self.position[: read.shape[1]]
            x = self.final(self.tower(x, attn_mask=self.mask))
            if self.pooled:
                x = x.gather(1, last[:, None, None].expand(-1, 1, x.shape[2])) @ self.projection
                mask = torch.ones_like(last[:, None], dtype=torch.bool)
            else:
                mask = torch.arange(read.shape[1], device=ids.device) <= last[:, None]
        return self.norm(self.enter(x)), mask

    def _read(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        """CLIP's tokens (N, LENGTH + 2) and the place of the one that ends the prompt (N,)."""
        n = len(ids)
        last = (ids != 0).sum(1) + 1
        words = torch.nn.functional.pad(self.table[ids], (1, 1))
        place = torch.arange(words.shape[1], device=ids.device).expand(n, -1)
        words = torch.where(place == 0, self.begin, words)
        return torch.where(place == last[:, None], self.end, words), last


def text_encoder(kind: str, width: int = 128, depth: int = 2, heads: int = 4) -> nn.Module:
    """A new text encoder of a kind of ``TEXT_ENCODERS``.

    Raises
    ------
    ValueError
        Another name.
    """
    if kind == "contextual":
        return TextEncoder(len(WORDS), LENGTH, width, depth, heads)
    if kind == "static":
        return TextEncoder(len(WORDS), LENGTH, width, 0, heads)
    if kind == "bag":
        return TextEncoder(len(WORDS), LENGTH, width, depth, heads, ordered=False)
    if kind in ("clip-tokens", "clip-pooled"):
        return FrozenClip(width, kind == "clip-pooled")
    raise ValueError(f"unknown text encoder {kind!r}; expected {', '.join(TEXT_ENCODERS)}")
