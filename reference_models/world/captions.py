"""What a scene is called: captions as token ids, made for a whole batch at once, and as text."""

from __future__ import annotations

import torch
from torch import Tensor

from prompts.colours import COLOUR_NAMES
from prompts.subjects import SUBJECT_NAMES
from reference_models.world.scene import SCENERY, Scenes

#: "a" and "an" are one token, so that an article never gives the noun away.
WORDS: tuple[str, ...] = (
    "<pad>",
    "a",
    "and",
    "on",
    "in",
    "front",
    "of",
    "plate",
    "wall",
    "picture",
    "frame",
    "table",
    *dict.fromkeys((*COLOUR_NAMES, *SUBJECT_NAMES)),
)
TOKEN: dict[str, int] = {word: index for index, word in enumerate(WORDS)}
#: Longest caption: a C S in front of a C wall, with room for a pair in a frame.
LENGTH = 12
_VOWELS = "aeiou"

_COLOUR_TOKEN = torch.tensor([TOKEN[name] for name in COLOUR_NAMES])
_SUBJECT_TOKEN = torch.tensor([TOKEN[name] for name in SUBJECT_NAMES])
#: Words before the article and after the colour, a row a kind of scenery, padded with zeros.
_BEFORE = torch.tensor(
    [
        [TOKEN["in"], TOKEN["front"], TOKEN["of"]],
        [TOKEN["on"], 0, 0],
        [TOKEN["on"], 0, 0],
        [TOKEN["in"], 0, 0],
    ]
)
_AFTER = torch.tensor(
    [
        [TOKEN["wall"], 0],
        [TOKEN["table"], 0],
        [TOKEN["plate"], 0],
        [TOKEN["picture"], TOKEN["frame"]],
    ]
)
assert len(SCENERY) == len(_BEFORE)


def token_ids(scenes: Scenes) -> Tensor:
    """Captions of a batch, int64 (N, LENGTH), padded with 0."""
    n = len(scenes)
    column = torch.zeros(n, dtype=torch.int64)
    article = torch.full((n,), TOKEN["a"])
    columns = []
    for place in range(2):
        there = scenes.subject[:, place] >= 0
        if place:
            columns.append(torch.where(there, TOKEN["and"], column))
        colour = _COLOUR_TOKEN[scenes.term[:, place].clamp(min=0)]
        columns += [
            torch.where(there, article, column),
            torch.where(there & scenes.says_colour[:, place], colour, column),
            torch.where(there, _SUBJECT_TOKEN[scenes.subject[:, place].clamp(min=0)], column),
        ]
    said = scenes.says_scenery >= 0
    kind = scenes.says_scenery.clamp(min=0)
    colour = _COLOUR_TOKEN[scenes.scenery_term.gather(1, kind[:, None])[:, 0].clamp(min=0)]
    columns += [torch.where(said, _BEFORE[kind, i], column) for i in range(3)]
    columns += [
        torch.where(said, article, column),
        torch.where(said & scenes.says_scenery_colour, colour, column),
    ]
    columns += [torch.where(said, _AFTER[kind, i], column) for i in range(2)]
    ids = torch.stack(columns, 1)
    order = torch.argsort((ids == 0).to(torch.int8), dim=1, stable=True)
    return ids.gather(1, order)[:, :LENGTH]


def text(ids: Tensor) -> str:
    """The caption of one row of token ids, with the right articles."""
    words = [WORDS[int(i)] for i in ids if int(i)]
    return " ".join(
        "an" if word == "a" and following[0] in _VOWELS else word
        for word, following in zip(words, [*words[1:], "<"], strict=True)
    )


def captions(scenes: Scenes) -> list[str]:
    """Captions of a batch as text."""
    return [text(row) for row in token_ids(scenes)]


def encode(prompt: str) -> list[int]:
    """Token ids of a prompt, not padded.

    Raises
    ------
    KeyError
        With the first word that the world's captions never use.
    """
    return [TOKEN["a" if word == "an" else word] for word in prompt.lower().split()]
