"""The bundled cutout network, ready to use."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import torch

from reference_models.cutout.fused import fused, same_alone
from reference_models.cutout.net import PATH, SIDE, Cutout, read_cutout
from reference_models.cutout.quantised import QuantisedCutout

#: Pictures in one pass.
TOGETHER = 16


@lru_cache(maxsize=4)
def load_cutout(
    path: Path = PATH, dtype: str = "float32", device: str = "cpu"
) -> Cutout | QuantisedCutout:
    """The network, its norms folded, in channels-last memory; on a CPU also in ``int8``."""
    model = read_cutout(path)
    x = torch.rand(TOGETHER, SIDE, SIDE, 3, generator=torch.Generator().manual_seed(0))
    picture = x.mul_(255).to(device, torch.uint8).permute(0, 3, 1, 2)
    made: Cutout | QuantisedCutout
    if dtype == "int8":
        made = QuantisedCutout(model, picture[:1])
    else:
        model.to(device, getattr(torch, dtype))
        model.to(memory_format=torch.channels_last)
        made = fused(model, lambda network: network.predict(picture))
    made.same_alone = same_alone(made.predict, picture)
    return made
