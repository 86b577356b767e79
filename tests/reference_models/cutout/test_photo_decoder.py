"""The network over photographs: its parts, and that norms fold away."""

import torch

from reference_models.cutout.backbone import WIDTHS, Backbone
from reference_models.cutout.photo_decoder import KINDS, NAMES, PhotoDecoder, folded
from reference_models.cutout.photo_load import load_photo
from reference_models.cutout.photo_losses import drawn_seeds


def features(side: int = 64) -> list[torch.Tensor]:
    g = torch.Generator().manual_seed(0)
    return [
        torch.randn(1, width, side // step, side // step, generator=g)
        for width, step in zip(WIDTHS, (4, 8, 16, 32), strict=True)
    ]


def test_the_backbone_gives_four_scales():
    out = Backbone()(torch.zeros(1, 3, 64, 96))
    assert [tuple(f.shape[1:]) for f in out] == [
        (24, 16, 24), (40, 8, 12), (112, 4, 6), (320, 2, 3)
    ]  # fmt: skip


def test_folding_keeps_the_function():
    torch.manual_seed(0)
    model = PhotoDecoder()
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2)
    model.eval()
    flat = folded(model)
    assert not any(isinstance(m, torch.nn.BatchNorm2d) for m in flat.modules())
    seed = torch.rand(1, 1, 2, 2)
    for one, other in ((model, flat),):
        kinds, names, seen = one(features())
        kinds_, names_, seen_ = other(features())
        assert kinds.shape[1] == len(KINDS)
        assert names.shape[1] == len(NAMES)
        torch.testing.assert_close(kinds, kinds_, rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(names, names_, rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(
            one.query(seen, kinds, seed, seed * 0), other.query(seen_, kinds_, seed, seed * 0),
            rtol=1e-3, atol=1e-3,
        )  # fmt: skip


def test_no_seed_of_others_is_no_likeness_to_them():
    key = torch.nn.functional.normalize(torch.randn(1, 16, 8, 8), dim=1)
    assert PhotoDecoder._alike(key, torch.zeros(1, 1, 8, 8)).abs().max() == 0


def test_seeds_lie_on_what_is_asked():
    things = torch.zeros(4, 64, 64, dtype=torch.uint8)
    things[:3, :32, :32] = 1
    things[1, 40:60, 40:60] = 2
    seeds = drawn_seeds(things, torch.Generator().manual_seed(0))
    assert seeds.valid.tolist() == [True, True, True, False]
    for k in range(3):
        own = torch.nn.functional.avg_pool2d(seeds.mask[k : k + 1], 8)
        assert (seeds.own[k] * own[0]).sum() > 0.5 * seeds.own[k].sum() * own.mean()
    assert seeds.rival[0].max() == 0


def test_the_bundled_network_knows_imagenet_by_mean_of_places():
    model = load_photo()
    x = torch.zeros(1, 3, 64, 64)
    with torch.inference_mode():
        features, drawn = model.features(x)
        kinds, names, classes, _ = model.predict(features)
    assert classes.shape == (1, 1000, 2, 2)
    assert drawn.shape == (1,)
    assert torch.isfinite(kinds).all()
    assert torch.isfinite(names).all()
