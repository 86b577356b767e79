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

from bench.errors import StoreError
from bench.store import pictures
from bench.store.pictures import decode_png, encode_png

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
