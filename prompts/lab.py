"""CIELAB of sRGB colours and the CIE76 difference, for the few prototypes that tags compare."""

from __future__ import annotations

import math

#: IEC 61966-2-1 primaries, linear RGB to XYZ.
_TO_XYZ = (
    (0.4124, 0.3576, 0.1805),
    (0.2126, 0.7152, 0.0722),
    (0.0193, 0.1192, 0.9505),
)
#: White of CIE illuminant D65, 2 degree observer.
_WHITE = (0.9505, 1.0, 1.089)


def srgb_to_lab(srgb: tuple[int, int, int]) -> tuple[float, float, float]:
    """Convert one 8-bit sRGB colour to CIELAB under D65.

    Parameters
    ----------
    srgb : tuple of int
        (R, G, B), each 0 to 255.

    Returns
    -------
    tuple of float
        L* in [0, 100], a*, b*.

    References
    ----------
    CIE 15:2004, *Colorimetry*, 3rd edition; IEC 61966-2-1:1999.
    """
    linear = [_linear(value / 255) for value in srgb]
    x, y, z = (
        _cube_root(sum(weight * value for weight, value in zip(row, linear, strict=True)) / white)
        for row, white in zip(_TO_XYZ, _WHITE, strict=True)
    )
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def delta_e(first: tuple[int, int, int], second: tuple[int, int, int]) -> float:
    """CIE76 difference of two 8-bit sRGB colours: Euclidean distance in CIELAB."""
    return math.dist(srgb_to_lab(first), srgb_to_lab(second))


def _linear(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


def _cube_root(ratio: float) -> float:
    return math.cbrt(ratio) if ratio > (6 / 29) ** 3 else ratio / (3 * (6 / 29) ** 2) + 4 / 29
