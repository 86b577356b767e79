"""The rendered world and the bundled CLIP: ``python -m benchmarks.world``.

Scenes a second on all threads of torch, at 64 x 64 pixels with all masks, and the zero-shot
accuracy of the bundled CLIP on fresh scenes that it was not trained on.
"""

from __future__ import annotations

import json
import time

import click
import torch

from bench.judge.clip.bundled import bundled_files
from bench.judge.clip.load import load_clip
from reference_models.clip.evaluate import evaluate
from reference_models.clip.pooled import load_pooled
from reference_models.data import training_scenes
from reference_models.world.render import render

#: Scenes drawn together; the trainings use blocks of this order.
BLOCK = 1_024
#: Not a seed of any training.
SEED = 424_242


def scenes_per_second(blocks: int) -> dict[str, float]:
    """Best of some blocks: scenes a second, choosing them and drawing them, and drawing alone."""
    generator = torch.Generator().manual_seed(SEED)
    whole, drawing = 0.0, 0.0
    for _ in range(blocks):
        start = time.perf_counter()
        scenes = training_scenes(BLOCK, generator)
        chosen = time.perf_counter()
        render(scenes)
        end = time.perf_counter()
        whole = max(whole, BLOCK / (end - start))
        drawing = max(drawing, BLOCK / (end - chosen))
    return {"scenes/s": round(whole), "scenes/s, drawing alone": round(drawing)}


@click.command()
@click.option("--blocks", default=5, help="Blocks of scenes that are timed.")
@click.option("--scenes", default=2_000, help="Fresh scenes that CLIP is asked about.")
def main(blocks: int, scenes: int) -> None:
    """Measure the world's speed and the bundled CLIP's zero-shot accuracy."""
    clip = load_clip("bundled")
    small = load_pooled(bundled_files().pooled)
    print(
        json.dumps(
            {
                "threads": torch.get_num_threads(),
                **scenes_per_second(blocks),
                "zero-shot": evaluate(clip.model, clip.tokenizer, scenes, SEED, tower=small),
                "zero-shot, vision transformer alone": evaluate(
                    clip.model, clip.tokenizer, scenes, SEED
                ),
            },
            indent=1,
        )
    )


if __name__ == "__main__":
    main()
