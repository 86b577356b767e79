"""Pictures from anywhere to one form: uint8 sRGB, (H, W, 3)."""

from __future__ import annotations

import importlib.util
import io
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from bench.errors import UsageError
from bench.judge.picture_arrays import (
    MAX_PIXELS,
    PictureError,
    check_size,
    from_array,
    gray_range,
    over_paper,
    to_byte,
)
from bench.memory import give_freed_pages_back

if TYPE_CHECKING:
    from PIL import Image

#: From so many pixels on, a picture is decoded where its pixels stay.
LARGE = 1 << 22
#: Pixels that are copied at a time.
_BAND = 1 << 18
#: Formats that are decoded, all within Pillow: EPS, for one, would start another program.
FORMATS = ("PNG", "JPEG", "WEBP", "AVIF", "GIF", "BMP", "TIFF", "PPM", "JPEG2000", "MPO")

#: EXIF tag of how a picture is to be turned.
_ORIENTATION = 0x0112
_OPENING = threading.Lock()


def as_rgb8(image: Any) -> np.ndarray:
    """Read an image of any common kind as uint8 sRGB.

    Parameters
    ----------
    image : PIL image, ndarray, torch tensor, bytes or open binary file
        - bytes, file: an encoded picture (PNG, JPEG, WebP, ...); of an animation, the first
          frame; turned as its EXIF says;
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
        return _from_file(io.BytesIO(image))
    if hasattr(image, "convert") and hasattr(image, "mode"):
        return _from_pil(image)
    if hasattr(image, "read") and hasattr(image, "seek"):
        return _from_file(image)
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
    return from_array(array, first)


def _from_file(file: BinaryIO) -> np.ndarray:
    from PIL import Image, UnidentifiedImageError

    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    if not size:
        raise PictureError("empty file", "the image file is empty (0 bytes)")
    try:
        with _opened(file) as picture:
            pixels = _large(file, picture) if _is_large(picture) else _from_pil(picture)
        if pixels is not None:
            return pixels
        with _opened(file) as picture:
            return _from_pil(picture)
    except UnidentifiedImageError:
        raise PictureError(
            "no image file", f"{size} bytes that are no image file that Pillow can read"
        ) from None
    except Image.DecompressionBombError as error:
        raise PictureError("too many pixels", f"image refused: {error}") from None
    except UsageError:
        raise
    except Exception as error:
        # What a decoder raises over damaged bytes depends on the byte: struct.error, IndexError.
        raise PictureError("damaged file", f"the image file is damaged: {error}") from None


def _opened(file: BinaryIO) -> Image.Image:
    from PIL import Image

    file.seek(0)
    with quiet():
        return Image.open(file, formats=formats())


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
    check_size(height, width)
    try:
        picture.load()
    except (OSError, SyntaxError, ValueError) as error:
        raise PictureError("damaged file", f"the image file is damaged: {error}") from None
    if picture.mode == "F":
        return _turned(from_array(gray_range(np.asarray(picture))), _turn_of(picture))
    out = np.empty((height, width, 3), np.uint8)
    for top, end in _bands(height, width):
        out[top:end] = _band(picture.crop((0, top, width, end)))
    return _turned(out, _turn_of(picture))


def _bands(height: int, width: int) -> Iterator[tuple[int, int]]:
    """Rows that are converted together: all at once, a large picture would be there thrice."""
    step = max(1, _BAND // width)
    return ((top, min(height, top + step)) for top in range(0, height, step))


def _band(picture: Image.Image) -> np.ndarray:
    mode = picture.mode
    if mode == "I" or mode.startswith("I;16"):
        return to_byte(gray_range(np.asarray(picture)))[..., None]
    if mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in picture.info:
        return over_paper(np.asarray(picture.convert("RGBA")))
    return np.asarray(picture if mode == "RGB" else picture.convert("RGB"))


def _is_large(picture: Image.Image) -> bool:
    """Whether a picture is one for `_in_place`."""
    width, height = picture.size
    return (
        LARGE <= width * height <= MAX_PIXELS
        and picture.format in ("PNG", "JPEG", "WEBP")
        and picture.mode in ("RGB", "RGBA")
        and "transparency" not in picture.info
    )


def _large(file: BinaryIO, picture: Image.Image) -> np.ndarray | None:
    """Pixels of a large picture with few copies beside them; None where that does not go."""
    give_freed_pages_back()
    pixels = _webp(file) if picture.format == "WEBP" and picture.mode == "RGB" else None
    return _in_place(picture) if pixels is None else _turned(pixels, _turn_of(picture))


def _webp(file: BinaryIO) -> np.ndarray | None:
    """Pixels of a still WebP by libwebp's decoder for these; None where it is not at hand.

    That of Pillow is for animations, and has five pictures in memory.
    """
    import torch

    decode = _webp_decoder()
    file.seek(0)
    if decode is None:
        return None
    try:
        # Mode 3 is RGB.
        decoded = decode(torch.frombuffer(bytearray(file.read()), dtype=torch.uint8), 3)
    except (RuntimeError, ValueError):
        return None  # An animation, or damaged: Pillow finds out.
    return np.ascontiguousarray(decoded.permute(1, 2, 0).numpy())


@cache
def _webp_decoder() -> Callable[..., Any] | None:
    """That of torchvision, without the rest of that package, which takes 150 MB to import."""
    import torch

    spec = importlib.util.find_spec("torchvision")
    for where in (spec.submodule_search_locations or ()) if spec else ():
        for library in sorted(Path(where).glob("image*.so")):
            with suppress(OSError):
                torch.ops.load_library(library)
    return getattr(torch.ops.image, "decode_webp", None)


def _in_place(picture: Image.Image) -> np.ndarray | None:
    """Pixels of a picture, decoded where they stay; None where that does not go.

    Pillow has four bytes a pixel in memory of its own, beside which there would be the pixels.
    """
    from PIL import Image

    width, height = picture.size
    memory = np.zeros(width * height * 4, np.uint8)
    kind = "RGBA" if picture.mode == "RGBA" else "RGBX"
    picture.im = shared = Image.frombuffer(kind, picture.size, memory, "raw", kind, 0, 1).im
    try:
        picture.load()
    except Exception:
        return None  # What is wrong is found, and said, when it is decoded as others are.
    if picture.im is not shared:
        return None
    turn = _turn_of(picture)
    picture.close()
    for top, end in _bands(height, width):
        band = memory[top * width * 4 : end * width * 4].reshape(-1, 4)
        pixels = over_paper(band) if kind == "RGBA" else band[:, :3].copy()
        # Three bytes of four: they lie before all that is still to be read.
        memory[top * width * 3 : end * width * 3] = pixels.reshape(-1)
    del shared, band, pixels
    # Where something still has the memory, the rest of it stays.
    with suppress(ValueError):
        memory.resize(width * height * 3)
    return _turned(memory[: width * height * 3].reshape(height, width, 3), turn)


#: How pixels are turned by their orientation (EXIF 2.32, tag 0x0112).
_TURNS: dict[int, Callable[[np.ndarray], np.ndarray]] = {
    2: lambda pixels: pixels[:, ::-1],
    3: lambda pixels: pixels[::-1, ::-1],
    4: lambda pixels: pixels[::-1],
    5: lambda pixels: pixels.swapaxes(0, 1),
    6: lambda pixels: pixels.swapaxes(0, 1)[:, ::-1],
    7: lambda pixels: pixels.swapaxes(0, 1)[::-1, ::-1],
    8: lambda pixels: pixels.swapaxes(0, 1)[::-1],
}


def _turn_of(picture: Image.Image) -> int:
    """Orientation by its EXIF; upright where that cannot be read."""
    try:
        with quiet():
            return int(picture.getexif().get(_ORIENTATION, 1))
    except Exception:
        # A header that tells nothing usable is no reason to refuse the pixels.
        return 1


def _turned(pixels: np.ndarray, turn: int) -> np.ndarray:
    return np.ascontiguousarray(_TURNS[turn](pixels)) if turn in _TURNS else pixels
