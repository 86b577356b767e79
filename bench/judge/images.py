"""Pictures from anywhere to one form: uint8 sRGB, (H, W, 3)."""

from __future__ import annotations

import io
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.errors import UsageError

if TYPE_CHECKING:
    from PIL import Image

#: More pixels than this are refused before they are decoded: 64 megapixels, 8192 x 8192.
MAX_PIXELS = 1 << 26
#: Pixels that are copied at a time.
_BAND = 1 << 20
#: Transparent pixels are laid over white, as a web page would show them.
PAPER = (255, 255, 255)
#: Formats that are decoded, all within Pillow: EPS, for one, would start another program.
FORMATS = ("PNG", "JPEG", "WEBP", "AVIF", "GIF", "BMP", "TIFF", "PPM", "JPEG2000", "MPO")

#: EXIF tag of how a picture is to be turned.
_ORIENTATION = 0x0112
_OPENING = threading.Lock()


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


def as_rgb8(image: Any) -> np.ndarray:
    """Read an image of any common kind as uint8 sRGB.

    Parameters
    ----------
    image : PIL image, ndarray, torch tensor or bytes
        - bytes: an encoded file (PNG, JPEG, WebP, ...); of an animation, the first frame; turned
          as its EXIF says;
        - PIL image: any mode, turned likewise; transparency is laid over white, CMYK and 16-bit
          gray converted;
        - array: ``(H, W)``, ``(H, W, 1|3|4)`` or ``(1|3|4, H, W)``; uint8, uint16, bool, or float
          in [0, 1]. Where both could be meant, an array's channels are last, a tensor's first.

    Returns
    -------
    ndarray, uint8, (H, W, 3)
        Contiguous.

    Raises
    ------
    PictureError
        Zero size, too many pixels, truncated or unknown file, NaN, values out of range.
    """
    if isinstance(image, (bytes, bytearray, memoryview)):
        return _from_bytes(bytes(image))
    if hasattr(image, "convert") and hasattr(image, "mode"):
        return _from_pil(image)
    first = hasattr(image, "detach")
    if first:
        image = image.detach().cpu()
        # bfloat16, which numpy lacks, goes to float32 as half precision does.
        image = (image.float() if image.is_floating_point() else image).numpy()
    try:
        array = np.asarray(image)
    except (TypeError, ValueError):
        array = np.empty((), dtype=object)
    if array.dtype == object or array.ndim < 2:
        raise PictureError(
            "no picture",
            f"cannot read a picture from {type(image).__name__}: give a PIL image, an array "
            "(H, W, 3), or the bytes of an image file",
        )
    return _from_array(array, first)


def _from_bytes(data: bytes) -> np.ndarray:
    from PIL import Image, UnidentifiedImageError

    if not data:
        raise PictureError("empty file", "the image file is empty (0 bytes)")
    try:
        with quiet():
            picture = Image.open(io.BytesIO(data), formats=formats())
        with picture:
            return _from_pil(picture)
    except UnidentifiedImageError:
        raise PictureError(
            "no image file", f"{len(data)} bytes that are no image file that Pillow can read"
        ) from None
    except Image.DecompressionBombError as error:
        raise PictureError("too many pixels", f"image refused: {error}") from None
    except UsageError:
        raise
    except Exception as error:
        # What a decoder raises over damaged bytes depends on the byte: struct.error, IndexError.
        raise PictureError("damaged file", f"the image file is damaged: {error}") from None


@contextmanager
def quiet() -> Iterator[None]:
    """Keep Pillow's warnings of odd EXIF and the like off stderr; what is read is the same.

    The filters of warnings belong to the whole process: one thread at a time.
    """
    with _OPENING, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@cache
def formats() -> tuple[str, ...]:
    """Those of `FORMATS` that this Pillow was built with."""
    from PIL import Image

    Image.init()
    return tuple(name for name in FORMATS if name in Image.OPEN)


def _from_pil(picture: Image.Image) -> np.ndarray:
    width, height = picture.size
    _check_size(height, width)
    try:
        picture.load()
    except (OSError, SyntaxError, ValueError) as error:
        raise PictureError("damaged file", f"the image file is damaged: {error}") from None
    picture = _upright(picture)
    mode = picture.mode
    if mode in ("I", "F") or mode.startswith("I;16"):
        return _from_array(_gray_range(np.asarray(picture)))
    if mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in picture.info:
        return _over_paper(np.asarray(picture.convert("RGBA")))
    return _pixels(picture if mode == "RGB" else picture.convert("RGB"))


def _pixels(picture: Image.Image) -> np.ndarray:
    """Pixels of a picture, copied a band at a time: at once, a large one would be there thrice."""
    width, height = picture.size
    out = np.empty((height, width, 3), np.uint8)
    band = max(1, _BAND // width)
    for top in range(0, height, band):
        out[top : top + band] = np.asarray(picture.crop((0, top, width, min(height, top + band))))
    return out


def _upright(picture: Image.Image) -> Image.Image:
    """Turned as its EXIF says that it should be shown; as it is where that cannot be read."""
    from PIL import ImageOps

    if not hasattr(picture, "getexif"):
        return picture
    try:
        with quiet():
            # Pillow copies what need not be turned.
            turned = picture.getexif().get(_ORIENTATION, 1) != 1
            return ImageOps.exif_transpose(picture) if turned else picture
    except Exception:
        # A header that tells nothing usable is no reason to refuse the pixels.
        return picture


def _gray_range(values: np.ndarray) -> np.ndarray:
    """Pillow's 16-bit, 32-bit and float gray modes: to uint16, or float in [0, 1]."""
    if np.issubdtype(values.dtype, np.floating) and values.size and np.nanmax(values) <= 1.0:
        return values
    if np.issubdtype(values.dtype, np.floating):
        return values / 255.0
    return np.clip(values, 0, 65535).astype(np.uint16)


def _from_array(array: np.ndarray, channels_first: bool = False) -> np.ndarray:
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
    _check_size(array.shape[0], array.shape[1])
    byte = _to_byte(array)
    if byte.shape[2] == 4:
        return _over_paper(byte)
    return np.ascontiguousarray(np.broadcast_to(byte, (*byte.shape[:2], 3)))


def _to_byte(array: np.ndarray) -> np.ndarray:
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


def _over_paper(rgba: np.ndarray) -> np.ndarray:
    alpha = rgba[..., 3:].astype(np.uint16)
    paper = np.array(PAPER, dtype=np.uint16)
    mixed = rgba[..., :3].astype(np.uint16) * alpha + paper * (255 - alpha)
    return ((mixed + 127) // 255).astype(np.uint8)


def _check_size(height: int, width: int) -> None:
    if height == 0 or width == 0:
        raise PictureError("no pixels", f"the picture has no pixels ({width} x {height})")
    if height * width > MAX_PIXELS:
        raise PictureError(
            "too many pixels",
            f"the picture has {width} x {height} pixels, more than the {MAX_PIXELS} that are "
            "read: make it smaller first",
        )
