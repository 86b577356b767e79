"""Teach miniatures the rendered world: ``python -m reference_models.miniatures.teach NAME...``.

Grounding DINO and Mask2Former learn by the losses of their own heads in transformers; for the
others a loss for words that are there once or not at all stands beside (`losses`). Each is written
to ``OUT/NAME`` as `from_pretrained` reads it, now and then and at the end, in float16.
"""

from __future__ import annotations

import copy
import json
import math
import time
from pathlib import Path
from typing import Any

import click
import torch
from safetensors.torch import load_file

from prompts.subjects import SUBJECT_NAMES
from reference_models.miniatures.models import MINIATURES, save
from reference_models.miniatures.pupils import Pupil, resized
from reference_models.miniatures.scenes import ByHeart, Lessons

#: Seconds between two looks at scenes that are not learned from.
LOOK = 20.0
#: Share of the weights' mean that is kept at each step.
EMA = 0.995


@torch.no_grad()
def looked(pupil: Pupil, model: Any, lessons: Lessons, rounds: int = 4) -> dict[str, float]:
    """Mean intersection over union, and mean scores of the words that are there and are not."""
    model.eval()
    overlap, present, absent = [], [], []
    for number in range(rounds):
        lesson = lessons.draw(64, number % 2 == 1, pupil.subjects)
        found, scores = pupil.answer(model, lesson)
        known = torch.tensor([pupil.knows(word) for word in lesson.words]).to(scores.device)
        there = lesson.there & known
        present.append(scores[there])
        absent.append(scores[~there & known])
        if found.ndim == 3:
            a, b = found[there], lesson.boxes[there]
            low, high = torch.maximum(a[:, :2], b[:, :2]), torch.minimum(a[:, 2:], b[:, 2:])
            both = (high - low).clamp(min=0).prod(-1)
            area = (a[:, 2:] - a[:, :2]).clamp(min=0).prod(-1) + (b[:, 2:] - b[:, :2]).prod(-1)
            overlap.append(both / (area - both).clamp(min=1e-6))
        else:
            size = lesson.masks.shape[-2:]
            a, b = resized(found, size)[there] > 0.5, lesson.masks[there] > 0.5
            overlap.append((a & b).sum((1, 2)) / (a | b).sum((1, 2)).clamp(min=1))
    return {
        "overlap": round(float(torch.cat(overlap).mean()), 4),
        "score_there": round(float(torch.cat(present).mean()), 4),
        "score_absent": round(float(torch.cat(absent).mean()), 4),
    }


def teach(
    name: str, seconds: float, out: Path, lessons: Lessons, held: Lessons, batch: int, rate: float,
    seed: int = 0, start: Path | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Teach one miniature for some seconds, and write it; the last look at it.

    Parameters
    ----------
    name : str
        One of ``MINIATURES``.
    seconds : float
        Wall time; the rate falls to zero over it.
    out : Path
        Its folder; ``curve.jsonl`` beside the weights has what was seen on the way.
    lessons, held : Lessons
        To learn from, and to look at.
    batch : int
        Pictures a step.
    rate : float
        Highest learning rate.
    seed : int
    start : Path, optional
        Folder of an earlier one, which it goes on from.
    """
    pupil = Pupil(name, lessons.device, seed)
    if start is not None:
        pupil.model.load_state_dict(load_file(start / "model.safetensors"), strict=False)
    model = pupil.model.train()
    slow = copy.deepcopy(model)
    mine, means = list(model.parameters()), list(slow.parameters())
    optimiser = torch.optim.AdamW(mine, lr=rate, weight_decay=0.01)
    out.mkdir(parents=True, exist_ok=True)
    started = last = time.monotonic()
    step, mean = 0, torch.zeros((), device=lessons.device)
    while True:
        done = (time.monotonic() - started) / seconds
        warm = min(1.0, (step + 1) / 100)
        for group in optimiser.param_groups:
            group["lr"] = rate * warm * (0.01 + 0.495 * (1 + math.cos(math.pi * min(done, 1.0))))
        model.train()
        # Every other lesson is of scenes as they are drawn.
        loss = pupil.lose(model, lessons.draw(batch, step % 2 == 1, pupil.subjects))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(mine, 1.0)
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        step += 1
        with torch.no_grad():
            torch._foreach_lerp_(means, mine, 1 - min(EMA, step / (step + 10)))
        mean = mean + (loss.detach() - mean) / min(step, 50)
        if done >= 1 or time.monotonic() - last > LOOK:
            last = time.monotonic()
            found = {"name": name, "step": step, "seconds": round(last - started, 1),
                     "loss": round(float(mean), 4), **looked(pupil, slow, held)}  # fmt: skip
            click.echo(json.dumps(found), err=True)
            with (out / "curve.jsonl").open("a", encoding="utf-8") as file:
                file.write(json.dumps(found) + "\n")
            save(copy.deepcopy(slow).half(), pupil.processor, out)
        if done >= 1:
            return found


@click.command()
@click.argument("names", nargs=-1, required=True, type=click.Choice(list(MINIATURES)))
@click.option("--seconds", default=240.0, show_default=True, help="Of each.")
@click.option("--device", default="cpu", show_default=True)
@click.option("--out", type=click.Path(path_type=Path), default=Path("miniatures"))
@click.option("--batch", default=64, show_default=True)
@click.option("--scenes", default=16_384, show_default=True, help="Drawn before, learned from.")
@click.option("--rate", default=1e-3, show_default=True)
@click.option("--threads", default=0, show_default=True, help="Of torch; 0 for its own choice.")
@click.option("--by-heart", is_flag=True, help="Twelve pictures, again and again.")
@click.option("--nouns", default="", help="Subjects, parted by commas.  [default: all]")
@click.option(
    "--start", type=click.Path(exists=True, path_type=Path), help="Folder of earlier ones."
)
@click.option("--seed", default=0, show_default=True)
def main(
    names: tuple[str, ...],
    seconds: float,
    device: str,
    out: Path,
    batch: int,
    scenes: int,
    rate: float,
    threads: int,
    by_heart: bool,
    nouns: str,
    start: Path | None,
    seed: int,
) -> None:
    """Teach miniatures one after the other; a line of JSON each on stdout."""
    import transformers

    if threads:
        torch.set_num_threads(threads)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    torch.backends.cuda.matmul.allow_tf32 = True
    torch.manual_seed(seed)
    own = tuple(nouns.split(",")) if nouns else SUBJECT_NAMES
    lessons = Lessons(scenes, seed, device, own)
    held = Lessons(1024, seed + 987_654, device, own)
    if by_heart:
        lessons = held = ByHeart(seed, device)
    click.echo(f"{len(lessons.pictures)} scenes", err=True)
    for name in names:
        before = start / name if start else None
        found = teach(name, seconds, out / name, lessons, held, batch, rate, seed, before)
        click.echo(json.dumps(found))


if __name__ == "__main__":
    main()
