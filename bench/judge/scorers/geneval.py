"""The ``geneval`` scorer: GenEval's own rule for colours, on weights that can be had today.

Its detector is Meta's Mask2Former in transformers and not that of mmdet, so that its numbers are
GenEval-like and not GenEval's: they are printed with the names of the weights.

References
----------
Ghosh, Hajishirzi and Schmidt. GenEval: An Object-Focused Framework for Evaluating Text-to-Image
Alignment. NeurIPS 2023. The rule is that of its ``evaluation/evaluate_images.py``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.errors import UsageError
from bench.judge.checkpoints import load_checkpoint
from bench.judge.device import judging, settled
from bench.judge.dtype import recorded_dtype
from bench.judge.regions.detectors import pictures
from bench.records import Fingerprint, Generation, Regions, Score
from prompts.cells import Binding

if TYPE_CHECKING:
    import torch

    from bench.judge.clip.model import Clip

DETECTOR, CLIP = "facebook/mask2former-swin-small-coco-instance", "ViT-L-14:openai"
#: GenEval's colours, in its order; it has no gray.
COLOURS: tuple[str, ...] = (
    "red", "orange", "yellow", "green", "blue", "purple", "pink", "brown", "black", "white",
)  # fmt: skip
#: Confidence above which an object is there.
THRESHOLD = 0.3
#: What is around an object: the CSS colour #999.
BACKGROUND = (153, 153, 153)
#: What CLIP reads, of a colour and a class.
TEMPLATES = ("a photo of a {} {}", "a photo of a {}-colored {}", "a photo of a {} object")
#: Names of COCO's classes that GenEval writes otherwise.
CALLED = {"tv remote": "remote", "computer mouse": "mouse", "computer keyboard": "keyboard"}
#: Candidates of an image that Mask2Former is evaluated with.
MOST = 100
#: Pictures of one shape that are looked at together.
TOGETHER = 8
METRICS: tuple[str, ...] = ("geneval_bind", "geneval_colors", "geneval_color_attr")


@dataclass(frozen=True, slots=True, eq=False)
class FoundObject:
    """The surest object of a class.

    Attributes
    ----------
    score : float
        Of the class, times the mean chance of its mask.
    mask : ndarray, bool, (H, W)
    """

    score: float
    mask: np.ndarray


class GenEvalScorer:
    """GenEval's ``colors`` and ``color_attr``, 1 or 0 an image, and its word on each binding.

    An object is there where the detector's confidence in its class is above 0.3. The surest one is
    cut out by its mask over gray, cropped to its box, and has the colour that CLIP finds the
    likeliest of ten. ``geneval_bind`` is whether a binding's object is there in its colour;
    ``geneval_colors`` the same of a prompt of one binding, ``geneval_color_attr`` whether both are
    right of a prompt of two.

    Parameters
    ----------
    model : str, optional
        ``DETECTOR`` or ``DETECTOR,CLIP``: a Mask2Former with classes of COCO, folder or hub id, and
        what `bench.judge.clip.load_clip` takes.
    device : str
    """

    name = "geneval"

    def __init__(self, model: str | None = None, device: str = "cpu") -> None:
        from bench.judge.clip import load_clip

        detector, _, clip = (model or "").partition(",")
        self.detector = load_checkpoint(
            detector or DETECTOR,
            ("Mask2FormerForUniversalSegmentation",),
            device,
            processor="AutoImageProcessor",
        )
        labels: Mapping[int, str] = self.detector.model.config.id2label
        self.classes = {name.lower(): int(number) for number, name in labels.items()}
        if not self.classes.keys() & {"apple", "car", "chair", "dog"}:
            raise UsageError(
                f"the detector {detector} has none of COCO's classes; expected a Mask2Former for "
                f"instances of COCO, such as {DETECTOR}"
            )
        self.clip: Clip = load_clip(clip or CLIP, device)
        self.device = device
        self._tables: dict[str, torch.Tensor] = {}
        settled(device)
        self.fingerprint = Fingerprint(
            kind="scorer",
            name=self.name,
            options={
                "detector": self.detector.name,
                "clip": self.clip.name,
                "threshold": THRESHOLD,
                "templates": list(TEMPLATES),
            },
            weights=f"{self.detector.weights} {self.clip.fingerprint.weights}",
            versions={
                **self.clip.fingerprint.versions,
                "detector": recorded_dtype("float32", device),
            },
        )

    def score(self, generations: Sequence[Generation], regions: Sequence[Regions]) -> list[Score]:
        """All metrics of every binding; NaN with a reason where GenEval has no such question."""
        if len(generations) != len(regions):
            raise ValueError(f"{len(generations)} images but {len(regions)} regions")
        values: dict[tuple[int, int], tuple[float, str]] = {}
        wanted: dict[int, list[int]] = {}
        for i, generation in enumerate(generations):
            for k, binding in enumerate(generation.sample.cell.bindings):
                void = generation.invalid
                reason = f"invalid: {void}" if void else self._why_not(binding)
                values[i, k] = (math.nan, reason)
                if not reason:
                    wanted.setdefault(i, []).append(k)
        for part in _parts(generations, list(wanted)):
            asked = [
                [generations[i].sample.cell.bindings[k].subject for k in wanted[i]] for i in part
            ]
            found = self.detect([generations[i].image for i in part], asked)
            for i, objects in zip(part, found, strict=True):
                for k, one in zip(wanted[i], objects, strict=True):
                    binding = generations[i].sample.cell.bindings[k]
                    right = one is not None and (
                        self.colour_of(generations[i].image, one, binding.subject) == binding.colour
                    )
                    values[i, k] = (float(right), "")
        scores = []
        for i, generation in enumerate(generations):
            count = len(generation.sample.cell.bindings)
            own = [values[i, k] for k in range(count)]
            for k in range(count):
                rows = dict(zip(METRICS, (own[k], _task(own, 1), _task(own, 2)), strict=True))
                scores += [
                    Score(generation.sample.id, self.name, metric, value, k, reason)
                    for metric, (value, reason) in rows.items()
                ]
        return scores

    def _why_not(self, binding: Binding) -> str:
        if binding.colour is None:
            return "the prompt asks for no colour"
        if binding.colour not in COLOURS:
            return f"GenEval has no {binding.colour}"
        if _class_name(binding.subject) not in self.classes:
            return f"{binding.subject} is no class of COCO"
        return ""

    def detect(
        self, images: Sequence[np.ndarray], nouns: Sequence[Sequence[str]]
    ) -> list[list[FoundObject | None]]:
        """The surest object of each noun above the threshold, in images of one shape."""
        processor = self.detector.processor
        with judging(self.device):
            inputs = processor(images=pictures(images), return_tensors="pt").to(self.device)
            out = self.detector.model(**inputs)
            # Below and to the right it is padded to whole windows of the network.
            seen = inputs["pixel_mask"][0]
            inside = int(seen.any(1).sum()), int(seen.any(0).sum())
            chances = out.class_queries_logits.float().softmax(-1)[..., :-1]
            masks = out.masks_queries_logits.float()
            sizes = (tuple(seen.shape), inside, images[0].shape[:2])
            return [
                [self._surest(one, mask, self.classes[_class_name(noun)], sizes) for noun in asked]
                for one, mask, asked in zip(chances, masks, nouns, strict=True)
            ]

    def _surest(
        self, chances: torch.Tensor, masks: torch.Tensor, number: int, sizes: Sequence[Any]
    ) -> FoundObject | None:
        """Best of the candidates (Q, C) of a class with masks (Q, h, w), as mmdet picks them."""
        import torch.nn.functional as F

        top = chances.flatten().topk(min(MOST, chances.numel())).indices
        own = top[top % chances.shape[1] == number] // chances.shape[1]
        if not len(own):
            return None
        padded, (height, width), shape = sizes
        full = F.interpolate(masks[own][:, None], padded, mode="bilinear", align_corners=False)
        full = full[..., :height, :width]
        full = F.interpolate(full, shape, mode="bilinear", align_corners=False)[:, 0]
        inside = full > 0
        sure = (full.sigmoid() * inside).sum((1, 2)) / (inside.sum((1, 2)) + 1e-6)
        scores = chances[own, number] * sure
        best = int(scores.argmax())
        score = float(scores[best])
        return FoundObject(score, inside[best].cpu().numpy()) if score > THRESHOLD else None

    def colour_of(self, image: np.ndarray, found: FoundObject, noun: str) -> str:
        """The likeliest of the ten colours for an object, by CLIP."""
        from open_clip.transform import image_transform
        from PIL import Image

        over = np.where(found.mask[..., None], image, np.array(BACKGROUND, np.uint8))
        rows, columns = (np.flatnonzero(found.mask.any(axis)) for axis in (1, 0))
        crop = over[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        transform = image_transform(
            self.clip.size,
            is_train=False,
            mean=self.clip.mean,
            std=self.clip.std,
            resize_mode="shortest",
            interpolation="bicubic",
        )
        batch = transform(Image.fromarray(np.ascontiguousarray(crop)))[None]
        likeness = self._table(noun) @ self.clip.encode_batch(batch)[0]
        return COLOURS[int(likeness.argmax())]

    def _table(self, noun: str) -> torch.Tensor:
        """Unit vectors (10, D): the mean of a colour's texts."""
        import torch

        if noun not in self._tables:
            texts = [text.format(colour, noun) for colour in COLOURS for text in TEMPLATES]
            features = self.clip.encode_text(texts).view(len(COLOURS), len(TEMPLATES), -1)
            self._tables[noun] = torch.nn.functional.normalize(features.mean(1), dim=-1)
        return self._tables[noun]


def _class_name(noun: str) -> str:
    return CALLED.get(noun, noun)


def _task(own: Sequence[tuple[float, str]], bindings: int) -> tuple[float, str]:
    """Whether an image is right, where the task has so many bindings."""
    if len(own) != bindings:
        kind = "one coloured thing" if bindings == 1 else "two coloured things"
        return math.nan, f"the task is of {kind}"
    missing = next((reason for value, reason in own if math.isnan(value)), "")
    return (math.nan, missing) if missing else (min(value for value, _ in own), "")


def _parts(generations: Sequence[Generation], rows: Sequence[int]) -> list[list[int]]:
    """Few images of one shape at a time."""
    alike: dict[tuple[int, ...], list[int]] = {}
    for i in rows:
        alike.setdefault(generations[i].image.shape, []).append(i)
    return [
        group[start : start + TOGETHER]
        for group in alike.values()
        for start in range(0, len(group), TOGETHER)
    ]
