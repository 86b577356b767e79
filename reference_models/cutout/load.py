"""The bundled cutout network, ready to use."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import torch

from reference_models.cutout.fused import fused, same_alone
from reference_models.cutout.net import SIDE, Cutout, empty
from reference_models.weights import fill, read_weights

#: Pictures in one pass.
TOGETHER = 16
PATH = Path(__file__).parent / "weights" / "cutout.safetensors"


@lru_cache(maxsize=4)
def load_cutout(path: Path = PATH, dtype: str = "float32", device: str = "cpu") -> Cutout:
    """The network, its norms folded, in channels-last memory."""
    tensors, _ = read_weights(path)
    model = empty()
    fill(model, tensors, "", path)
    model.eval().requires_grad_(False)
    model.to(device, getattr(torch, dtype))
    model.to(memory_format=torch.channels_last)
    x = torch.rand(TOGETHER, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    x = x.to(device, getattr(torch, dtype)).to(memory_format=torch.channels_last)
    model = fused(model, lambda network: network(x))
    model.same_alone = same_alone(model, x)
    return model
