"""Guidance by attention: each colour word is made to look where its noun does, while one draws.

Rassin et al. 2023, "Linguistic Binding in Diffusion Models" (SynGen): the state is moved against
the gradient of a loss on the cross-attention maps, early in sampling. Chefer et al. 2023,
"Attend-and-Excite", have the same step for another loss. Nothing is trained.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from prompts.colours import COLOUR_NAMES
from prompts.subjects import SUBJECT_NAMES
from reference_models.nn.attention import Attention
from reference_models.nn.prompted import Prompted
from reference_models.world.captions import TOKEN

#: Share of the steps that are moved, the first ones: 25 of 50 in the paper.
EARLY = 0.5

_COLOURS = frozenset(TOKEN[name] for name in COLOUR_NAMES)
_SCENERY = ("plate", "wall", "picture", "table")
_NOUNS = frozenset(TOKEN[name] for name in (*SUBJECT_NAMES, *_SCENERY))


def pairs_of(ids: Tensor) -> list[list[tuple[int, int]]]:
    """Places of each colour word and of the noun after it, for each prompt of ids (N, L)."""
    return [
        [
            (place, place + 1)
            for place, (word, following) in enumerate(itertools.pairwise(row))
            if word in _COLOURS and following in _NOUNS
        ]
        for row in ids.tolist()
    ]


@contextmanager
def recorded(network: nn.Module) -> Iterator[list[Tensor]]:
    """Inside, all attention to words is kept: (N, heads, pixels, words), differentiable."""
    maps: list[Tensor] = []

    def record(module: nn.Module, given: tuple[Tensor, ...]) -> None:
        assert isinstance(module, Attention)
        if len(given) > 1 and given[1] is not None:
            maps.append(module.weights(*given))

    # The text encoder's own attention has no context, and is not kept.
    hooks = [
        part.register_forward_pre_hook(record)
        for part in network.modules()
        if isinstance(part, Attention)
    ]
    try:
        yield maps
    finally:
        for hook in hooks:
            hook.remove()


def distance(one: Tensor, other: Tensor) -> Tensor:
    """Symmetric Kullback-Leibler divergence of maps (..., pixels) that sum to 1 (eq. 2)."""
    ratio = (one + 1e-8).log() - (other + 1e-8).log()
    return 0.5 * ((one - other) * ratio).sum(-1)


def binding_loss(maps: Tensor, pairs: Sequence[Sequence[tuple[int, int]]], there: Tensor) -> Tensor:
    """What is to be made small, summed over prompts: eq. 1, 3 and 4 of the paper.

    Parameters
    ----------
    maps : Tensor (N, words, pixels)
        Attention to each word, as a distribution over pixels.
    pairs : sequence of sequences of (int, int)
        For each prompt the places of its colours and their nouns.
    there : Tensor, bool (N, words)
        Which words are not padding.
    """
    flat = [(row, *pair) for row, own in enumerate(pairs) for pair in own]
    if not flat:
        return 0.0 * maps.sum()
    row, colour, noun = torch.tensor(flat, device=maps.device).T
    first, second, words = maps[row, colour], maps[row, noun], maps[row]
    place = torch.arange(words.shape[1], device=maps.device)
    rest = there[row] & (place != colour[:, None]) & (place != noun[:, None])
    apart = 0.5 * (distance(first[:, None], words) + distance(second[:, None], words))
    apart = (apart * rest).sum(1) / rest.sum(1).clamp(min=1)
    return (distance(first, second) - apart).sum()


class AttentionGuidance:
    """Moves states of some prompts.

    Parameters
    ----------
    network : UNet or DiT
    ids : Tensor, int64 (N, L)
        Of the prompts.
    strength : float
        Root mean square of a move at pure noise, in units of the noise; it falls with the noise.
        The paper moves by the gradient itself, whose size depends on the network.
    """

    def __init__(self, network: Prompted, ids: Tensor, strength: float) -> None:
        self.network, self.ids, self.strength = network, ids, strength
        self.pairs = pairs_of(ids)
        # A text encoder may set marks before the words.
        self.first = int(getattr(network.text, "first", 0))
        self.there = ids != 0

    def __call__(self, x: Tensor, t: Tensor) -> Tensor:
        """State (N, C, H, W) at times (N,) to the moved state; late ones stay as they are."""
        if not self.strength or float(t[0]) >= EARLY:
            return x
        with torch.inference_mode(False), torch.enable_grad():
            dtype = next(self.network.parameters()).dtype
            state = x.detach().clone().to(dtype).requires_grad_(True)
            words, mask, whole = self.network.encode(self.ids.clone())
            with recorded(self.network) as maps:
                self.network(state, t.clone(), (words, mask, whole))
            (slope,) = torch.autograd.grad(self._loss(maps), state)
        slope = slope.float()
        size = slope.square().mean((1, 2, 3), keepdim=True).sqrt().clamp(min=1e-12)
        level = (1 - t).view(-1, 1, 1, 1)
        return x - self.strength * level * slope / size

    def _loss(self, maps: list[Tensor]) -> Tensor:
        # All layers and heads of one resolution alike, as the paper has it for Stable Diffusion.
        mean = torch.stack([one.float().mean(1) for one in maps]).mean(0).mT
        own = mean[:, self.first : self.first + self.there.shape[1]]
        own = own / own.sum(2, keepdim=True).clamp(min=1e-12)
        return binding_loss(own, self.pairs, self.there[:, : own.shape[1]])
