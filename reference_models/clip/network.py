"""The bundled CLIP as it is used: its towers and its tokenizer, in plain torch.

It is trained as a model of open_clip (`reference_models.clip.towers`) and is one: the same weights
give the same features (tests/reference_models/clip/test_network.py). But to import open_clip takes
longer than to judge a thousand pictures, and every run loads this one.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import regex
import torch
from torch import Tensor, nn
from torch.nn import functional as F

#: Mean and standard deviation of the pictures that OpenAI trained CLIP on, per channel: open_clip's
#: ``OPENAI_DATASET_MEAN`` and ``OPENAI_DATASET_STD``, which the bundled one took over.
MEAN = (0.48145466, 0.4578275, 0.40821073)
STD = (0.26862954, 0.26130258, 0.27577711)
_WORD = regex.compile(r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+")
#: Printable bytes come first in the alphabet of byte-pair encodings, as GPT-2 has it.
_PRINTABLE = (*range(33, 127), *range(161, 173), *range(174, 256))


class WordTokenizer:
    """Byte-pair encoding of open_clip's ``SimpleTokenizer``, for texts that are clean already.

    Parameters
    ----------
    merges : Path
        As `reference_models.clip.vocabulary.write_merges` writes them.
    length : int
        Tokens of a text, start and end among them.
    """

    def __init__(self, merges: Path, length: int) -> None:
        self.length = length
        others = [byte for byte in range(256) if byte not in _PRINTABLE]
        order = (*_PRINTABLE, *others)
        signs = [chr(b) if b in _PRINTABLE else chr(256 + others.index(b)) for b in order]
        names = signs + [f"{sign}</w>" for sign in signs]
        self._of_byte = {byte: place for place, byte in enumerate(order)}
        place = {name: number for number, name in enumerate(names)}
        self._merges: dict[tuple[int, int], int] = {}
        for line in gzip.decompress(merges.read_bytes()).decode().split("\n")[1:]:
            first, second = line.split()
            self._merges[place[first], place[second]] = len(place)
            place[first + second] = len(place)
        self.start, self.end = len(place), len(place) + 1
        self._pieces = lru_cache(maxsize=4096)(self._split)

    def __call__(self, texts: Sequence[str]) -> Tensor:
        """Tokens (T, length), int64; zeros after the end."""
        out = torch.zeros(len(texts), self.length, dtype=torch.long)
        for row, text in enumerate(texts):
            words = _WORD.findall(" ".join(text.split()).lower())
            pieces = [piece for word in words for piece in self._pieces(word)]
            tokens = [self.start, *pieces[: self.length - 2], self.end]
            out[row, : len(tokens)] = torch.tensor(tokens)
        return out

    def _split(self, word: str) -> tuple[int, ...]:
        pieces = [self._of_byte[byte] for byte in word.encode()]
        pieces[-1] += 256
        while known := [self._merges[pair] for pair in pairwise(pieces) if pair in self._merges]:
            first = min(known)
            at = 0
            while at + 1 < len(pieces):
                if self._merges.get((pieces[at], pieces[at + 1])) == first:
                    pieces[at : at + 2] = [first]
                at += 1
        return tuple(pieces)


class _Attention(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.in_proj = nn.Linear(width, 3 * width)
        self.out_proj = nn.Linear(width, width)

    def _load_from_state_dict(self, state: dict[str, Tensor], prefix: str, *rest: Any) -> None:
        """Read weights by the names of torch's own attention too, as open_clip has them."""
        for kind in ("weight", "bias"):
            if f"{prefix}in_proj_{kind}" in state:
                state[f"{prefix}in_proj.{kind}"] = state.pop(f"{prefix}in_proj_{kind}")
        super()._load_from_state_dict(state, prefix, *rest)

    def forward(self, x: Tensor, causal: bool, first: bool) -> Tensor:
        """What each token takes from the others; of the first token alone where it is asked for."""
        joint = self.in_proj(x)
        query, key, value = joint.unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        if first:
            query = query[:, :, :1]
        # So few tokens are multiplied faster one by one than by a fused kernel.
        alike = (query * query.shape[-1] ** -0.5) @ key.transpose(-1, -2)
        if causal:
            alike = alike + torch.full_like(alike[0, 0], float("-inf")).triu(1)
        mixed: Tensor = self.out_proj((alike.softmax(-1) @ value).transpose(1, 2).flatten(2))
        return mixed


class _Block(nn.Module):
    def __init__(self, width: int, heads: int, ratio: float) -> None:
        super().__init__()
        self.ln_1, self.ln_2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attn = _Attention(width, heads)
        self.mlp = nn.ModuleDict(
            {
                "c_fc": nn.Linear(width, int(width * ratio)),
                "c_proj": nn.Linear(int(width * ratio), width),
            }
        )

    def forward(self, x: Tensor, causal: bool = False, first: bool = False) -> Tensor:
        mixed = self.attn(self.ln_1(x), causal, first)
        x = x[:, : mixed.shape[1]] + mixed
        return x + self.mlp["c_proj"](F.gelu(self.mlp["c_fc"](self.ln_2(x))))


class Blocks(nn.Module):
    """Blocks of a transformer, one after the other."""

    def __init__(self, count: int, width: int, heads: int, ratio: float) -> None:
        super().__init__()
        self.resblocks = nn.ModuleList(_Block(width, heads, ratio) for _ in range(count))

    def forward(self, x: Tensor, causal: bool = False, first: bool = False) -> Tensor:
        """All tokens, or the first alone: of the last block no more is then computed."""
        last = len(self.resblocks) - 1
        for place, block in enumerate(self.resblocks):
            x = block(x, causal, first and place == last)
        return x


class ImageTower(nn.Module):
    """A vision transformer with one token for the whole (Dosovitskiy et al. 2021)."""

    def __init__(self, size: int, patch: int, width: int, layers: int, heads: int, ratio: float,
                 features: int) -> None:  # fmt: skip
        super().__init__()
        self.grid_size = (size // patch, size // patch)
        self.conv1 = nn.Conv2d(3, width, patch, patch, bias=False)
        self.class_embedding = nn.Parameter(torch.empty(width))
        self.positional_embedding = nn.Parameter(torch.empty((size // patch) ** 2 + 1, width))
        self.ln_pre, self.ln_post = nn.LayerNorm(width), nn.LayerNorm(width)
        self.transformer = Blocks(layers, width, heads, ratio)
        self.proj = nn.Parameter(torch.empty(width, features))

    def forward(self, images: Tensor) -> Tensor:
        """Features of whole images, (N, D)."""
        pooled: Tensor = self.ln_post(self._tokens(images, first=True)[:, 0]) @ self.proj
        return pooled

    def pooled_and_dense(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Features of whole images (N, D) and of their patches (N, h, w, D)."""
        tokens = self.ln_post(self._tokens(images)) @ self.proj
        return tokens[:, 0], tokens[:, 1:].unflatten(1, self.grid_size)

    def _tokens(self, images: Tensor, first: bool = False) -> Tensor:
        patches = self.conv1(images).flatten(2).transpose(1, 2)
        whole = self.class_embedding.expand(len(images), 1, -1)
        x = torch.cat([whole, patches], 1) + self.positional_embedding
        tokens: Tensor = self.transformer(self.ln_pre(x), first=first)
        return tokens


class BundledClip(nn.Module):
    """Both towers, with the names that open_clip gives their parameters."""

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__()
        text, vision, features = config["text_cfg"], config["vision_cfg"], config["embed_dim"]
        width = text["width"]
        self.visual = ImageTower(
            vision["image_size"], vision["patch_size"], vision["width"], vision["layers"],
            vision["width"] // vision["head_width"], vision["mlp_ratio"], features,
        )  # fmt: skip
        self.token_embedding = nn.Embedding(text["vocab_size"], width)
        self.positional_embedding = nn.Parameter(torch.empty(text["context_length"], width))
        self.transformer = Blocks(text["layers"], width, text["heads"], 4.0)
        self.ln_final = nn.LayerNorm(width)
        self.text_projection = nn.Parameter(torch.empty(width, features))
        self.logit_scale = nn.Parameter(torch.empty([]))

    def encode_text(self, tokens: Tensor) -> Tensor:
        """Features of texts (T, D), read at the end mark, the highest token there is.

        No token sees a later one: what is behind the last end mark is left out.
        """
        end = tokens.argmax(-1)
        tokens = tokens[:, : int(end.max()) + 1]
        x = self.token_embedding(tokens) + self.positional_embedding[: tokens.shape[1]]
        ends = self.ln_final(self.transformer(x, causal=True)[torch.arange(len(x)), end])
        features: Tensor = ends @ self.text_projection
        return features


def load_network(config: Path, weights: Path) -> tuple[BundledClip, WordTokenizer]:
    """Read the towers, float32, and the tokenizer.

    Raises
    ------
    RuntimeError
        Weights of another model.
    """
    from safetensors.torch import load_file

    options = json.loads(config.read_text(encoding="utf-8"))
    text = options["text_cfg"]
    model = BundledClip(options)
    model.load_state_dict({name: t.float() for name, t in load_file(weights).items()})
    merges = config.parent / text["tokenizer_kwargs"]["bpe_path"]
    return model.eval().requires_grad_(False), WordTokenizer(merges, text["context_length"])
