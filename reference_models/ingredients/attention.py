"""Where words attend: cross-attention of the U-Net, per word, head and step.

At each of the coarse places (8 x 8) every head of every attention block shares out its attention
over the words of the prompt (Vaswani et al. 2017, eq. 1; as maps: Hertz et al. 2022,
"Prompt-to-Prompt", section 3.1). Kept is what the colour word and the noun get, of the conditional
half of a guided batch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from prompts.colours import BASIC
from prompts.lab import delta_e
from reference_models.errors import ModelError
from reference_models.local import LocalModel, token_ids
from reference_models.nn.attention import Attention
from reference_models.sampling import encoded, walk
from reference_models.unet import AttentionBlock, UNet

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, slots=True, eq=False)
class Watched:
    """Attention while pictures are drawn.

    Attributes
    ----------
    maps : Tensor, float32 (N, steps, blocks, heads, H, W, words)
        Sums to 1 over the words.
    pictures : Tensor, float32 (N, 3, side, side)
        About in [-1, 1].
    """

    maps: Tensor
    pictures: Tensor


def weights_of(attention: Attention, x: Tensor, words: Tensor, mask: Tensor) -> Tensor:
    """What a cross-attention gives each word at each place: (N, heads, places, words)."""
    n, length, _ = x.shape
    q = attention.query(x).view(n, length, attention.heads, -1).transpose(1, 2)
    k = attention.key_value(words).view(n, words.shape[1], 2, attention.heads, -1)[:, :, 0]
    scores = (q * q.shape[-1] ** -0.5) @ k.permute(0, 2, 3, 1)
    return F.softmax(scores.masked_fill(~mask[:, None, None], -torch.inf), -1)


@contextmanager
def watching(network: UNet) -> Iterator[list[Tensor]]:
    """Collect the weights of every cross-attention, block after block, call after call."""
    found: list[Tensor] = []

    def seen(module: Any, given: tuple[Any, ...]) -> None:
        x, words, mask = given
        found.append(weights_of(module, x.float(), words.float(), mask).detach())

    blocks = [block for block in network.attention if isinstance(block, AttentionBlock)]
    hooks = [block.attend_cross.register_forward_pre_hook(seen) for block in blocks]
    try:
        yield found
    finally:
        for hook in hooks:
            hook.remove()


@torch.inference_mode()
def watch(model: LocalModel, prompt: str, seeds: Sequence[int]) -> Watched:
    """Draw a prompt from the starting noises of the seeds and keep where its words attend.

    Parameters
    ----------
    model : LocalModel
        A U-Net; its own steps and guidance, in float32.
    """
    network = model.network
    assert isinstance(network, UNet)
    ids = token_ids([prompt] * len(seeds))
    shape = (3, network.side, network.side)
    noise = torch.stack(
        [torch.randn(*shape, generator=torch.Generator().manual_seed(seed)) for seed in seeds]
    )
    ready = encoded(network.encode, ids, model.settings.guidance_scale)
    maps = []
    with watching(network) as found:
        for *_, x in walk(network, ready, noise, model.preset, model.settings):
            # The conditional half comes first.
            maps.append(torch.stack([one[: len(seeds)] for one in found], 1))
            found.clear()
    side = network.side // 4
    whole = torch.stack(maps, 1)
    return Watched(whole.unflatten(-2, (side, side)), x)


def overlap(maps: Tensor, one: int, two: int) -> Tensor:
    """How alike the places are where two words attend: correlation over places.

    Parameters
    ----------
    maps : Tensor (N, steps, blocks, heads, H, W, words)
    one, two : int
        Places of the words in the prompt.

    Returns
    -------
    Tensor (N, steps)
        Of the maps averaged over blocks and heads; in [-1, 1].
    """
    mean = maps.mean((2, 3)).flatten(2, 3)
    a, b = mean[..., one], mean[..., two]
    a, b = a - a.mean(-1, keepdim=True), b - b.mean(-1, keepdim=True)
    return F.cosine_similarity(a, b, dim=-1)


@dataclass(frozen=True, slots=True, eq=False)
class Where:
    """How much of the asked colour stands where the noun attends, and elsewhere.

    Attributes
    ----------
    inside, outside : ndarray, float64 (N,)
        Share of the noun's places, and of the others, whose nearest basic colour is the asked one.
    """

    inside: np.ndarray
    outside: np.ndarray

    @property
    def bound(self) -> np.ndarray:
        """Pictures whose subject has the colour and whose surroundings do not."""
        return (self.inside >= 0.5) & (self.outside < 0.1)

    @property
    def leaking(self) -> np.ndarray:
        """Pictures whose surroundings have more of it than their subject."""
        return (self.outside >= 0.2) & (self.inside < self.outside)


def where(watched: Watched, colour: str, noun: int) -> Where:
    """Find the asked colour by rule of thumb: nearest prototype, at the noun's places or not.

    No judge: the noun's places are the sixth of the picture to which it attends most at the last
    step. Good enough to sort pictures for a figure.
    """
    small = F.avg_pool2d(watched.pictures, 4).clamp(-1, 1)
    byte = ((small + 1) * 127.5).round().int().permute(0, 2, 3, 1).flatten(1, 2).tolist()
    named = np.array(
        [[nearest((pixel[0], pixel[1], pixel[2])) == colour for pixel in one] for one in byte]
    )
    places = watched.maps[:, -1].mean((1, 2))[..., noun].flatten(1)
    most = places.topk(places.shape[1] // 6, dim=1).indices.numpy()
    own = np.zeros_like(named)
    np.put_along_axis(own, most, True, axis=1)
    inside = (named & own).sum(1) / own.sum(1)
    return Where(inside, (named & ~own).sum(1) / (~own).sum(1))


@cache
def nearest(srgb: tuple[int, int, int]) -> str:
    """Name of the basic colour whose prototype is nearest in CIELAB."""
    return min(BASIC, key=lambda one: delta_e(srgb, one.srgb)).name


def chosen(found: Where, bound: int | None, leaking: int | None) -> tuple[int, int]:
    """Numbers of the clearest bound and the clearest leaking picture, where none are given.

    Raises
    ------
    ModelError
        There is none.
    """
    spread = found.inside - found.outside
    for which, name in ((found.bound, "bound"), (found.leaking, "leaking")):
        if not which.any() and (bound if name == "bound" else leaking) is None:
            raise ModelError(f"none of {len(which)} pictures is {name}; name a seed by --{name}")
    best = int(np.where(found.bound, spread, -np.inf).argmax()) if bound is None else bound
    worst = int(np.where(found.leaking, spread, np.inf).argmin()) if leaking is None else leaking
    return best, worst


def figure(
    new: Any,
    watched: Watched,
    rows: Sequence[tuple[str, int]],
    words: Sequence[str],
) -> Figure:
    """Maps of two words in some pictures: a row a head (mean over blocks), a column a step.

    Parameters
    ----------
    new : callable
        Makes a figure and its axes: columns, rows, width, height.
    rows : sequence of (str, int)
        Title and number of each picture.
    words : sequence of str
        The prompt's; the second and the third are shown.
    """
    maps = watched.maps.mean(2)
    heads, count = maps.shape[2], maps.shape[1]
    steps = sorted({0, count // 3, 2 * count // 3, count - 1})
    columns = 1 + 2 * len(steps)
    drawn, grid = new(columns, heads * len(rows), 7.4, 0.78 * heads * len(rows) + 0.5)
    for number, (title, picture) in enumerate(rows):
        block = grid[number * heads : (number + 1) * heads]
        shown = ((watched.pictures[picture] + 1) / 2).clamp(0, 1).permute(1, 2, 0).numpy()
        for head in range(heads):
            for ax in block[head]:
                ax.set(xticks=[], yticks=[])
                ax.grid(False)
                for spine in ax.spines.values():
                    spine.set_visible(False)
            if head:
                block[head][0].set_axis_off()
            for which, word in enumerate((1, 2)):
                for column, step in enumerate(steps):
                    ax = block[head][1 + which * len(steps) + column]
                    values = maps[picture, step, head, ..., word].numpy()
                    ax.imshow(values, cmap="magma", vmin=0, vmax=max(0.4, float(values.max())))
                    if head == 0:
                        ax.set_title(f"{words[word]}\nstep {step + 1}", fontsize=7)
                    if which == 0 and column == 0:
                        ax.set_ylabel(f"head {head + 1}", fontsize=7)
        block[0][0].imshow(np.asarray(shown), interpolation="nearest")
        block[0][0].set_title(title, fontsize=7)
    return drawn


def overlaps(new: Any, watched: Watched, found: Where, words: Sequence[str]) -> Figure:
    """How alike the places of the two words are, step by step: bound pictures against leaking."""
    alike = overlap(watched.maps, 1, 2).numpy()
    drawn, grid = new(1, 1, 5.2, 2.8)
    axes = grid[0][0]
    x = np.arange(1, alike.shape[1] + 1)
    for which, label, colour in (
        (found.bound, "bound", "#0072b2"),
        (found.leaking, "leaking", "#d55e00"),
    ):
        if which.sum() < 2:
            continue
        mean = alike[which].mean(0)
        error = 1.96 * alike[which].std(0, ddof=1) / which.sum() ** 0.5
        axes.plot(x, mean, "o-", ms=4, color=colour, label=f"{label}, {which.sum()} pictures")
        axes.fill_between(x, mean - error, mean + error, color=colour, alpha=0.18, lw=0)
    axes.set(xlabel="step", ylim=(0, 1), xticks=x)
    axes.set_ylabel(f"correlation of the places\nof {words[1]!r} and {words[2]!r}")
    axes.legend(loc="best")
    return drawn
