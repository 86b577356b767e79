"""sRGB to CIELAB in torch, for batches of small images: the space in which regions are grown.

Colour naming has its own conversion, `bench.judge.colour.spaces`; this one works on batches and
need only be as exact as a segmentation is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

_XYZ = (
    (0.412453, 0.357580, 0.180423),
    (0.212671, 0.715160, 0.072169),
    (0.019334, 0.119193, 0.950227),
)
_WHITE = (0.95047, 1.0, 1.08883)
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

    device, flat = rgb.device, rgb.flatten(2)
    if rgb.dtype == torch.uint8:
        table = _linear(torch.arange(256, device=device) / 255)
        linear = table.index_select(0, flat.flatten().int()).view(flat.shape)
    else:
        linear = _linear(flat.float())
    matrix = torch.tensor(_XYZ) / torch.tensor(_WHITE)[:, None]
    xyz = matrix.to(device) @ linear
    root = torch.where(xyz > 0.008856, xyz.clamp(min=1e-6) ** (1 / 3), 7.787 * xyz + 16 / 116)
    lab = torch.tensor(_OPPONENT, device=device) @ root
    lab[:, 0] -= 16
    return lab.view(rgb.shape)


def _linear(value: torch.Tensor) -> torch.Tensor:
    import torch

    high = ((value + 0.055) / 1.055).clamp(min=0) ** 2.4
    return torch.where(value <= 0.04045, value / 12.92, high)
