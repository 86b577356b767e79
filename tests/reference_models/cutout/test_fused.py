"""Networks in one pass an operation give what they gave."""

import pytest
import torch

from reference_models.cutout import load, photo_load
from reference_models.cutout.backbone import Layer
from reference_models.cutout.fused import FusedUnit, fused, same_alone

SIZES = [(64, 64), (96, 96), (96, 64), (32, 96)]


@pytest.fixture
def not_fused(monkeypatch):
    for module in (load, photo_load):
        monkeypatch.setattr(module, "fused", lambda model, run: model)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("count", [1, 3])
def test_the_small_network(not_fused, dtype, count):
    plain = load.load_cutout.__wrapped__(dtype=dtype)
    quick = fused(load.load_cutout.__wrapped__(dtype=dtype), lambda m: m(picture(16, 96, 96, m)))
    assert any(isinstance(unit, FusedUnit) for unit in quick.modules())
    for size in SIZES:
        x = picture(count, *size, plain)
        for one, other in zip(plain(x), quick(x), strict=True):
            assert_same(one, other)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_the_network_over_photographs(not_fused, dtype):
    plain = photo_load.load_photo.__wrapped__(dtype=dtype)
    quick = photo_load.load_photo.__wrapped__(dtype=dtype)
    fused(quick, lambda m: photo_load.whole_pass(m, picture(4, 256, 256, m)))
    for count, *size in [(4, 256, 256), (1, 256, 192), (3, 64, 256)]:
        x = picture(count, *size, plain)
        found = [photo_load.whole_pass(model, x) for model in (plain, quick)]
        for one, other in zip(*found, strict=True):
            assert_same(one, other)


@pytest.mark.parametrize("kernel", [3, 5])
@pytest.mark.parametrize("groups", [1, 32])
def test_what_is_padded_on_one_side(kernel, groups):
    layer = Layer(32, 32, kernel, 2, groups)
    x = torch.rand(2, 32, 16, 24).to(memory_format=torch.channels_last)
    with torch.inference_mode():
        for size in (None, x.shape):
            assert_same(FusedUnit(layer, size)(x), layer(x))


def test_a_picture_alone():
    batch = torch.rand(4, 3, 8, 8)
    assert same_alone(lambda x: [x.mean((2, 3)), x * 2], batch)
    assert not same_alone(lambda x: [x * 2, x - x.mean(0)], batch)
    assert not same_alone(lambda x: [x], batch.to("meta"))


def picture(count, height, width, model):
    g = torch.Generator().manual_seed(0)
    x = torch.rand(count, 3, height, width, generator=g) * 2 - 1
    return x.to(next(model.parameters()).dtype, memory_format=torch.channels_last)


def assert_same(one, other):
    """Within rounding: of bfloat16 where the order of sums is another one on this processor."""
    within = 1e-4 if one.dtype == torch.float32 else 0.02
    one, other = one.float(), other.float()
    assert (one - other).abs().max() <= within * one.abs().max().clamp(min=1)
