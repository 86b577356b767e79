"""Large pictures: decoded where their pixels stay, and never there twice."""

import io
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from bench.judge import images
from bench.judge.images import as_rgb8
from bench.judge.picture_arrays import PictureError

#: Bytes a pixel that the decoding of a large picture may take at its peak: Pillow has four at most,
#: and the pixels are three.
MOST = 5.5
SIDE = 4096

CHILD = """
import io, os, resource, sys
from PIL import Image
from bench.judge.images import as_rgb8

def peak():
    # The other figure of Linux begins with that of the process that started this one.
    if os.path.exists("/proc/self/status"):
        lines = open("/proc/self/status").read().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

kind, mode, side = sys.argv[1], sys.argv[2], int(sys.argv[3])

def file(side):
    first, data = Image.linear_gradient("L").resize((side, side)), io.BytesIO()
    picture = first if mode == "L" else Image.merge("RGB", [first] * 3)
    picture = picture.quantize(16) if mode == "P" else picture.convert(mode)
    picture.save(data, kind)
    return data.getvalue()

if side:
    open(sys.argv[4], "wb").write(file(side))
else:
    if kind == "WEBP":
        import torch
    as_rgb8(file(16))
    before = peak()
    with open(sys.argv[4], "rb") as data:
        shape = as_rgb8(data).shape
    print(shape[0], (peak() - before) / (shape[0] * shape[1]))
"""


def child(*arguments):
    command = [sys.executable, "-c", CHILD, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.mark.parametrize(
    ("kind", "mode"),
    [
        ("PNG", "RGB"),
        ("PNG", "RGBA"),
        ("PNG", "P"),
        ("PNG", "I;16"),
        ("JPEG", "RGB"),
        ("WEBP", "RGB"),
    ],
)
def test_a_large_picture_is_decoded_without_a_second_one(kind, mode, tmp_path):
    path = tmp_path / "large"
    child(kind, mode, SIDE, path)
    side, taken = child(kind, mode, 0, path)
    assert int(side) == SIDE
    assert 3 <= float(taken) <= MOST


def files():
    rng = np.random.default_rng(0)
    colour = Image.fromarray(rng.integers(0, 256, (41, 29, 3), dtype=np.uint8))
    clear = Image.fromarray(rng.integers(0, 256, (41, 29, 4), dtype=np.uint8))
    for kind, picture, options in (
        ("PNG", colour, {}),
        ("PNG", colour, {"transparency": colour.getpixel((3, 3))}),
        ("PNG", clear, {}),
        ("PNG", colour.quantize(16), {}),
        ("JPEG", colour, {}),
        ("JPEG", colour.convert("CMYK"), {}),
        ("WEBP", colour, {"lossless": True}),
        ("WEBP", colour, {"quality": 60}),
        ("WEBP", colour, {"save_all": True, "append_images": [colour.rotate(180)]}),
        ("WEBP", clear, {"lossless": True}),
        ("TIFF", colour, {}),
    ):
        for turn in range(1, 9):
            exif = Image.Exif()
            exif[0x0112] = turn
            data = io.BytesIO()
            picture.save(data, kind, exif=exif, **options)
            yield pytest.param(
                data.getvalue(), id=f"{kind}-{picture.mode}-{'-'.join(options)}-{turn}"
            )


@pytest.mark.parametrize("data", list(files()))
def test_a_large_picture_has_the_pixels_of_a_small_one(data, monkeypatch):
    expected = as_rgb8(data)
    # Bands of a few rows, the last one shorter.
    monkeypatch.setattr(images, "LARGE", 1)
    monkeypatch.setattr(images, "_BAND", 29 * 4)
    for given in (data, io.BytesIO(data)):
        found = as_rgb8(given)
        assert np.array_equal(found, expected)
        assert found.flags.c_contiguous


def test_a_large_picture_that_is_cut_off_is_named(monkeypatch):
    monkeypatch.setattr(images, "LARGE", 1)
    data = io.BytesIO()
    Image.linear_gradient("L").convert("RGB").save(data, "PNG")
    with pytest.raises(PictureError, match="damaged") as caught:
        as_rgb8(data.getvalue()[:300])
    assert caught.value.kind == "damaged file"


def test_a_large_webp_is_read_without_the_decoder_of_torchvision_too(monkeypatch):
    data = io.BytesIO()
    Image.linear_gradient("L").convert("RGB").save(data, "WEBP")
    expected = as_rgb8(data.getvalue())
    monkeypatch.setattr(images, "LARGE", 1)
    monkeypatch.setattr(images, "_webp_decoder", lambda: None)
    assert np.array_equal(as_rgb8(data.getvalue()), expected)
