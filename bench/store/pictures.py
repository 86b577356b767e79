"""Pictures to PNG bytes and back, without loss."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, UnidentifiedImageError

from bench.errors import StoreError

#: zlib level. Level 1 is several times faster than 6 and makes photographs about a tenth larger.
LEVEL = 1


def encode_png(image: np.ndarray) -> bytes:
    """PNG bytes of a uint8 array, (H, W, 3) colour or (H, W) gray."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, format="PNG", compress_level=LEVEL)
    return file.getvalue()


def decode_png(data: bytes, owner: str = "image") -> np.ndarray:
    """Return the array of an image file's bytes: uint8, (H, W, 3), or (H, W) for a gray one.

    Raises
    ------
    StoreError
        The bytes are no image; the message names ``owner``.
    """
    try:
        with Image.open(io.BytesIO(data)) as image:
            return np.asarray(image if image.mode in ("RGB", "L") else image.convert("RGB"))
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise StoreError(f"the picture of {owner} cannot be decoded: {error}") from error
