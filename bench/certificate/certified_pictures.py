"""What pictures of each certified kind look like to the bundled networks.

``python -m bench.cli.fit ood`` writes it, `bench.judge.certified_kinds` reads it. The scenes
are on seeds of their own, the path-traced ones are those for training: no picture of the
certificate takes part, so that its pictures can tell how often the detector is wrong.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from bench.certificate.conditions import REFERENCE_SEED, TRIALS
from bench.judge.certified_kinds import labelled_kind
from bench.judge.out_of_distribution import LEAST_PICTURES, Reference, fit_reference
from bench.judge.regions.cutout import SMALL, CutoutSegmenter

#: Sides at which a picture is looked at again, pixels, its shapes, and qualities as JPEG: what
#: means nothing must not make a picture unlike.
SIDES, SHAPES, QUALITIES = (192, 512), (0.8, 1.25), (92, 100)
#: A picture, and what is held out with it: the scene, or the subject where new ones are certified.
Shown = tuple[np.ndarray, str]


def rendered(scenes: int, seed: int = REFERENCE_SEED) -> Iterator[Shown]:
    """Scenes of the rendered world under the conditions of all trials."""
    for number, trial in enumerate(TRIALS.values()):
        if trial.conditions is not None:
            for answers in trial.batches(trial.count(scenes), seed + number):
                for one in answers:
                    if one.verdicts[0] != "invalid":
                        yield one.generation.image, one.generation.sample.id


def composites(scenes: int, seed: int = REFERENCE_SEED) -> Iterator[Shown]:
    """Icons over photographs, walls and plates."""
    for answers in TRIALS["icons on photographs, 256 px"].batches(scenes, seed):
        for one in answers:
            if one.verdicts[0] != "invalid":
                yield one.generation.image, one.generation.sample.id


def photoreal(*folders: Path) -> Iterator[Shown]:
    """Path-traced scenes of folders that `reference_models.photoreal.generate` wrote."""
    for folder in folders:
        yield from _scenes_in(folder)


def _scenes_in(folder: Path) -> Iterator[Shown]:
    for line in (folder / "scenes.jsonl").read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        with Image.open(folder / f"{record['number']:05d}.jpg") as file:
            yield (
                np.array(file.convert("RGB")),
                record["drawn"][0]["name"] if record["drawn"] else "",
            )


def looked_at_again(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The picture mirrored or not, through JPEG, and a large one of another size and shape."""
    picture = Image.fromarray(image[:, :: int(rng.choice((1, -1)))])
    if max(picture.size) > SMALL:
        shape, side = (float(np.exp(rng.uniform(*np.log(ends)))) for ends in (SHAPES, SIDES))
        width, height = picture.size
        kept = (int(width * min(1.0, shape)), int(height * min(1.0, 1 / shape)))
        left, top = (int(rng.integers(whole - part + 1)) for whole, part in
                     zip(picture.size, kept, strict=True))  # fmt: skip
        scale = side / max(kept)
        size = (round(kept[0] * scale), round(kept[1] * scale))
        box = (left, top, left + kept[0], top + kept[1])
        picture = picture.resize(size, Image.Resampling.BICUBIC, box)
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=int(rng.integers(*QUALITIES)))
    return np.array(Image.open(buffer).convert("RGB"))


def features_of(
    pictures: Iterator[Shown], networks: CutoutSegmenter, seed: int = 0
) -> dict[str, tuple[np.ndarray, list[str]]]:
    """Features of pictures and of what `looked_at_again` makes of each, by the network.

    Returns
    -------
    dict of str to (ndarray, list of str)
        By network its features (N, F), and what each picture shows.
    """
    rng = np.random.default_rng(seed)
    found: dict[str, tuple[list[np.ndarray], list[str]]] = {}
    batch: list[Shown] = []

    def flush() -> None:
        for (_, noun), one in zip(
            batch, networks.pooled([image for image, _ in batch]), strict=True
        ):
            values, nouns = found.setdefault(one.network, ([], []))
            values.append(one.values)
            nouns.append(noun)
        batch.clear()

    for image, noun in pictures:
        batch += [(image, noun), (looked_at_again(image, rng), noun)]
        if len(batch) >= 32:
            flush()
    flush()
    return {name: (np.stack(values), nouns) for name, (values, nouns) in found.items()}


def fit_references(
    scenes: int, folders: Sequence[Path], say: Callable[[str], None] = lambda line: None
) -> dict[str, Reference]:
    """References of both networks.

    Parameters
    ----------
    scenes : int
        Of a rendered trial; twice as many composites.
    folders : sequence of Path
        Path-traced scenes for training.
    say : callable
        Told what is being looked at.
    """
    networks = CutoutSegmenter()
    drawn = {
        "rendered": rendered(scenes),
        "composites": composites(2 * scenes),
        "photoreal": photoreal(*folders),
    }
    kinds: dict[str, dict[str, tuple[np.ndarray, list[str]]]] = {}
    for kind, pictures in drawn.items():
        say(f"looking at {kind} pictures")
        for network, seen in features_of(pictures, networks).items():
            # The few that the other network is given by mistake make no kind of its own.
            if len(seen[0]) >= 10 * LEAST_PICTURES:
                kinds.setdefault(network, {})[kind] = seen
    return {name: fit_reference(networks.layers[name], own) for name, own in kinds.items()}


def labelled_kinds(images: Sequence[np.ndarray]) -> list[dict[str, Any]]:
    """Kinds of one's own from labelled images, uint8 (H, W, 3): one a network that saw enough."""
    groups: dict[tuple[str, str], list[np.ndarray]] = {}
    for one in CutoutSegmenter().pooled(images):
        groups.setdefault((one.network, one.weights), []).append(one.values)
    return [
        labelled_kind(*key, np.stack(values))
        for key, values in sorted(groups.items())
        if len(values) >= LEAST_PICTURES
    ]
