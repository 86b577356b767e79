"""Pictures to PNG bytes and back, without loss."""

from __future__ import annotations

import io
import re
import struct
import zlib

import numpy as np
from PIL import Image, UnidentifiedImageError

from bench.errors import StoreError

#: zlib level and strategy. Runs alone, after the difference to the pixel at the left: Pillow at its
#: quickest takes twice the time for drawings and three times for photographs, holds Python's lock,
#: and makes a photograph with noise a fifth larger and a drawing a tenth smaller
#: (benchmarks/README.md).
LEVEL, STRATEGY = 1, zlib.Z_RLE
#: Bytes that are filtered at a time.
_BAND = 1 << 22
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
#: Chunks that change what is seen, and texts that may hold EXIF.
_TELLING, _TURNING = (b"tRNS", b"eXIf", b"acTL"), re.compile(rb"Raw profile|XML:", re.IGNORECASE)
#: Filter type 1, the difference to the pixel at the left.
_SUB = 1


def encode_png(image: np.ndarray) -> bytes:
    """PNG bytes of a uint8 array, (H, W, 3) colour or (H, W) gray.

    References
    ----------
    ISO/IEC 15948:2004, Portable Network Graphics: chunks (5.3), filter types (9.2).
    """
    height, width = image.shape[:2]
    step = 1 if image.ndim == 2 else 3
    rows = image.reshape(height, width * step)
    band = max(1, _BAND // (width * step))
    packed = zlib.compressobj(LEVEL, zlib.DEFLATED, strategy=STRATEGY)
    # Written as it comes, and given away without a copy: a large picture is large as PNG too.
    out = io.BytesIO()
    kind = 0 if image.ndim == 2 else 2
    header = struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0)
    out.write(_SIGNATURE + _chunk(b"IHDR", header) + bytes(4) + b"IDAT")
    start, check = out.tell(), zlib.crc32(b"IDAT")
    for top in range(0, height, band):
        part = rows[top : top + band]
        filtered = np.empty((len(part), 1 + part.shape[1]), np.uint8)
        filtered[:, 0] = _SUB
        filtered[:, 1 : 1 + step] = part[:, :step]
        np.subtract(part[:, step:], part[:, :-step], out=filtered[:, 1 + step :])
        piece = packed.compress(filtered.data)
        check = zlib.crc32(piece, check)
        out.write(piece)
    piece = packed.flush()
    out.write(piece)
    size = out.tell() - start
    out.write(struct.pack(">I", zlib.crc32(piece, check)) + _chunk(b"IEND", b""))
    out.seek(start - 8)
    out.write(struct.pack(">I", size))
    return out.getvalue()


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def plain_png(data: bytes) -> bytes | None:
    """Return a PNG file without what is beside its picture; None for any other kind of file.

    Only where its pixels are 8-bit colour without transparency, its checksums are right, and
    nothing in it may tell to turn them: then `decode_png` gives what any reader of it does.
    """
    if not data.startswith(_SIGNATURE) or data[24:26] != bytes((8, 2)):
        return None
    view, start = memoryview(data), len(_SIGNATURE)
    kept = [view[:start]]
    while start < len(data):
        kind = data[start + 4 : start + 8]
        end = start + 12 + int.from_bytes(data[start : start + 4], "big")
        if kind in (b"IHDR", b"IDAT", b"IEND"):
            # Pillow passes by checksums that stop other readers.
            check = int.from_bytes(data[end - 4 : end], "big")
            if zlib.crc32(view[start + 4 : end - 4]) != check or (kind == b"IHDR") != (start == 8):
                return None
            kept.append(view[start:end])
        elif kind in _TELLING or kind[:1].isupper() or _TURNING.match(data, start + 8, end):
            return None
        if kind == b"IEND":
            return b"".join(kept)
        start = end
    return None


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
