"""A canvas on which one subject is painted, layer over layer, for a whole batch at once."""

from __future__ import annotations

import torch
from torch import Tensor

#: Light comes from the upper left; x and y weights of the shading ramp.
_LIGHT_X, _LIGHT_Y = -0.07, 0.10
_EDGE_DEPTH, _EDGE_SHARPNESS = 0.24, 10.0


class Canvas:
    """Layers of one kind of subject in local coordinates.

    Parameters
    ----------
    x, y : Tensor, float32, (N, H, W)
        Local coordinates of every pixel; the subject fills about [-1, 1].
    pixel : Tensor, float32, (N, 1, 1)
        Size of a pixel in local units: the width of an anti-aliased edge.

    Attributes
    ----------
    alpha : Tensor (N, H, W)
        Coverage of the whole subject.
    body : Tensor (N, H, W)
        Coverage of what wears the subject's colour, at most ``alpha``.
    shade : Tensor (N, H, W)
        Factor on the body's colour, about 0.7 to 1.15.
    mark : Tensor (N, H, W)
        Strength of drawn lines in [0, 1]: darker on light bodies, lighter on dark ones.
    gloss : Tensor (N, H, W)
        Share of white light in [0, 1].
    own : Tensor (N, 3, H, W)
        Premultiplied sRGB of the parts that keep a colour of their own (stem, wheel, window).
    """

    def __init__(self, x: Tensor, y: Tensor, pixel: Tensor) -> None:
        self.x, self.y, self.pixel = x, y, pixel
        self.alpha = torch.zeros_like(x)
        self.body = torch.zeros_like(x)
        self.shade = torch.ones_like(x)
        self.mark = torch.zeros_like(x)
        self.gloss = torch.zeros_like(x)
        self.own = x.new_zeros(x.shape[0], 3, *x.shape[1:])

    def coverage(self, distance: Tensor) -> Tensor:
        """Share of each pixel inside a shape: a ramp one pixel wide across its edge."""
        return (0.5 - distance / self.pixel).clamp(0, 1)

    def paint(self, distance: Tensor, tone: float = 1.0) -> None:
        """Add a layer in the subject's colour, ``tone`` times as light as the others."""
        a = self.coverage(distance)
        ramp = (_LIGHT_X * self.x + _LIGHT_Y * self.y).clamp(-0.13, 0.13)
        shade = tone * (
            1.02 + ramp - _EDGE_DEPTH * torch.exp(distance * _EDGE_SHARPNESS).clamp(max=1)
        )
        keep = 1 - a
        self.alpha = a + self.alpha * keep
        self.body = a + self.body * keep
        self.shade = self.shade * keep + shade * a
        self.mark = self.mark * keep
        self.gloss = self.gloss * keep
        self.own = self.own * keep[:, None]

    def part(self, distance: Tensor, srgb: tuple[int, int, int]) -> None:
        """Add a layer that keeps its own colour, 8-bit sRGB."""
        a = self.coverage(distance)
        keep = 1 - a
        edge = 1.03 - _EDGE_DEPTH * torch.exp(distance * _EDGE_SHARPNESS).clamp(max=1)
        colour = torch.tensor(srgb, dtype=a.dtype, device=a.device).view(1, 3, 1, 1) / 255
        self.alpha = a + self.alpha * keep
        self.body = self.body * keep
        self.mark = self.mark * keep
        self.gloss = self.gloss * keep
        self.own = self.own * keep[:, None] + colour * (a * edge)[:, None]

    def line(self, distance: Tensor, strength: float = 0.55) -> None:
        """Draw a line or spot on the body, ``strength`` in [0, 1]."""
        self.mark = torch.maximum(self.mark, strength * self.coverage(distance) * self.body)

    def shine(self, distance: Tensor, strength: float = 0.55, softness: float = 0.12) -> None:
        """Add a highlight with soft edges, on the body alone."""
        soft = (0.5 - distance / softness).clamp(0, 1)
        self.gloss = torch.maximum(self.gloss, strength * soft * self.body)
