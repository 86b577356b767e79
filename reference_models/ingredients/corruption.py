"""Three ways to take a picture apart, on one of 3 x 3 pixels: noise, a straight path, hidden codes.

Each step is computed by the code that trains the models: `schedule`, `path` and `tokens.masked`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from reference_models import schedule
from reference_models.path import between, picture_from, velocity
from reference_models.tokens.masked import hidden_share

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: A plus sign: 1 is white, -1 black.
PICTURE = torch.tensor([[-0.8, 0.9, -0.8], [0.9, 0.9, 0.9], [-0.8, 0.9, -0.8]])
STEPS = 3


@dataclass(frozen=True, slots=True, eq=False)
class Corrupted:
    """A picture at the steps 0 (whole) to `STEPS` (nothing left).

    Attributes
    ----------
    name, rule : str
        What it is, and its equation.
    states : Tensor, float32 (STEPS + 1, 3, 3)
        NaN where a code is hidden.
    heads : list of str
        What each step is.
    """

    name: str
    rule: str
    states: Tensor
    heads: list[str]


def noise() -> Tensor:
    """The one noise of all, float32 (3, 3)."""
    return torch.randn(3, 3, generator=torch.Generator().manual_seed(4))


def by_schedule() -> Corrupted:
    """A discrete schedule of three steps: the noise is added step by step, and so is what is left.

    The betas are those of `schedule.betas` for three steps; the state at t is
    alpha_t picture + sigma_t noise.
    """
    alphas = torch.cat((torch.ones(1), schedule.signal(STEPS).float()))
    sigmas = torch.cat((torch.zeros(1), schedule.noise(STEPS).float()))
    states = alphas.view(-1, 1, 1) * PICTURE + sigmas.view(-1, 1, 1) * noise()
    heads = [f"t = {t}: {alphas[t]:.2f} picture + {sigmas[t]:.2f} noise" for t in range(STEPS + 1)]
    return Corrupted("diffusion", "x_t = alpha_t picture + sigma_t noise", states, heads)


def by_path() -> Corrupted:
    """The straight path of flow matching, walked from the picture to the noise in three steps."""
    times = torch.linspace(1, 0, STEPS + 1)
    n = len(times)
    pictures, noises = PICTURE.expand(n, 1, 3, 3), noise().expand(n, 1, 3, 3)
    states = between(noises, pictures, times)[:, 0]
    heads = [f"t = {t}: {1 - t / 3:.2f} picture + {t / 3:.2f} noise" for t in range(STEPS + 1)]
    return Corrupted("flow matching", "x = (1 - s) noise + s picture", states, heads)


def by_hiding() -> Corrupted:
    """Codes in place of pixels, hidden in an order by chance: the share is the cosine's."""
    order = torch.rand(9, generator=torch.Generator().manual_seed(2)).argsort().argsort()
    states, heads = [], []
    for t in range(STEPS + 1):
        count = round(9 * hidden_share(STEPS - t, STEPS))
        hidden = (order < count).view(3, 3)
        states.append(PICTURE.masked_fill(hidden, torch.nan))
        heads.append(f"t = {t}: {count} of 9 hidden")
    return Corrupted("masked codes", "hidden or not", torch.stack(states), heads)


def followed_back(states: Tensor) -> Tensor:
    """The picture that a perfect velocity names at every state of the straight path."""
    times = torch.linspace(1, 0, STEPS + 1)
    v = velocity(noise(), PICTURE).expand(len(times), 1, 3, 3)
    return picture_from(states[:, None], v, times)[:, 0]


def figure(new: Any) -> Figure:
    """Three rows, four steps each, the number in every pixel."""
    rows = (by_schedule(), by_path(), by_hiding())
    drawn, grid = new(STEPS + 1, len(rows), 7.4, 6.3)
    for axes, one in zip(grid, rows, strict=True):
        for step, ax in enumerate(axes):
            _cells(ax, one.states[step])
            ax.set_title(one.heads[step], fontsize=7.2)
        axes[0].set_ylabel(one.name, fontsize=9)
    return drawn


def _cells(ax: Any, values: Tensor) -> None:
    ax.imshow(values.clamp(-1, 1).numpy(), cmap="gray", vmin=-1, vmax=1)
    ax.set(xticks=[], yticks=[])
    ax.grid(False)
    ax.set_facecolor("#f0c67a")
    for spine in ax.spines.values():
        spine.set_visible(True)
        spine.set_color("#b0b0b0")
    for y, row in enumerate(values.tolist()):
        for x, value in enumerate(row):
            hidden = value != value
            ink = "#7a4a00" if hidden else ("black" if value > 0 else "white")
            text = "?" if hidden else f"{value:+.1f}"
            ax.text(x, y, text, ha="center", va="center", color=ink, fontsize=8)
