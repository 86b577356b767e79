"""Pictures and masks in the form that the page carries: small, and true in colour."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass

import numpy as np
from PIL import Image

#: Longest side of a thumbnail. Pictures up to this size keep their pixels.
LONGEST = 128

#: Qualities of WebP, best first, where lossless thumbnails do not fit. None is lossless.
QUALITIES: tuple[int | None, ...] = (None, 96, 88)


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """One picture, encoded.

    Attributes
    ----------
    uri : str
        ``data:`` URI.
    labels : str
        Label map in the form of `encode_labels`, or empty.
    width, height : int
        Pixels of the thumbnail.
    """

    uri: str
    labels: str
    width: int
    height: int

    @property
    def size(self) -> int:
        """Bytes in the page."""
        return len(self.uri) + len(self.labels) + 24


def make_thumbnail(image: bytes, labels: bytes | None, quality: int | None) -> Thumbnail:
    """Encode a stored picture and its label map.

    Parameters
    ----------
    image : bytes
        A picture file (PNG).
    labels : bytes or None
        8-bit gray PNG: 0 background, 1.. subjects, 101.. neighbours.
    quality : int or None
        None keeps every pixel: the stored file, or lossless WebP where the picture had to be
        made smaller. Otherwise the smaller of the stored file and WebP of this quality.
    """
    with Image.open(io.BytesIO(image)) as opened:
        stored_is_png = opened.format == "PNG"
        picture = opened.convert("RGB")
    scale = LONGEST / max(picture.size)
    if scale < 1:
        size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
        picture = picture.resize(size, Image.Resampling.LANCZOS)
    as_stored = scale >= 1 and stored_is_png
    if as_stored and quality is None:
        kind, data = "png", image
    else:
        kind, data = "webp", _webp(picture, quality)
        if as_stored and len(image) <= len(data):
            kind, data = "png", image
    uri = f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
    text = encode_labels(_resized_labels(labels, picture.size)) if labels else ""
    return Thumbnail(uri, text, picture.width, picture.height)


def _webp(picture: Image.Image, quality: int | None) -> bytes:
    buffer = io.BytesIO()
    if quality is None:
        picture.save(buffer, "WEBP", lossless=True, quality=30, method=1)
    else:
        picture.save(buffer, "WEBP", quality=quality, method=2, use_sharp_yuv=True)
    return buffer.getvalue()


def _resized_labels(labels: bytes, size: tuple[int, int]) -> np.ndarray:
    with Image.open(io.BytesIO(labels)) as opened:
        gray = opened.convert("L")
    if gray.size != size:
        gray = gray.resize(size, Image.Resampling.NEAREST)
    return np.asarray(gray)


def encode_labels(labels: np.ndarray) -> str:
    """Run lengths of a label map, row after row, as base64.

    Each run is its label (one byte) and its length in base 128, lowest digit first, the high bit
    set on every digit but the last.

    Parameters
    ----------
    labels : ndarray, uint8, (H, W)

    Returns
    -------
    str
    """
    flat = labels.ravel()
    starts = np.flatnonzero(np.diff(flat, prepend=flat[:1].astype(np.int16) - 1))
    lengths = np.diff(starts, append=flat.size)
    out = bytearray()
    for label, length in zip(flat[starts].tolist(), lengths.tolist(), strict=True):
        out.append(label)
        while length >= 128:
            out.append(length & 127 | 128)
            length >>= 7
        out.append(length)
    return base64.b64encode(bytes(out)).decode()
