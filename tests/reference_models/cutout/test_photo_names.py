"""The names of the decoder over photographs: what they are fitted on, and that it is an optimum."""

import json

import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import load_file
from torch.nn import functional as F

from reference_models.cutout.backbone import WIDTHS
from reference_models.cutout.photo_data import MOST, Truth
from reference_models.cutout.photo_decoder import NAMES, OTHER, PhotoDecoder
from reference_models.cutout.photo_lessons import SeenPictures, keep, write_lesson
from reference_models.cutout.photo_losses import pooled_names
from reference_models.cutout.photo_names import main, means_of_things, regression

SIZES = (32, 24, 16)


def lesson(seed: int, count: int = 6) -> SeenPictures:
    """Pictures of 128 pixels with a cup at the left or a car at the right, each of its own kind."""
    g = torch.Generator().manual_seed(seed)
    features = [
        0.3 * torch.randn(count, width, 128 // step, 128 // step, generator=g)
        for width, step in zip(WIDTHS, (4, 8, 16, 32), strict=True)
    ]
    things = torch.zeros(count, 32, 32, dtype=torch.uint8)
    names = torch.full((count, MOST), -1)
    for k in range(count):
        car = k % 2
        columns = slice(16, 32) if car else slice(0, 16)
        things[k, :, columns] = 1
        names[k, 0] = NAMES.index("car" if car else "cup")
        features[2][k, car, :, columns.start // 4 : columns.stop // 4] += 3
    merged = torch.arange(count) >= count // 2
    return SeenPictures(features, Truth((things > 0).byte(), things, names, merged))


def decoder() -> PhotoDecoder:
    torch.manual_seed(0)
    return PhotoDecoder(SIZES).eval()


def test_the_mean_over_a_whole_thing_comes_first_and_parts_lie_in_it():
    one = lesson(1)
    whole, *parts = means_of_things(decoder(), one, torch.Generator().manual_seed(0))
    assert len(parts) == 2
    mean, called, weight = whole
    assert called.tolist() == one.truth.names[:, 0].tolist()
    inside = one.truth.things[:, 2::4, 2::4].bool()
    for row in range(len(mean)):
        expected = one.features[2][row][:, inside[row]].mean(1)
        torch.testing.assert_close(mean[row, 64 : 64 + WIDTHS[2]], expected)
    assert weight.tolist() == [1, 1, 1, 0.5, 0.5, 0.5]
    for mean, _, weight in parts:
        # The channel that stands out in the thing does so in each part of it.
        own = mean[torch.arange(len(mean)), 64 + torch.arange(len(mean)) % 2]
        assert (own > 2).all()
        assert weight.tolist() == [0.5, 0.5, 0.5, 0.25, 0.25, 0.25]


def test_a_thing_without_a_name_weighs_less_and_a_speck_nothing():
    one = lesson(2, 2)
    one.truth.names[0, 0] = OTHER
    one.truth.things[1] = 0
    one.truth.things[1, 0, 0] = 1
    (mean, called, weight), *_ = means_of_things(decoder(), one, torch.Generator())
    assert called.tolist() == [OTHER]
    assert weight.tolist() == [pytest.approx(0.4)]
    assert mean.shape == (1, 64 + WIDTHS[2] + WIDTHS[3])


def test_the_regression_is_calibrated_and_knows_no_units():
    g = torch.Generator().manual_seed(0)
    called = torch.randint(3, (400,), generator=g)
    x = torch.randn(400, 5, generator=g) + called[:, None] * torch.tensor([1.0, 0.5, 0, 0, 0])
    weight = torch.rand(400, generator=g) + 0.5
    slopes, biases = regression(x, called, weight, 1e-3)
    chance = (x @ slopes.T + biases).softmax(1)
    share = weight / weight.sum()
    # The score equation of the biases, which the ridge leaves free.
    expected = torch.zeros(len(NAMES)).index_add(0, called, share)
    torch.testing.assert_close(share @ chance, expected, atol=2e-3, rtol=0)
    in_other_units = x * torch.tensor([10.0, 1, 5, 100, 2]) - 7
    slopes_, biases_ = regression(in_other_units, called, weight, 1e-3)
    torch.testing.assert_close(
        (in_other_units @ slopes_.T + biases_).softmax(1), chance, atol=0.01, rtol=0
    )


def test_a_ridge_without_end_leaves_how_often_each_is_met():
    called = torch.tensor([0, 0, 0, 1])
    slopes, biases = regression(torch.randn(4, 3), called, torch.ones(4), 1e4)
    assert slopes.abs().max() < 1e-3
    torch.testing.assert_close(biases.softmax(0)[:2], torch.tensor([0.75, 0.25]), atol=0.01, rtol=0)


def test_fitted_names_are_right_and_nothing_else_moves(tmp_path):
    start = decoder().state_dict()
    keep(tmp_path / "start.safetensors", start)
    for seed in range(3):
        write_lesson(tmp_path / f"drawn-{seed:05d}.safetensors", lesson(seed))
    write_lesson(tmp_path / "held-scenes.safetensors", lesson(9))
    command = ["--features", tmp_path, "--start", tmp_path / "start.safetensors", "--out",
               tmp_path / "named.safetensors"]  # fmt: skip
    done = CliRunner().invoke(main, [str(word) for word in command], catch_exceptions=False)
    # Three lessons of six things, each whole and in two parts; those held out are not learned on.
    assert json.loads(done.output) == {"things": 54, "right": 1.0}
    made = load_file(tmp_path / "named.safetensors")
    moved = {name for name, t in made.items() if not torch.equal(t, start[name])}
    assert moved == {"names.weight", "names.bias", "names_16.weight", "names_32.weight"}
    model = PhotoDecoder(SIZES)
    model.load_state_dict(made)
    new = lesson(9)
    with torch.no_grad():
        _, names, _ = model.eval()(new.features)
    named = pooled_names(names, new.truth.things)[:, 0]
    assert named.argmax(1).tolist() == new.truth.names[:, 0].tolist()
    assert (F.softmax(named, 1).max(1).values > 0.5).all()
