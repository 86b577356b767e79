"""sRGB to CIELAB in torch, for batches of small images: the space in which regions are grown.

Colour naming has its own conversion, `bench.judge.colour.spaces`; this one works on batches and
need only be as exact as a segmentation is.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

_XYZ = (
    (0.412453, 0.357580, 0.180423),
    (0.212671, 0.715160, 0.072169),
    (0.019334, 0.119193, 0.950227),
)
_WHITE = (0.95047, 1.0, 1.08883)
#: Share of the white below which CIE 015 has a line in place of the cube root, and its slope.
_DARK, _SLOPE = 0.008856, 7.787
#: CIE 015: lightness and the two opponent colours, of the roots of X, Y and Z.
_OPPONENT = ((0.0, 116.0, 0.0), (500.0, -500.0, 0.0), (0.0, 200.0, -200.0))


def to_lab(rgb: torch.Tensor) -> torch.Tensor:
    """CIELAB (D65) of gamma-encoded sRGB.

    Parameters
    ----------
    rgb : Tensor, uint8 (B, 3, H, W), or float in [0, 1]

    Returns
    -------
    Tensor, float32 (B, 3, H, W)
    """
    import torch

    flat = rgb.flatten(2)
    table, to_xyz, opponent = _constants(rgb.device)
    if rgb.dtype == torch.uint8:
        linear = table.index_select(0, flat.flatten().int()).view(flat.shape)
    else:
        linear = _linear(flat.float())
    xyz = to_xyz @ linear
    # The cube root, below `_DARK` the line that meets it there.
    root = xyz.clamp(min=_DARK).log_().mul_(1 / 3).exp_()
    root.add_(xyz.clamp_(max=_DARK).sub_(_DARK), alpha=_SLOPE)
    lab = opponent @ root
    lab[:, 0] -= 16
    return lab.view(rgb.shape)


@lru_cache(maxsize=4)
def _constants(device: torch.device) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Linear light of each byte (256,); linear light to XYZ of the white, and roots to CIELAB."""
    import torch

    to_xyz = torch.tensor(_XYZ) / torch.tensor(_WHITE)[:, None]
    made = (_linear(torch.arange(256) / 255), to_xyz, torch.tensor(_OPPONENT))
    return tuple(one.to(device) for one in made)  # type: ignore[return-value]


def _linear(value: torch.Tensor) -> torch.Tensor:
    import torch

    high = ((value + 0.055) / 1.055).clamp(min=0) ** 2.4
    return torch.where(value <= 0.04045, value / 12.92, high)
