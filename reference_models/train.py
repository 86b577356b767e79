"""Train a model of the family: ``python -m reference_models.train --preset local-atomic``.

Pictures come from the rendered world while they are needed. Every few minutes a checkpoint, a
line of ``log.csv`` and a sample sheet are written; a training that was stopped goes on from its
last checkpoint when the same command is given again. At the end the upsampler is trained where
there is none, and the averaged weights and the manifest of what the captions said are written as
one model. ``accelerate launch -m reference_models.train ...`` trains on several devices.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from prompts.manifest import TrainingManifest
from reference_models import schedule
from reference_models.data import ScenePool
from reference_models.denormals import flushed
from reference_models.errors import ModelError
from reference_models.parallel import workplace
from reference_models.path import between, velocity
from reference_models.policies import policy
from reference_models.presets import PRESETS, TrainingPreset, build
from reference_models.publish import publish
from reference_models.scalars import Scalars
from reference_models.sheet import write_sheet
from reference_models.times import training_times
from reference_models.tokens.masked import hidden_places
from reference_models.tokens.model import MaskedModel, TokenModel
from reference_models.tokens.training import quantiser_for
from reference_models.train_upsampler import upsampler_for
from reference_models.training import Training
from reference_models.weights import fill, find_weights, read_weights

_ALPHAS, _SIGMAS = schedule.signal().float(), schedule.noise().float()
_WEIGHTS = schedule.weight().float()


def noised(
    noise: Tensor, pictures: Tensor, generator: torch.Generator, preset: TrainingPreset
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """A state between noise and pictures, and what is to be predicted from it.

    Returns
    -------
    state : Tensor (N, 3, H, W)
    time : Tensor (N,)
        In [0, 1].
    target : Tensor (N, 3, H, W)
    weight : Tensor (N,)
        Of the squared error of each.
    """
    n = len(pictures)
    if preset.target == "noise":
        k = torch.randint(schedule.STEPS, (n,), generator=generator)
        alpha, sigma = _ALPHAS[k].view(-1, 1, 1, 1), _SIGMAS[k].view(-1, 1, 1, 1)
        return alpha * pictures + sigma * noise, k / schedule.STEPS, noise, _WEIGHTS[k]
    t = preset.first + (1 - preset.first) * training_times(n, generator)
    return between(noise, pictures, t), t, velocity(noise, pictures), torch.ones(n)


def loss_of(
    model: nn.Module,
    pictures: Tensor,
    ids: Tensor,
    generator: torch.Generator,
    preset: TrainingPreset,
) -> Tensor:
    """What is to be made small, a scalar.

    Mean squared error of the velocity on the straight path (Lipman et al. 2023, eq. 9) or of the
    noise on a discrete schedule (Ho et al. 2020, eq. 12, weighted by ``schedule.weight``), or the
    surprise at the codes, in nats a code.
    """
    device = next(model.parameters()).device
    if isinstance(model, TokenModel):
        pictures, ids = pictures.to(device), silenced(ids, generator, preset.drop).to(device)
        given: list[Tensor] = []
        if isinstance(model, MaskedModel):
            given = [hidden_places(len(ids), model.places, generator).to(device)]
        with torch.autocast(device.type, torch.bfloat16):
            logits, codes = model(pictures, model.encode(ids), *given)
        return F.cross_entropy(logits.float(), codes)
    noise = torch.randn(pictures.shape, generator=generator)
    x, t, target, weight = noised(noise, pictures, generator, preset)
    ids = silenced(ids, generator, preset.drop)
    x, t, target, weight, ids = (v.to(device) for v in (x, t, target, weight, ids))
    with torch.autocast(device.type, torch.bfloat16):
        predicted = model(x, t, model.encode(ids))  # type: ignore[operator]
    return (weight * (predicted.float() - target).square().mean((1, 2, 3))).mean()


def silenced(ids: Tensor, generator: torch.Generator, share: float) -> Tensor:
    """Token ids (N, L) with a share of the captions left out, for guidance."""
    return torch.where((torch.rand(len(ids), generator=generator) < share)[:, None], 0, ids)


def begin(model: nn.Module, name: str) -> None:
    """Start from the weights of a model of the same network, or from its quantiser.

    Raises
    ------
    ModelError
        It is not bundled and was not trained; the message has the command.
    """
    path = find_weights(name)
    tensors, facts = read_weights(path)
    prefix = f"{TrainingPreset(**facts['preset']).network}."
    if isinstance(model, MaskedModel):
        fill(model.quantiser, tensors, f"{prefix}quantiser.", path)
    else:
        fill(model, tensors, prefix, path)


@click.command()
@click.option("--preset", "name", type=click.Choice(sorted(PRESETS)), required=True)
@click.option(
    "--out", type=click.Path(path_type=Path), default=None, help="Folder of the training."
)
@click.option("--device", default=None, help="cpu by default; with accelerate none.")
@click.option("--images", default=None, type=int, help="Pictures to see, other than the preset's.")
@click.option("--seed", default=None, type=int, help="Another seed than the preset's.")
@click.option("--every", default=180.0, help="Seconds between checkpoints.")
@click.option("--sheet-every", default=600.0, help="Seconds between sample sheets.")
@click.option("--tensorboard", is_flag=True, help="Also write event files, to OUT/tensorboard.")
@flushed()
def main(
    name: str,
    out: Path | None,
    device: str | None,
    images: int | None,
    seed: int | None,
    every: float,
    sheet_every: float,
    tensorboard: bool,
) -> None:
    """Train, or go on training, the model of a preset."""
    preset = PRESETS[name]
    preset = replace(
        preset, images=images or preset.images, seed=preset.seed if seed is None else seed
    )
    out = out or Path("training") / (name if seed is None else f"{name}-seed{seed}")
    place = workplace(device)
    torch.manual_seed(preset.seed)
    model = build(preset)
    if preset.init:
        try:
            begin(model, preset.init)
        except ModelError as error:
            raise click.ClickException(f"{name} begins with {preset.init}: {error}") from error
    elif isinstance(model, TokenModel):
        model.quantiser.load_state_dict(quantiser_for(preset, out, place))
    model.to(place.device).to(memory_format=torch.channels_last)
    training = Training(preset, out, model, place)
    if tensorboard and place.rank == 0:
        try:
            training.scalars = Scalars(out / "tensorboard", training.step)
        except ModelError as error:
            raise click.ClickException(str(error)) from error
    stored = training.facts.get("seen")
    seen = None if stored is None else TrainingManifest.from_json(stored, str(training.file))
    shown = policy(preset.policy)
    pool = ScenePool(training.generator, shown, seen=seen, noise=preset.noise)
    training.run(
        lambda: loss_of(model, *pool.batch(training.batch), training.generator, preset),
        lambda: {"seen": pool.seen.to_json()},
        lambda path: write_sheet(path, model, training.average.weights, preset),
        every,
        sheet_every,
    )
    if training.scalars is not None:
        training.scalars.close()
    if place.rank == 0:
        upsampler_for(out)
        publish(out, name)
    place.end()


if __name__ == "__main__":
    main()
