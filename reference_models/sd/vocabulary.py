"""The tokenizer: byte-pair encoding in which every word of the world is one token."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from transformers import CLIPTokenizer

from reference_models.clip.vocabulary import learn_merges
from reference_models.world.captions import LENGTH, TOKEN, WORDS

START, END = "<|startoftext|>", "<|endoftext|>"
#: Tokens that the text encoder reads: the longest caption, its start and its end, and two to spare.
READS = LENGTH + 4


def byte_symbols() -> list[str]:
    """The 256 printable characters that stand for bytes (Radford et al. 2019, section 2.2)."""
    plain = [*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in plain]
    return [chr(byte) for byte in plain] + [chr(256 + k) for k in range(len(others))]


def make_tokenizer() -> CLIPTokenizer:
    """A CLIP tokenizer that knows the words of the world; others fall into pieces."""
    merges: Any = learn_merges((*WORDS[1:], "an"))
    symbols = byte_symbols()
    tokens = [*symbols, *(s + "</w>" for s in symbols), *("".join(m) for m in merges), START, END]
    vocabulary = {token: index for index, token in enumerate(dict.fromkeys(tokens))}
    return CLIPTokenizer(vocab=vocabulary, merges=merges, model_max_length=READS)


class Captions:
    """From the world's token ids to those of the tokenizer, a batch at once."""

    def __init__(self, tokenizer: CLIPTokenizer) -> None:
        vocabulary = tokenizer.get_vocab()
        self._start, self._end = vocabulary[START], vocabulary[END]
        # Padding of the world is the end mark here, as CLIP pads.
        words = [self._end, *(vocabulary[f"{word}</w>"] for word in WORDS[1:])]
        self._ids = torch.tensor(words)
        self._vowel = torch.tensor([word[0] in "aeiou" for word in WORDS])
        self._an = vocabulary["an</w>"]

    def __call__(self, ids: Tensor) -> Tensor:
        """Token ids of the world, int64 (N, LENGTH), to int64 (N, READS).

        A row of zeros, no caption, becomes what the tokenizer makes of the empty string.
        """
        n = len(ids)
        following = torch.cat((ids[:, 1:], torch.zeros(n, 1, dtype=ids.dtype)), 1)
        an = (ids == TOKEN["a"]) & self._vowel[following]
        words = torch.where(an, self._an, self._ids[ids])
        out = torch.full((n, READS), self._end)
        out[:, 0] = self._start
        out[:, 1 : 1 + LENGTH] = words
        return out
