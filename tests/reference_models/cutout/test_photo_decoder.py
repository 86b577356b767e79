"""The network over photographs: its parts, and that norms fold away."""

import torch

from prompts.subjects import SUBJECT_NAMES
from reference_models.cutout.backbone import WIDTHS, Backbone
from reference_models.cutout.photo_data import MOST, Truth
from reference_models.cutout.photo_decoder import (
    KINDS,
    NAMES,
    PhotoDecoder,
    folded,
    with_all_names,
)
from reference_models.cutout.photo_load import load_photo
from reference_models.cutout.photo_losses import drawn_seeds, named_seeds, pooled_names


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
        features, drawn, _ = model.features(x)
        kinds, names, classes, _ = model.predict(features)
    assert classes.shape == (1, 1000, 2, 2)
    assert drawn.shape == (1,)
    assert torch.isfinite(kinds).all()
    assert torch.isfinite(names).all()


def test_names_that_a_decoder_did_not_know_share_what_it_gave_to_others():
    torch.manual_seed(0)
    model = PhotoDecoder((32, 24, 16)).eval()
    few = {
        k: t for k, t in model.state_dict().items() if not k.startswith(("names_16", "names_32"))
    }
    few |= {k: few[k][: len(SUBJECT_NAMES) + 1] for k in ("names.weight", "names.bias")}
    old = PhotoDecoder((32, 24, 16))
    old.load_state_dict(with_all_names(few))
    _, names, _ = old.eval()(features())
    own, _, _ = old.seen_of_names(features())
    before = torch.nn.functional.conv2d(own, few["names.weight"], few["names.bias"]).softmax(1)
    now = names.softmax(1)
    torch.testing.assert_close(now[:, : len(SUBJECT_NAMES)], before[:, :-1], atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(
        now[:, len(SUBJECT_NAMES) :].sum(1), before[:, -1], atol=1e-5, rtol=1e-4
    )
    complete = with_all_names(model.state_dict())
    assert all(torch.equal(complete[k], t) for k, t in model.state_dict().items())


def test_a_thing_is_named_by_the_mean_over_it():
    names = torch.randn(2, len(NAMES), 4, 4)
    things = torch.zeros(2, 16, 16, dtype=torch.uint8)
    things[0, :8, :8] = 1
    things[0, 12:, 12:] = 3
    things[1, 0, 0] = 1
    found = pooled_names(names, things)
    assert found.shape == (2, MOST, len(NAMES))
    torch.testing.assert_close(found[0, 0], names[0, :, :2, :2].mean((1, 2)))
    torch.testing.assert_close(found[0, 2], names[0, :, 3, 3])
    assert found[0, 1].isnan().all()
    assert found[1].isnan().all()


def test_a_seed_by_name_is_taken_where_it_lies_on_the_thing():
    g = torch.Generator().manual_seed(0)
    things = torch.zeros(64, 64, 64, dtype=torch.uint8)
    things[:, :32, :32] = 1
    called = torch.full((64, MOST), -1)
    called[:, 0] = 5
    truth = Truth(things, things, called, torch.zeros(64, dtype=torch.bool))
    kinds = torch.zeros(64, len(KINDS), 64, 64)
    kinds[:, 1] = 5 * (things > 0)
    names = torch.zeros(64, len(NAMES), 16, 16)
    seeds = drawn_seeds(things, g)
    right, wrong = names.clone(), names.clone()
    right[:, 5, :8, :8] = 9
    wrong[:, 5, 8:, 8:] = 20
    taken = named_seeds(seeds, truth, kinds, right, g).own
    changed = (taken != seeds.own).flatten(1).any(1)
    assert 0.2 < changed.float().mean() < 0.6
    assert (taken[changed, :, 5:, 5:] < 0.2).all()
    kinds[:, 1] = 5
    torch.testing.assert_close(named_seeds(seeds, truth, kinds, wrong, g).own, seeds.own)


def test_a_stray_seed_lies_on_other_places_too():
    things = torch.zeros(40, 64, 64, dtype=torch.uint8)
    things[:, :16, :16] = 1
    plain, stray = (
        drawn_seeds(things, torch.Generator().manual_seed(0), p).own for p in (0.0, 1.0)
    )
    far = [one[:, :, 4:, 4:].amax((1, 2, 3)) for one in (plain, stray)]
    assert (far[1] > 0.4).sum() > (far[0] > 0.4).sum() + 5
