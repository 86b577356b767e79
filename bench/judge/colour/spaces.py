"""sRGB in, CIELAB out: the one place where pixels become colorimetry.

All images of the project are sRGB (IEC 61966-2-1), gamma-encoded; linear light is never assumed,
and taken only where it is stated.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from bench.errors import UsageError

#: Linear sRGB to CIE XYZ, and the white of D65 for the 2 degree observer (IEC 61966-2-1).
_XYZ = np.array(
    [
        [0.412453, 0.357580, 0.180423],
        [0.212671, 0.715160, 0.072169],
        [0.019334, 0.119193, 0.950227],
    ]
)
_WHITE = np.array([0.95047, 1.0, 1.08883])
#: Ratios to that white, back to linear sRGB.
_RGB = _WHITE[:, None] * np.linalg.inv(_XYZ).T


def as_unit(rgb: np.ndarray) -> np.ndarray:
    """Colours as float64 in [0, 1].

    Parameters
    ----------
    rgb : array_like, (..., 3)
        sRGB: unsigned 8-bit integers, or floats in [0, 1]. Integers of another type are taken to
        be 8-bit values.

    Raises
    ------
    UsageError
        The last axis is not 3, or a value is NaN or out of range.
    """
    array = np.asarray(rgb)
    if array.ndim == 0 or array.shape[-1] != 3:
        raise UsageError(f"colours need a last axis of 3 (R, G, B), not the shape {array.shape}")
    if array.dtype == np.uint8:
        return array / 255.0
    if not (np.issubdtype(array.dtype, np.integer) or np.issubdtype(array.dtype, np.floating)):
        raise UsageError(f"colours must be uint8 or float in [0, 1], not {array.dtype}")
    if array.size == 0:
        return array.astype(np.float64)
    low, high = array.min(), array.max()
    top = 255 if np.issubdtype(array.dtype, np.integer) else 1
    if not (low >= -1e-6 and high <= top + 1e-6):
        raise UsageError(
            f"{array.dtype} colours must lie in [0, {top}], but these reach {low:g} to {high:g}: "
            "divide float images by 255 first, and clip them"
        )
    return np.clip(array.astype(np.float64) / top, 0.0, 1.0)


def encoded(rgb: np.ndarray, linear: bool) -> np.ndarray:
    """Gamma-encoded colours of colours whose encoding is stated.

    Parameters
    ----------
    rgb : array_like, (..., 3)
    linear : bool
        Whether these are linear light: floats in [0, 1]. Nothing in the values of a picture tells
        for sure, so it is never guessed.

    Raises
    ------
    UsageError
        Linear light in integers, which bands the dark colours and is nearly always a mistake; or
        values out of range.
    """
    array = np.asarray(rgb)
    if not linear:
        return array
    if np.issubdtype(array.dtype, np.integer):
        raise UsageError(
            f"linear light must be float in [0, 1], not {array.dtype}: 8-bit pictures are "
            "gamma-encoded, so leave linear=True out"
        )
    return from_linear(as_unit(array))


def as_byte(rgb: np.ndarray) -> np.ndarray:
    """Colours as uint8 (..., 3); what is accepted is the same as for `as_unit`."""
    array = np.asarray(rgb)
    if array.dtype == np.uint8 and array.ndim and array.shape[-1] == 3:
        return array
    return np.round(as_unit(array) * 255.0).astype(np.uint8)


def to_linear(unit: np.ndarray) -> np.ndarray:
    """Undo the sRGB transfer curve: encoded [0, 1] to linear light [0, 1]."""
    unit = np.asarray(unit, dtype=np.float64)
    return np.where(unit <= 0.04045, unit / 12.92, ((unit + 0.055) / 1.055) ** 2.4)


def from_linear(linear: np.ndarray) -> np.ndarray:
    """Apply the sRGB transfer curve: linear light to encoded, both clipped to [0, 1]."""
    linear = np.clip(linear, 0.0, 1.0)
    return np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)


def to_lab(rgb: np.ndarray) -> np.ndarray:
    """CIELAB (D65, 2 degrees) of sRGB colours.

    Parameters
    ----------
    rgb : array_like, (..., 3)
        sRGB, uint8 or float in [0, 1].

    Returns
    -------
    ndarray, float64, (..., 3)
        L* in [0, 100], a* and b* in about [-110, 110].

    References
    ----------
    CIE 15:2004, Colorimetry, section 8.2.1.
    """
    array = np.asarray(rgb)
    if array.dtype == np.uint8 and array.shape[-1:] == (3,):
        return lab_of_linear(_linear_table()[array])
    return lab_of_linear(to_linear(as_unit(array)))


def lab_of_linear(linear: np.ndarray) -> np.ndarray:
    """CIELAB float64 (..., 3) of linear light in [0, 1]: the second half of `to_lab`."""
    # Channel by channel: arithmetic on every third number takes several times as long.
    ratio = _XYZ / _WHITE[:, None] @ np.reshape(linear, (-1, 3)).T
    root = np.cbrt(ratio)
    dark = ratio <= (6 / 29) ** 3
    root[dark] = ratio[dark] * (29 / 6) ** 2 / 3 + 4 / 29
    x, y, z = root
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)]).T.reshape(np.shape(linear))


def from_lab(lab: np.ndarray) -> np.ndarray:
    """SRGB in [0, 1] of CIELAB colours (..., 3), clipped to the gamut: undoes `to_lab`."""
    light, red_green, yellow_blue = np.reshape(lab, (-1, 3)).T.astype(np.float64)
    y = (light + 16) / 116
    root = np.stack([y + red_green / 500, y, y - yellow_blue / 200])
    ratio = np.where(root > 6 / 29, root * root * root, (root - 4 / 29) * 3 * (6 / 29) ** 2)
    return from_linear(_RGB.T @ ratio).T.reshape(np.shape(lab))


@cache
def _linear_table() -> np.ndarray:
    return to_linear(np.arange(256) / 255.0)


@cache
def linear_of_byte() -> np.ndarray:
    """Linear light of the 256 encoded values, float32 (256,)."""
    return _linear_table().astype(np.float32)


#: Colours of `cube`.
CELLS = 64**3


@cache
def cell_axis() -> np.ndarray:
    """Encoded values of the cell centres along one channel of `cube`: float64 (64,) in [0, 1]."""
    return (np.arange(64) * 4 + 1.5) / 255.0


@cache
def cube() -> np.ndarray:
    """Make the sRGB colours at the cell centres of a 64 x 64 x 64 table: float64 (262144, 3).

    Cell ``(r, g, b)`` holds the 8-bit values ``4 r .. 4 r + 3`` of red, and so on; its centre is
    ``4 r + 1.5``.
    """
    red, green, blue = np.meshgrid(*[cell_axis()] * 3, indexing="ij")
    return np.stack([red, green, blue], axis=-1).reshape(-1, 3)


def cube_index(byte: np.ndarray) -> np.ndarray:
    """Row of `cube` for each 8-bit colour: intp (...), from uint8 (..., 3)."""
    cell = (byte[..., 0] & 252).astype(np.int32)
    cell <<= 10
    low = (byte[..., 1] & 252).astype(np.uint16)
    low <<= 4
    low |= byte[..., 2] >> 2
    cell |= low
    return cell.astype(np.intp)


def levels_of(cells: np.ndarray) -> np.ndarray:
    """Places in `cell_axis`, channel by channel, intp (3, N), of rows of `cube` (N,)."""
    return np.stack([cells >> 12, cells >> 6 & 63, cells & 63])
