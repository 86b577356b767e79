"""An exponential moving average of the weights: the model that is sampled from."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Average:
    """Shadow of a model's weights.

    The decay grows with the number of updates, min(decay, (1 + n) / (10 + n)), so that the first
    weights are soon forgotten.
    """

    def __init__(self, model: nn.Module, decay: float = 0.998) -> None:
        self.decay = decay
        self.updates = 0
        self.weights: dict[str, Tensor] = {
            name: p.detach().clone() for name, p in model.named_parameters()
        }

    @torch.no_grad()
    def update(self, model: nn.Module) -> None:
        """Move the shadow towards the model."""
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        self.updates += 1
        names, live = zip(*model.named_parameters(), strict=True)
        torch._foreach_lerp_(
            [self.weights[n] for n in names], [p.detach() for p in live], 1 - decay
        )
