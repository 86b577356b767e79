"""A real small image maker and a plain crew: coloured shapes, drawn with numpy from the seed."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from bench.protocols import Sampler, SamplerInfo
from bench.records import Fingerprint, Generation, Regions, Score
from bench.run.components import Components
from prompts.cells import Binding, Cell, Sample
from prompts.colours import BASIC, COLOURS
from prompts.subjects import SUBJECTS

SIZE = 32


class ShapeSampler(Sampler):
    """Draws a disc on a plate before a wall; the colour sometimes goes astray, by the seed."""

    def __init__(self, steps: int = 4, pause: float = 0.0, batch_size: int = 4) -> None:
        self.steps = steps
        self.pause = float(os.environ.get("SHAPES_PAUSE", pause))
        self.batch_size = batch_size
        self.made = 0
        fingerprint = Fingerprint(
            "sampler",
            "shapes",
            {"steps": steps, "batch_size": batch_size},
            weights="0123456789abcdef",
            versions={"numpy": np.__version__},
        )
        self.info = SamplerInfo(fingerprint, batch_size)

    def sample(self, samples):
        if mark := os.environ.get("SHAPES_MARK"):
            Path(mark).touch()
        for start in range(0, len(samples), self.batch_size):
            batch = samples[start : start + self.batch_size]
            time.sleep(self.pause)
            for sample in batch:
                self.made += 1
                yield Generation(sample, draw(sample, self.steps), self.pause)


class DamagedSampler(ShapeSampler):
    """The same, but every subject keeps its own colour."""

    def sample(self, samples):
        for sample in samples:
            cell = sample.cell
            plain = tuple(Binding(None, binding.subject) for binding in cell.bindings)
            yield Generation(sample, draw(Sample(replace(cell, bindings=plain), sample.index)))


def draw(sample, steps: int = 4) -> np.ndarray:
    rng = np.random.default_rng(sample.seed)
    y, x = np.mgrid[0:SIZE, 0:SIZE]
    image = np.full((SIZE, SIZE, 3), rng.integers(150, 220), np.int64)
    disc, plate = parts(rng, x, y)
    binding = sample.cell.bindings[0]
    fate = np.random.default_rng([sample.seed, len(sample.cell.id)]).random()
    natural = SUBJECTS[binding.subject].canonical[0] if binding.subject in SUBJECTS else "brown"
    asked = binding.colour or natural
    image[plate] = COLOURS[asked if fate > 0.8 else "white"].srgb
    image[disc] = COLOURS[natural if 0.7 < fate <= 0.9 else asked].srgb
    image += rng.integers(-steps, steps + 1, image.shape)
    return image.clip(0, 255).astype(np.uint8)


def parts(rng, x, y):
    cx, cy = rng.uniform(12, 20, 2)
    disc = (x - cx) ** 2 + (y - cy) ** 2 < 49
    plate = (y > 22) & (y < 29) & (x > 4) & (x < 28) & ~disc
    return disc, plate


class ShapeSegmenter:
    """Knows where the shapes are: it draws them again from the seed... of the picture's own wall.

    It reads the picture only, as a segmenter must: the disc is looked for in the middle.
    """

    fingerprint = Fingerprint("segmenter", "shapes", {"radius": 6})

    def segment(self, images, cells):
        found = []
        for image, cell in zip(images, cells, strict=True):
            height, width = image.shape[:2]
            y, x = np.mgrid[0:height, 0:width]
            disc = (x - 16) ** 2 + (y - 16) ** 2 < 36
            plate = (y > 24) & (y < 28) & (x > 6) & (x < 26)
            masks = np.stack([disc] * len(cell.bindings)).astype(np.float32) / len(cell.bindings)
            background = (~disc & ~plate).astype(np.float32)
            found.append(
                Regions(
                    tuple(binding.subject for binding in cell.bindings),
                    masks,
                    np.ones(len(cell.bindings), np.float32),
                    ("plate",),
                    plate[None].astype(np.float32),
                    background,
                    "shapes",
                )
            )
        return found


class MeanScorer:
    """Shares of the nearest basic colour in the regions; a plain stand-in for the real scorer."""

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = gain
        self.fingerprint = Fingerprint("scorer", "mean", {"gain": gain})

    def score(self, generations, regions):
        scores = []
        prototypes = np.array([colour.srgb for colour in BASIC])
        for generation, region in zip(generations, regions, strict=True):
            near = ((generation.image[:, :, None].astype(int) - prototypes) ** 2).sum(-1).argmin(-1)
            one_hot = np.eye(len(BASIC))[near]
            for number, binding in enumerate(generation.sample.cell.bindings):
                places = {
                    "subject": region.masks[number],
                    "background": region.background,
                    "neighbour": region.neighbour_masks[0],
                }
                values = {"presence": 1.0}
                for place, mask in places.items():
                    share = (one_hot * mask[..., None]).sum((0, 1)) / mask.sum() * self.gain
                    for colour, value in zip(BASIC, share, strict=True):
                        values[f"{place}_{colour.name}"] = float(value)
                if binding.colour is not None:
                    values["bind"] = values[f"subject_{binding.colour}"]
                    values["leak_background"] = values[f"background_{binding.colour}"]
                    values["leak_neighbour"] = values[f"neighbour_{binding.colour}"]
                sample_id = generation.sample.id
                scores += [Score(sample_id, "mean", k, v, number) for k, v in values.items()]
        return scores


class EdgeScorer:
    """A second scorer, of one metric."""

    fingerprint = Fingerprint("scorer", "edges")

    def score(self, generations, regions):
        return [
            Score(g.sample.id, "edges", "clip_bind", float(np.ptp(g.image) / 255), number)
            for g in generations
            for number in range(len(g.sample.cell.bindings))
        ]


def crew(**options) -> Components:
    return Components(ShapeSampler(**options), ShapeSegmenter(), {"mean": MeanScorer()})


def cells(colours=("red", "blue", "green"), subjects=("potato", "cup")) -> tuple[Cell, ...]:
    out = []
    for subject in subjects:
        control = f"control/{subject}"
        out.append(
            Cell(
                control,
                f"a {subject}",
                (Binding(None, subject),),
                "control",
                control,
                tags=frozenset({"control"}),
            )
        )
        for colour in colours:
            tags = frozenset({"single", "seen" if colour == "red" else "novel"})
            out.append(
                Cell(
                    f"single/{colour}/{subject}",
                    f"a {colour} {subject}",
                    (Binding(colour, subject),),
                    "single",
                    control,
                    tags=tags,
                )
            )
    return tuple(out)
