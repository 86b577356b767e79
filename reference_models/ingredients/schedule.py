"""A schedule that never sees full noise: what black walls become.

``local-capped`` is ``local-cov-75`` but for the noisiest twentieth of the path, which it is never
trained on. Both are trained several times, a pair a seed, with the same pictures and noises; then
all draw the same captions from the same noises. Kept are the lightness of the walls that captions
call black, white, or nothing, and some of the black ones.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from prompts.colours import COLOUR_NAMES
from prompts.lab import srgb_to_lab
from reference_models.data import training_scenes
from reference_models.local import LocalModel
from reference_models.policies import policy
from reference_models.presets import PRESETS, build
from reference_models.resident import ResidentTraining
from reference_models.training_pictures import TrainingPictures, draw_pictures
from reference_models.upsampler import Upsampler
from reference_models.weights import FOLDER, fill, read_weights
from reference_models.world.captions import captions
from reference_models.world.render import render
from reference_models.world.scene import WALL, Scenes

#: Members that differ in the noise that they see alone, and the seeds of their trainings.
MEMBERS = ("local-cov-75", "local-capped")
SEEDS = (1, 2, 3)
#: Pictures of the pool that all trainings are shown.
POOL = 32_768
#: What they are shown.
SHOWN = "coverage-75"
#: Scenes that captions are chosen from, and how many of them are taken without choosing.
DRAWN, ANY = 16_384, 64
#: Pixels of the picture's edge, of 64, that are wall nearly always: the upper half of it.
EDGE = 6
#: Black walls that are kept of each training.
KEPT = 6


@dataclass(frozen=True, slots=True, eq=False)
class CaptionedWalls:
    """Captions of a kind, and the scenes that they are of: uint8 (N, 64, 64, 3)."""

    captions: list[str]
    pictures: np.ndarray


def captioned(drawn: int = DRAWN, some: int = ANY) -> dict[str, CaptionedWalls]:
    """Scenes as the members were shown: any, and those said to have a black or a white wall."""
    scenes = training_scenes(drawn, torch.Generator().manual_seed(7), policy(SHOWN))
    named = (scenes.says_scenery == WALL) & scenes.says_scenery_colour
    found = {"any": _rendered(scenes[:some])}
    for name in ("black", "white"):
        wall = scenes.scenery_term[:, WALL] == COLOUR_NAMES.index(name)
        found[name] = _rendered(scenes[torch.nonzero(named & wall).flatten()])
    return found


def _rendered(scenes: Scenes) -> CaptionedWalls:
    pictures = (render(scenes).image * 255).round().byte().permute(0, 2, 3, 1).numpy()
    return CaptionedWalls(captions(scenes), pictures)


def lightness(pictures: np.ndarray) -> list[float]:
    """L* of the mean colour of each picture's wall: its edge, the upper half.

    Parameters
    ----------
    pictures : ndarray, uint8, (N, 64, 64, 3)
        sRGB.
    """
    height, width = pictures.shape[1:3]
    wall = np.ones((height, width), dtype=bool)
    wall[EDGE:, EDGE:-EDGE] = False
    wall[height // 2 :] = False
    means = pictures[:, wall].mean(axis=1).round().astype(int).tolist()
    return [srgb_to_lab((red, green, blue))[0] for red, green, blue in means]


def train(
    out: Path,
    device: str,
    deadline: float,
    images: int | None = None,
    pool: int = POOL,
    seeds: tuple[int, ...] = SEEDS,
    scenes: Mapping[str, CaptionedWalls] | None = None,
) -> None:
    """Train the pairs, seed by seed, and write what they draw into ``tone.json`` and ``*.png``.

    Parameters
    ----------
    out : Path
        A pair that is in ``tone.json`` already is not trained again.
    device : str
    deadline : float
        Time (`time.monotonic`) after which no pair is begun, and the one in hand is left.
    images : int, optional
        Pictures seen by each; the presets' own by default.
    pool : int
        Pictures drawn.
    seeds : tuple of int
    scenes : mapping, optional
        Of `captioned`.
    """
    out.mkdir(parents=True, exist_ok=True)
    file = out / "tone.json"
    found = json.loads(file.read_text()) if file.exists() else {}
    scenes = captioned() if scenes is None else scenes
    if "rendered" not in found:
        drawn = {kind: one.pictures for kind, one in scenes.items()}
        found["rendered"] = _plain(drawn)
        _write_walls(out / "black-rendered.png", drawn["black"])
        file.write_text(json.dumps(found, indent=1))
    bundled = f"{MEMBERS[1]}-bundled"
    if bundled not in found and time.monotonic() < deadline:
        drawn = _drawn(LocalModel(FOLDER / f"{MEMBERS[1]}.safetensors", device), scenes)
        _write_walls(out / f"black-{bundled}.png", drawn["black"])
        found[bundled] = _plain(drawn)
        file.write_text(json.dumps(found, indent=1))
    place = torch.device(device)
    pictures: TrainingPictures | None = None
    for seed in seeds:
        names = [name for name in MEMBERS if f"{name}-seed{seed}" not in found]
        if not names or time.monotonic() > deadline:
            continue
        if pictures is None:
            pictures = draw_pictures(pool, 1, policy(SHOWN), device=place)
        trainings = [_begun(name, seed, images, pictures, place) for name in names]
        left = list(trainings)
        while left and time.monotonic() < deadline:
            left = [one for one in left if not one.advance()]
        if left:
            return
        for name, training in zip(names, trainings, strict=True):
            loss = training.finish()
            drawn = _drawn(_model_of(training), scenes)
            _write_walls(out / f"black-{name}-seed{seed}.png", drawn["black"])
            seen = training.steps * training.preset.batch
            found[f"{name}-seed{seed}"] = _plain(drawn) | {"pictures": seen, "loss": loss}
        file.write_text(json.dumps(found, indent=1))


def _begun(
    name: str, seed: int, images: int | None, pictures: TrainingPictures, device: torch.device
) -> ResidentTraining:
    preset = replace(PRESETS[name], seed=seed, images=images or PRESETS[name].images)
    torch.manual_seed(seed)
    return ResidentTraining(build(preset), preset, [(pictures, 1.0)], device, bf16=True)


def _model_of(training: ResidentTraining) -> LocalModel:
    network, upsampler = training.model, Upsampler()
    network.load_state_dict(training.average)
    stored = FOLDER / "local-teacher.safetensors"
    fill(upsampler, read_weights(stored)[0], "upsampler.", stored)
    return LocalModel.of(network, upsampler.to(training.device), training.preset, None)


def _drawn(model: LocalModel, scenes: Mapping[str, CaptionedWalls]) -> dict[str, np.ndarray]:
    return {
        kind: model.draw(one.captions, range(len(one.captions)))[0].numpy()
        for kind, one in scenes.items()
    }


def _plain(pictures: Mapping[str, np.ndarray]) -> dict[str, object]:
    """Lightness of every wall, by kind of caption."""
    return {kind: [round(one, 2) for one in lightness(some)] for kind, some in pictures.items()}


def _write_walls(path: Path, pictures: np.ndarray) -> None:
    """The first of the pictures whose captions call the wall black, side by side."""
    Image.fromarray(np.concatenate(list(pictures[:KEPT]), axis=1)).save(path)
