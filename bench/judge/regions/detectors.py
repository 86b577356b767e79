"""Boxes of words: detectors of transformers that take nouns, each asked in its own manner."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.judge.checkpoints import load_checkpoint
from prompts.grammar import noun_phrase
from prompts.subjects import SUBJECTS, Subject

if TYPE_CHECKING:
    import torch


def pictures(images: Sequence[np.ndarray]) -> list[Any]:
    """Images as the processors take them: nobody need guess which axis is the colour."""
    from PIL import Image

    return [Image.fromarray(image) for image in images]


def phrase(word: str) -> str:
    """A noun with its article: ``an apple``."""
    return noun_phrase(None, SUBJECTS.get(word, Subject(word)))


class Detector(ABC):
    """Boxes of words: the best of each, with its score."""

    #: Classes of transformers, and the score from which on a box is one.
    classes: tuple[str, ...]
    threshold: float

    def __init__(self, model: str, device: str) -> None:
        self.loaded = load_checkpoint(model, self.classes, device)
        self.device = device

    @abstractmethod
    def boxes(
        self, images: Sequence[np.ndarray], words: Sequence[list[str]]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Scores (B, W) in [0, 1], and corners (B, W, 4) x, y, x, y in pixels of the images."""


class GroundingDino(Detector):
    """Grounding DINO (Liu et al. 2024) and MM Grounding DINO (Zhao et al. 2024).

    All words stand in one text, each ended by a full stop, which keeps them apart. The score of a
    box for a word is the mean over the tokens of its noun, as MM Grounding DINO is evaluated: the
    largest of them would take any frame for a picture frame. The threshold is that of Grounding
    DINO's demonstration.
    """

    classes = ("GroundingDinoForObjectDetection", "MMGroundingDinoForObjectDetection")
    threshold = 0.35

    def boxes(
        self, images: Sequence[np.ndarray], words: Sequence[list[str]]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Scores and corners; see `Detector.boxes`."""
        import torch

        processor = self.loaded.processor
        texts = [" ".join(f"{phrase(word).lower()}." for word in own) for own in words]
        inputs = processor(
            images=pictures(images), text=texts, padding=True, return_tensors="pt"
        ).to(self.device)
        out = self.loaded.model(**inputs)
        chance = out.logits.float().sigmoid()
        scores = torch.stack(
            [
                torch.stack([one[:, first:last].mean(-1) for first, last in self._spans(own)])
                for one, own in zip(chance, words, strict=True)
            ]
        )
        height, width = images[0].shape[:2]
        return _best(scores, out.pred_boxes.float(), (width, height))

    def _spans(self, words: list[str]) -> list[tuple[int, int]]:
        """First token of each noun in the text, and the one after its last."""
        tokenizer = self.loaded.processor.tokenizer
        spans, place = [], 1
        for word in words:
            whole = len(tokenizer(phrase(word).lower(), add_special_tokens=False).input_ids)
            noun = len(tokenizer(word.lower(), add_special_tokens=False).input_ids)
            spans.append((place + whole - noun, place + whole))
            place += whole + 1
        return spans


class Owlv2(Detector):
    """OWLv2 (Minderer et al. 2023), asked in CLIP's manner; the threshold is transformers' own."""

    classes = ("Owlv2ForObjectDetection",)
    threshold = 0.1

    def boxes(
        self, images: Sequence[np.ndarray], words: Sequence[list[str]]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Scores and corners; see `Detector.boxes`."""
        texts = [[f"a photo of {phrase(word)}" for word in own] for own in words]
        inputs = self.loaded.processor(
            images=pictures(images), text=texts, truncation=True, return_tensors="pt"
        ).to(self.device)
        out = self.loaded.model(**inputs)
        # A picture is padded to a square, below and to the right, before it is looked at.
        side = max(images[0].shape[:2])
        scores = out.logits.float().sigmoid().transpose(1, 2)
        return _best(scores, out.pred_boxes.float(), (side, side))


def _best(
    scores: torch.Tensor, boxes: torch.Tensor, size: tuple[int, int]
) -> tuple[torch.Tensor, torch.Tensor]:
    """Best of the scores (B, W, Q), and corners (B, W, 4) of its box.

    ``boxes`` (B, Q, 4) are centres and sizes, as shares of ``size``, width and height in pixels.
    """
    import torch

    score, best = scores.max(-1)
    chosen = boxes.gather(1, best[..., None].expand(-1, -1, 4))
    centre, half = chosen[..., :2], chosen[..., 2:] / 2
    corners = torch.cat([centre - half, centre + half], -1)
    return score, corners * torch.tensor([*size, *size], device=boxes.device)
