"""PNG that any reader reads, without loss."""

from __future__ import annotations

import io
import tracemalloc
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from bench.errors import StoreError
from bench.judge.images import as_rgb8
from bench.judge.picture_arrays import PictureError
from bench.store import pictures
from bench.store.pictures import decode_png, encode_png, plain_png

SHAPES = st.one_of(
    st.tuples(st.integers(1, 9), st.integers(1, 9), st.just(3)),
    st.tuples(st.integers(1, 9), st.integers(1, 9)),
)


@given(SHAPES.flatmap(lambda shape: arrays.arrays(np.uint8, shape)))
def test_nothing_is_lost(image):
    assert np.array_equal(decode_png(encode_png(image)), image)


def test_another_reader_checks_every_sum(monkeypatch):
    monkeypatch.setattr(pictures, "_BAND", 1000)
    image = np.random.default_rng(0).integers(0, 256, (70, 50, 3), dtype=np.uint8)
    data = encode_png(image[:, ::-1])
    with Image.open(io.BytesIO(data)) as picture:
        picture.verify()
    with Image.open(io.BytesIO(data)) as picture:
        assert picture.mode == "RGB"
        assert np.array_equal(np.asarray(picture), image[:, ::-1])


def test_runs_are_short():
    flat = np.full((512, 512), 7, np.uint8)
    assert len(encode_png(flat)) < 3000


def test_a_damaged_picture_is_named():
    data = bytearray(encode_png(np.zeros((40, 40, 3), np.uint8)))
    data[41:60] = zlib.compress(b"nothing")[:19].ljust(19, b"x")
    with pytest.raises(StoreError, match="the picture of sample 7 cannot be decoded"):
        decode_png(bytes(data), "sample 7")


def test_an_encoded_picture_is_there_once(monkeypatch):
    monkeypatch.setattr(pictures, "_BAND", 1 << 16)
    noise = np.random.default_rng(0).integers(0, 256, (1024, 1024, 3), dtype=np.uint8)
    tracemalloc.start()
    try:
        data = encode_png(noise)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1.3 * len(data)


def file_of(picture, **options):
    file = io.BytesIO()
    picture.save(file, "PNG", **options)
    return file.getvalue()


NOISE = np.random.default_rng(0).integers(0, 256, (40, 30, 3), dtype=np.uint8)


def texts(**named):
    info = PngInfo()
    for name, text in named.items():
        info.add_text(name.replace("_", " "), text, zip=len(text) > 20)
    return info


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"compress_level": 9, "dpi": (72, 72)},
        {"pnginfo": texts(parameters="a secret prompt", workflow="{}" * 40)},
        {"icc_profile": b"profile"},
    ],
)
def test_the_picture_alone_of_a_png_is_kept(options):
    data = file_of(Image.fromarray(NOISE), **options)
    plain = plain_png(data)
    assert np.array_equal(decode_png(plain), as_rgb8(data))
    assert np.array_equal(decode_png(plain), NOISE)
    assert b"secret" not in plain
    assert len(plain) <= len(data)
    assert plain_png(plain) == plain


def turned():
    exif = Image.Exif()
    exif[0x0112] = 6
    return exif


@pytest.mark.parametrize(
    ("mode", "options"),
    [
        ("RGB", {"exif": turned()}),
        ("RGB", {"transparency": (1, 2, 3)}),
        ("RGB", {"pnginfo": texts(Raw_profile_type_exif="exif")}),
        ("RGBA", {}),
        ("L", {}),
        ("P", {}),
        ("I;16", {}),
    ],
)
def test_a_png_that_may_look_otherwise_is_encoded_anew(mode, options):
    picture = Image.new("I;16", (30, 40)) if mode == "I;16" else Image.fromarray(NOISE)
    picture = picture if picture.mode == mode else picture.convert(mode)
    assert plain_png(file_of(picture, **options)) is None


@given(st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), max_size=2))
def test_what_is_kept_looks_as_the_whole_does_whatever_bytes_are_others(changes):
    data = bytearray(file_of(Image.fromarray(NOISE[:9, :7]), pnginfo=texts(workflow="{}")))
    for place, byte in changes:
        data[place % len(data)] = byte
    try:
        seen = as_rgb8(bytes(data))
    except PictureError:
        return
    plain = plain_png(bytes(data))
    assert plain is None or np.array_equal(decode_png(plain), seen)


@pytest.mark.parametrize("chunk", [b"IDAT", b"IEND"])
def test_a_png_whose_checksum_is_wrong_is_encoded_anew(chunk):
    data = bytearray(file_of(Image.fromarray(NOISE)))
    start = data.index(chunk)
    data[start + 4 + int.from_bytes(data[start - 4 : start], "big")] ^= 1
    assert np.array_equal(as_rgb8(bytes(data)), NOISE)
    assert plain_png(bytes(data)) is None


def test_what_is_no_whole_png_is_encoded_anew():
    data = file_of(Image.fromarray(NOISE))
    header = file_of(Image.fromarray(NOISE[:9]))[8:33]
    assert plain_png(data[:-12] + header + data[-12:]) is None
    assert plain_png(data[:-3]) is None
    assert plain_png(data[:50]) is None
    assert plain_png(b"") is None
    assert plain_png(data[:33] + b"\0\0\0\0ABCD\0\0\0\0" + data[33:]) is None
    jpeg = io.BytesIO()
    Image.fromarray(NOISE).save(jpeg, "JPEG")
    assert plain_png(jpeg.getvalue()) is None
