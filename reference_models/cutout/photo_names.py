"""Fit the names of the decoder over photographs: ``python -m reference_models.cutout.photo_names``.

What names a thing is linear in what is seen of it, and so is the mean over it: a multinomial
logistic regression on the means over things, of what the decoder and the backbone see, has one
optimum, which is found in a minute where a training of the whole would need hours. Means over parts
of a thing are learned too, since nobody knows its outline when it is looked for.

References
----------
Bishop (2006), "Pattern Recognition and Machine Learning", 4.3.4 (multiclass logistic regression).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import click
import torch
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import functional as F

from reference_models.cutout.photo_data import MOST
from reference_models.cutout.photo_decoder import (
    NAMES,
    OTHER,
    PhotoDecoder,
    doubled,
    widths_of,
    with_all_names,
)
from reference_models.cutout.photo_lessons import SeenPictures, keep, lessons_in, read_lesson
from reference_models.denormals import flushed

#: Weight of a thing that has no name here, of a composed one, and of a mean over a part.
_OTHER, _COMPOSED, _PART = 0.4, 0.5, 0.5
#: Parts of a thing that are drawn, and their radii in places of a sixteenth of the side.
_PARTS, _RADII = 2, (1.0, 2.5)
_STEPS = 200


@torch.no_grad()
def means_of_things(
    decoder: PhotoDecoder, lesson: SeenPictures, g: torch.Generator, parts: int = _PARTS
) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """What is seen of the things of a lesson, over the whole of each and over parts of it.

    Yields
    ------
    tuple of Tensor
        Means (M, C), index into `NAMES` (M,), and weights (M,).
    """
    truth = lesson.truth
    seen = decoder.seen_of_names(lesson.features)
    maps = torch.cat([*seen[:2], doubled(seen[2])], 1)
    side = maps.shape[-1]
    inside = truth.things[:, None] == torch.arange(1, MOST + 1).view(1, -1, 1, 1)
    share = F.avg_pool2d(inside.float(), truth.things.shape[-1] // side)
    valid = (share.sum((2, 3)) > 0.33) & (truth.names >= 0)
    base = torch.where(truth.names == OTHER, _OTHER, 1.0)
    base = base * torch.where(truth.merged, _COMPOSED, 1.0)[:, None]
    axis = torch.arange(float(side))
    for part in range(parts + 1):
        weight = share
        if part:
            at = (share * torch.rand(share.shape, generator=g)).flatten(2).argmax(2)
            radius = _RADII[0] + (_RADII[1] - _RADII[0]) * torch.rand(at.shape, generator=g)
            far = (axis.view(1, 1, -1, 1) - (at // side)[..., None, None]) ** 2
            far = far + (axis.view(1, 1, 1, -1) - (at % side)[..., None, None]) ** 2
            weight = share * torch.exp(-far / (2 * radius[..., None, None] ** 2))
        total = weight.sum((2, 3)).clamp(min=1e-6)
        mean = torch.einsum("nkhw,nchw->nkc", weight, maps) / total[..., None]
        yield mean[valid], truth.names[valid], (base * (_PART if part else 1.0))[valid]


def regression(
    x: Tensor, called: Tensor, weight: Tensor, penalty: float, steps: int = _STEPS
) -> tuple[Tensor, Tensor]:
    """Weights (K, C) and biases (K,) of the names, by maximum likelihood with a ridge.

    Parameters
    ----------
    x : Tensor, float (M, C)
        Standardised here; the ridge is on standardised values.
    called : Tensor, int64 (M,)
    weight : Tensor, float (M,)
    penalty : float
        Of the sum of squares.
    """
    mean, scale = x.mean(0), x.std(0) + 1e-2
    z = (x - mean) / scale
    slopes = torch.zeros(len(NAMES), x.shape[1], requires_grad=True)
    biases = torch.zeros(len(NAMES), requires_grad=True)
    opt = torch.optim.LBFGS([slopes, biases], max_iter=steps, line_search_fn="strong_wolfe")
    weight = weight / weight.sum()

    def loss() -> Tensor:
        opt.zero_grad()
        each = F.cross_entropy(z @ slopes.T + biases, called, reduction="none")
        total = (each * weight).sum() + penalty * slopes.square().sum()
        total.backward()
        return total

    opt.step(loss)
    flat = slopes.detach() / scale
    return flat, biases.detach() - flat @ mean


@click.command()
@click.option("--features", "lessons", type=click.Path(exists=True, path_type=Path), required=True,
              help="What `photo_train features` wrote.")  # fmt: skip
@click.option("--start", type=click.Path(exists=True, path_type=Path), required=True,
              help="The decoder whose names are fitted.")  # fmt: skip
@click.option("--penalty", default=2e-3, show_default=True)
@click.option("--out", type=click.Path(path_type=Path), required=True)
@flushed()
def main(lessons: Path, start: Path, penalty: float, out: Path) -> None:
    """Fit the names; write the decoder with them."""
    torch.set_num_threads(1)
    stored = with_all_names(load_file(start))
    decoder = PhotoDecoder(widths_of(stored))
    decoder.load_state_dict(stored)
    decoder.eval()
    g = torch.Generator().manual_seed(0)
    rows = [
        row
        for path in lessons_in(lessons)
        for row in means_of_things(decoder, read_lesson(path, torch.device("cpu")), g)
    ]
    x, called, weight = (torch.cat(column) for column in zip(*rows, strict=True))
    # Each name speaks by the root of how often it is met.
    often = torch.zeros(len(NAMES)).index_add(0, called, weight)
    slopes, biases = regression(x, called, weight / often[called].clamp(min=1).sqrt(), penalty)
    with torch.no_grad():
        start_at = 0
        for unit in (decoder.names, decoder.names_16, decoder.names_32):
            width = unit.weight.shape[1]
            unit.weight.copy_(slopes[:, start_at : start_at + width, None, None])
            start_at += width
        assert decoder.names.bias is not None
        decoder.names.bias.copy_(biases)
    keep(out, dict(decoder.state_dict()))
    right = ((x @ slopes.T + biases).argmax(1) == called).float().mean()
    click.echo(json.dumps({"things": len(x), "right": round(float(right), 3)}))


if __name__ == "__main__":
    main()
