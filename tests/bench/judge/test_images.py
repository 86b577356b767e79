import io

import numpy as np
import pytest
import torch
from PIL import Image

from bench.errors import BenchError, UsageError
from bench.judge.images import as_rgb8
from bench.judge.picture_arrays import MAX_PIXELS

RED = np.full((6, 5, 3), (200, 10, 20), dtype=np.uint8)


def encoded(image, kind="PNG", **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def test_rgb_is_kept():
    assert np.array_equal(as_rgb8(RED), RED)
    assert np.array_equal(as_rgb8(Image.fromarray(RED)), RED)
    assert np.array_equal(as_rgb8(encoded(Image.fromarray(RED))), RED)


@pytest.mark.parametrize(
    "array",
    [
        RED / 255.0,
        (RED / 255.0).astype(np.float32),
        RED.transpose(2, 0, 1),
        RED.astype(np.int64),
        RED.astype(np.uint16) * 257,
        torch.from_numpy(RED.transpose(2, 0, 1) / 255.0),
        torch.from_numpy(RED.transpose(2, 0, 1) / 255.0)[None],
        RED[None],
    ],
    ids=["float", "float32", "channels first", "int64", "uint16", "tensor", "batch", "one"],
)
def test_other_arrays_are_the_same_picture(array):
    assert np.array_equal(as_rgb8(array), RED)


def test_gray_becomes_three_channels():
    gray = np.array([[0, 128], [255, 7]], dtype=np.uint8)
    for image in (gray, gray[..., None], Image.fromarray(gray)):
        assert np.array_equal(as_rgb8(image), np.repeat(gray[..., None], 3, axis=2))


def test_sixteen_bit_gray():
    deep = np.array([[0, 32768], [65535, 257]], dtype=np.uint16)
    for image in (deep, Image.fromarray(deep), encoded(Image.fromarray(deep))):
        assert as_rgb8(image)[..., 0].tolist() == [[0, 128], [255, 1]]


def test_one_bit_and_palette():
    assert as_rgb8(np.array([[True, False]]))[0, :, 0].tolist() == [255, 0]
    assert as_rgb8(Image.new("1", (3, 2), 1)).min() == 255
    palette = Image.fromarray(RED).quantize(4)
    assert np.array_equal(as_rgb8(palette), RED)


def test_transparent_pixels_lie_over_white():
    rgba = np.dstack([RED, np.zeros(RED.shape[:2], dtype=np.uint8)])
    assert as_rgb8(rgba).min() == 255
    assert as_rgb8(Image.fromarray(rgba)).min() == 255
    rgba[..., 3] = 128
    assert as_rgb8(rgba)[0, 0].tolist() == [227, 132, 137]


def test_cmyk_is_converted():
    picture = encoded(Image.fromarray(RED).convert("CMYK"), "JPEG")
    assert np.abs(as_rgb8(picture)[0, 0].astype(int) - RED[0, 0]).max() < 25


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_a_picture_is_turned_as_its_exif_says(form):
    picture = Image.new("RGB", (24, 16), (255, 255, 255))
    picture.paste((255, 0, 0), (0, 0, 24, 8))
    exif = Image.Exif()
    exif[0x0112] = 6  # shown a quarter turn clockwise: what is above goes to the right
    buffer = io.BytesIO()
    picture.save(buffer, form, exif=exif)
    found = as_rgb8(buffer.getvalue())
    assert found.shape == (24, 16, 3)
    assert nearly(found[12, 12], (255, 0, 0))
    assert nearly(found[12, 4], (255, 255, 255))


def test_exif_that_cannot_be_read_is_no_reason_to_refuse():
    picture = Image.new("RGB", (8, 6), (0, 0, 255))
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", exif=b"Exif\x00\x00MM\x00*\xff\xff\xff\xff")
    assert as_rgb8(buffer.getvalue()).shape == (6, 8, 3)


def nearly(pixel, colour):
    return int(np.abs(pixel.astype(int) - colour).max()) < 12


def test_first_frame_of_an_animation():
    frames = [Image.fromarray(RED), Image.new("RGB", (5, 6), (0, 0, 255))]
    data = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert np.abs(as_rgb8(data)[0, 0].astype(int) - RED[0, 0]).max() < 10


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 4000, 3), (4000, 1, 3)])
def test_odd_shapes_are_pictures(shape):
    assert as_rgb8(np.zeros(shape, dtype=np.uint8)).shape == shape


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (b"", "empty"),
        (b"not a picture", "no image file"),
        (
            encoded(
                Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8))
            )[:900],
            "damaged",
        ),
        (np.zeros((0, 5, 3), dtype=np.uint8), "no pixels"),
        (np.zeros((5, 5, 2), dtype=np.uint8), "1, 3 or 4 channels"),
        (np.zeros((2, 2, 2, 3), dtype=np.uint8), "2 or 3 axes"),
        (np.full((4, 4, 3), np.nan), "NaN"),
        (np.full((4, 4, 3), 128.0), "must lie in"),
        (np.full((4, 4, 3), 300, dtype=np.int32), "reaches"),
        (np.zeros((4, 4, 3), dtype=complex), "cannot have values"),
        ("picture.png", "cannot read a picture from str"),
        (None, "cannot read a picture from NoneType"),
    ],
)
def test_bad_pictures_are_named(bad, words):
    with pytest.raises(UsageError, match=words) as caught:
        as_rgb8(bad)
    assert isinstance(caught.value, BenchError)
    assert "\n" not in str(caught.value)


def test_a_bomb_is_refused_before_it_is_decoded():
    side = int(MAX_PIXELS**0.5) + 1
    for picture in (Image.new("1", (side, side)), encoded(Image.new("1", (side, side)))):
        with pytest.raises(UsageError, match=r"more than|refused"):
            as_rgb8(picture)
