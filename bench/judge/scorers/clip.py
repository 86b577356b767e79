"""The ``clip`` scorer: what a CLIP makes of the subject alone, and of the picture as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from bench.judge.clip.crop import masked_crop
from bench.judge.colour.named import basic_term
from bench.judge.device import in_threads
from bench.records import Fingerprint, Generation, Regions, Score
from prompts.cells import Binding, Cell
from prompts.colours import COLOUR_NAMES
from prompts.grammar import noun_phrase
from prompts.subjects import SUBJECTS, Subject

if TYPE_CHECKING:
    from bench.judge.clip.model import Clip

METRICS: tuple[str, ...] = ("clip_bind", "clip_contrast")
#: Of this scorer's code: the next one with every change that moves a score and that no other option
#: of its record tells.
REVISION = 2
#: Below this presence there is no subject to cut out.
MIN_PRESENCE = 0.5
_NAN = float("nan")


class ClipScorer:
    """Probability of the asked colour by CLIP, on the masked crop and on the whole image.

    ``clip_bind`` is the share of ``a blue potato`` among the potato in all eleven colours, seen on
    the subject cut out by its mask. ``clip_contrast`` is the share of ``a blue potato`` among the
    ways in which the colour could have gone astray (`rivals`), seen on the whole image.

    Parameters
    ----------
    clip : str or Clip
        What `bench.judge.clip.load_clip` takes, or a loaded one. That of the segmenter, where it
        has one tower for all, gives its pass over the whole image to this scorer for nothing.
    device : str
    """

    name = "clip"

    def __init__(self, clip: str | Clip = "bundled", device: str = "cpu") -> None:
        if isinstance(clip, str):
            from bench.judge.clip import load_clip

            clip = load_clip(clip, device)
        self.clip = clip
        self.bind_scale = float(clip.calibration.get("bind_scale", clip.scale))
        self.contrast_scale = float(clip.calibration.get("contrast_scale", clip.scale))
        small = clip.fingerprint.options.get("pooled_tower")
        self.fingerprint = Fingerprint(
            kind="scorer",
            name=self.name,
            options={
                "clip": clip.name,
                "bind_scale": round(self.bind_scale, 4),
                "contrast_scale": round(self.contrast_scale, 4),
                "revision": REVISION,
                **({"pooled_tower": small} if small else {}),
            },
            weights=clip.fingerprint.weights,
            versions=clip.fingerprint.versions,
        )

    def score(self, generations: Sequence[Generation], regions: Sequence[Regions]) -> list[Score]:
        """Both metrics of every binding of every image; NaN with a reason where not measured."""
        if len(generations) != len(regions):
            raise ValueError(f"{len(generations)} images but {len(regions)} regions")
        values: dict[tuple[int, int, str], tuple[float, str]] = {}
        crops: list[tuple[int, int, np.ndarray, tuple[str, ...]]] = []
        wholes: list[tuple[int, int, tuple[str, ...]]] = []
        images = in_threads(self.clip.fitted, [generation.image for generation in generations])
        for i, (generation, region) in enumerate(zip(generations, regions, strict=True)):
            cell = generation.sample.cell
            void = generation.invalid
            for k, binding in enumerate(cell.bindings):
                reason = f"invalid: {void}" if void else self._why_not(binding)
                if reason:
                    values.update({(i, k, metric): (_NAN, reason) for metric in METRICS})
                    continue
                wholes.append((i, k, rivals(cell, k)))
                crop, reason = _cut_out(images[i], cell, region, k)
                if crop is None:
                    values[i, k, "clip_bind"] = (_NAN, reason)
                else:
                    crops.append((i, k, crop, _in_all_colours(binding)))
        # All texts of the batch in one pass; the tables below are then made of known ones.
        lists = [texts for *_, texts in crops] + [texts for *_, texts in wholes]
        self.clip.encode_text([text for texts in lists for text in texts])
        # So are its pictures: whole ones, then crops.
        seen = sorted({i for i, _, _ in wholes})
        views = [*(images[i] for i in seen), *(crop for *_, crop, _ in crops)]
        features = self.clip.encode_image(views).numpy()
        of_image = dict(zip(seen, features, strict=False))
        for i, k, texts in wholes:
            share = self._share(texts, of_image[i], self.contrast_scale)
            values[i, k, "clip_contrast"] = (share, "")
        for (i, k, _, texts), feature in zip(crops, features[len(seen) :], strict=True):
            values[i, k, "clip_bind"] = (self._share(texts, feature, self.bind_scale), "")
        return [
            Score(generation.sample.id, self.name, metric, *_split(values[i, k, metric], k))
            for i, generation in enumerate(generations)
            for k in range(len(generation.sample.cell.bindings))
            for metric in METRICS
        ]

    def _why_not(self, binding: Binding) -> str:
        if binding.colour is None:
            return "the prompt asks for no colour"
        unknown = self.clip.unknown_words(f"{binding.colour} {binding.subject}")
        if unknown:
            return f"the CLIP {self.clip.name} does not know {', '.join(map(repr, unknown))}"
        return ""

    def _share(self, texts: tuple[str, ...], feature: np.ndarray, scale: float) -> float:
        """What the first text has of all by their likeness to a picture."""
        logits = scale * (self.clip.text_table(texts).numpy() @ feature).astype(np.float64)
        weights = np.exp(logits - logits.max())
        return float(weights[0] / weights.sum())


def rivals(cell: Cell, index: int) -> tuple[str, ...]:
    """What was asked of a binding, first, and the ways in which its colour could go astray.

    On a plate, on the wall behind, the natural colour instead, and in a pair the other one's.
    """
    return _rivals(cell.bindings, index)


@lru_cache(maxsize=4096)
def _rivals(bindings: tuple[Binding, ...], index: int) -> tuple[str, ...]:
    binding = bindings[index]
    subject = _subject(binding)
    bare = _phrase(None, subject)
    texts = [_phrase(binding.colour, subject)]
    texts.append(f"{bare} on {_phrase(binding.colour, Subject('plate'))}")
    texts.append(f"{bare} in front of {_phrase(binding.colour, Subject('wall'))}")
    beside = [b.colour for b in bindings if b.colour]
    other = [c for c in (*subject.canonical, *beside) if _meant(c) != _meant(binding.colour)]
    texts.extend(_phrase(colour, subject) for colour in dict.fromkeys(other))
    return tuple(texts)


_phrase = lru_cache(maxsize=4096)(noun_phrase)


@lru_cache(maxsize=4096)
def _in_all_colours(binding: Binding) -> tuple[str, ...]:
    """The subject in the asked colour, first, and in every other basic one."""
    others = [name for name in COLOUR_NAMES if name != _meant(binding.colour)]
    return tuple(_phrase(colour, _subject(binding)) for colour in (binding.colour, *others))


def _meant(colour: str | None) -> str | None:
    """The basic term, where the word is one in any spelling: grey is gray."""
    return (basic_term(colour) or colour) if colour else None


def _subject(binding: Binding) -> Subject:
    return SUBJECTS.get(binding.subject, Subject(binding.subject))


def _cut_out(
    image: np.ndarray, cell: Cell, regions: Regions, index: int
) -> tuple[np.ndarray | None, str]:
    name = cell.bindings[index].subject
    subjects = regions.subjects
    place = index if index < len(subjects) and subjects[index] == name else -1
    if place < 0:
        if name not in subjects:
            return None, f"the segmenter gave no region for {name}"
        place = subjects.index(name)
    if regions.found[place] < MIN_PRESENCE:
        return None, f"no {name} found"
    crop = masked_crop(image, regions.masks[place])
    return crop, "" if crop is not None else f"no {name} found"


def _split(value: tuple[float, str], binding: int) -> tuple[float, int, str]:
    return value[0], binding, value[1]
