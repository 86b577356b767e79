"""Arrays of any common kind as pictures: uint8 sRGB, (H, W, 3)."""

from __future__ import annotations

import numpy as np

from bench.errors import UsageError

#: More pixels than this are refused before they are decoded: 64 megapixels, 8192 x 8192.
MAX_PIXELS = 1 << 26
#: Transparent pixels are laid over white, as a web page would show them.
PAPER = (255, 255, 255)


class PictureError(UsageError):
    """A picture that cannot be read.

    Attributes
    ----------
    kind : str
        Why, in few words that many pictures share: ``empty file``, ``no image file``, ``damaged
        file``, ``too many pixels``, ``no pixels``, ``not finite``, ``out of range``, ``no
        picture``.
    """

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


def gray_range(values: np.ndarray) -> np.ndarray:
    """Pillow's 16-bit, 32-bit and float gray modes: to uint16, or float in [0, 1]."""
    if np.issubdtype(values.dtype, np.floating) and values.size and np.nanmax(values) <= 1.0:
        return values
    if np.issubdtype(values.dtype, np.floating):
        return values / 255.0
    return np.clip(values, 0, 65535).astype(np.uint16)


def from_array(array: np.ndarray, channels_first: bool = False) -> np.ndarray:
    """Read an array of 2 to 4 axes as uint8 (H, W, 3), contiguous; see `bench.judge.images`."""
    while array.ndim == 4 and array.shape[0] == 1:
        array = array[0]
    if array.ndim == 2:
        array = array[..., None]
    if array.ndim != 3:
        raise PictureError("no picture", f"a picture has 2 or 3 axes, not the shape {array.shape}")
    channels_first = channels_first or array.shape[2] not in (1, 3, 4)
    if channels_first and array.shape[0] in (1, 3, 4):
        array = np.moveaxis(array, 0, 2)
    if array.shape[2] not in (1, 3, 4):
        raise PictureError(
            "no picture", f"a picture has 1, 3 or 4 channels, not the shape {array.shape}"
        )
    check_size(array.shape[0], array.shape[1])
    byte = to_byte(array)
    if byte.shape[2] == 4:
        return over_paper(byte)
    return np.ascontiguousarray(np.broadcast_to(byte, (*byte.shape[:2], 3)))


def to_byte(array: np.ndarray) -> np.ndarray:
    """Values of any type as uint8: integers up to 255 or uint16 up to 65535, floats up to 1."""
    if array.dtype == np.uint8:
        return array
    if array.dtype == np.bool_:
        return array.astype(np.uint8) * 255
    if array.dtype == np.uint16:
        return ((array.astype(np.uint32) * 255 + 32767) // 65535).astype(np.uint8)
    if np.issubdtype(array.dtype, np.integer):
        if array.min() < 0 or array.max() > 255:
            raise PictureError(
                "out of range",
                f"{array.dtype} picture reaches {array.min()} to {array.max()}: expected 0 to 255",
            )
        return array.astype(np.uint8)
    if not np.issubdtype(array.dtype, np.floating):
        raise PictureError("no picture", f"a picture cannot have values of type {array.dtype}")
    if not np.isfinite(array).all():
        raise PictureError("not finite", "the picture holds NaN or infinite values")
    low, high = float(array.min()), float(array.max())
    if low < -0.01 or high > 1.01:
        raise PictureError(
            "out of range",
            f"a float picture must lie in [0, 1], but this one reaches {low:.3g} to {high:.3g}",
        )
    return np.round(np.clip(array, 0.0, 1.0) * 255.0).astype(np.uint8)


def over_paper(rgba: np.ndarray) -> np.ndarray:
    """Lay uint8 (..., 4) over `PAPER`: uint8 (..., 3)."""
    alpha = rgba[..., 3:].astype(np.uint16)
    paper = np.array(PAPER, dtype=np.uint16)
    mixed = rgba[..., :3].astype(np.uint16) * alpha + paper * (255 - alpha)
    return ((mixed + 127) // 255).astype(np.uint8)


def check_size(height: int, width: int) -> None:
    """Refuse a picture without pixels, or with more than `MAX_PIXELS`."""
    if height == 0 or width == 0:
        raise PictureError("no pixels", f"the picture has no pixels ({width} x {height})")
    if height * width > MAX_PIXELS:
        raise PictureError(
            "too many pixels",
            f"the picture has {width} x {height} pixels, more than the {MAX_PIXELS} that are "
            "read: make it smaller first",
        )
