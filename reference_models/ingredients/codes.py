"""Drawing with hidden codes: what is kept at each step, and the guess at the whole picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from reference_models.local import LocalModel, token_ids
from reference_models.sampling import encoded
from reference_models.tokens.masked import hidden_share, unmasked
from reference_models.tokens.model import MaskedModel
from reference_models.tokens.quantiser import Quantiser
from reference_models.tokens.raster import SHARE

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@torch.inference_mode()
def steps_of(model: LocalModel, prompt: str, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Guesses at a picture, and which of its codes stood before each step.

    Returns
    -------
    guesses : Tensor, float32 (steps, 3, side, side)
        About in [-1, 1].
    kept : Tensor, bool (steps, grid, grid)
    """
    network, settings = model.network, model.settings
    assert isinstance(network, MaskedModel)
    shape = (1, 3, network.side, network.side)
    noise = torch.randn(shape, generator=torch.Generator().manual_seed(seed))
    scale = settings.guidance_scale
    ready = encoded(network.encode, token_ids([prompt]), scale)
    guesses, kept = [], []
    steps = unmasked(network.predictor, ready, noise, scale, settings.steps, SHARE)
    for guessed, _, hidden in steps:
        guesses.append(network.picture(guessed)[0])
        kept.append(~hidden[0])
    grid = network.side // Quantiser.square
    return torch.stack(guesses), torch.stack(kept).view(-1, grid, grid)


def figure(new: Any, model: LocalModel, prompt: str, seed: int = 3) -> Figure:
    """Above what stands before each step, below the guess at the whole picture."""
    guesses, kept = steps_of(model, prompt, seed)
    steps = len(guesses)
    drawn, grid = new(steps, 2, 7.4, 2.35)
    for step in range(steps):
        picture = ((guesses[step] + 1) / 2).clamp(0, 1).permute(1, 2, 0)
        whole = kept[step].repeat_interleave(Quantiser.square, 0)
        whole = whole.repeat_interleave(Quantiser.square, 1)[..., None]
        decided = torch.where(whole, picture, torch.full_like(picture, 0.86))
        for ax, shown in zip(grid[:, step], (decided, picture), strict=True):
            ax.imshow(shown.numpy(), interpolation="nearest")
            ax.set(xticks=[], yticks=[])
            ax.grid(False)
        share = hidden_share(step, steps)
        grid[0][step].set_title(f"step {step + 1}\n{share:.0%} hidden", fontsize=7.5)
    grid[0][0].set_ylabel("stands", fontsize=7.5)
    grid[1][0].set_ylabel("guessed", fontsize=7.5)
    return drawn
