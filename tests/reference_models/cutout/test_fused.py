"""Networks in one pass an operation give what they gave."""

import pytest
import torch

from reference_models.cutout import load, photo_load
from reference_models.cutout.fused import FusedUnit, fused

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
    quick = fused(photo_load.load_photo.__wrapped__(dtype=dtype), photo_load._trial_pass)
    for size in [(256, 256), (256, 192), (64, 256)]:
        found = []
        for model in (plain, quick):
            x = picture(1, *size, model)
            features, drawn = model.features(x)
            kinds, names, classes, seen = model.predict(features)
            seed = x[:, :1, ::8, ::8].clamp(0, 1)
            mask = model.decoder.query(seen, kinds, seed, seed * 0)
            found.append([*features, drawn, kinds, names, classes, mask])
        for one, other in zip(*found, strict=True):
            assert_same(one, other)


def picture(count, height, width, model):
    g = torch.Generator().manual_seed(0)
    x = torch.rand(count, 3, height, width, generator=g) * 2 - 1
    return x.to(next(model.parameters()).dtype, memory_format=torch.channels_last)


def assert_same(one, other):
    """Within rounding: of bfloat16 where the order of sums is another one on this processor."""
    within = 1e-4 if one.dtype == torch.float32 else 0.02
    one, other = one.float(), other.float()
    assert (one - other).abs().max() <= within * one.abs().max().clamp(min=1)
