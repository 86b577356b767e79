"""With and without normalisation: what is taken out, what is kept, and the curve on disk."""

import csv
import time
from dataclasses import replace

import pytest
import torch
from torch import nn

from reference_models.ingredients import normalisation
from reference_models.ingredients.normalisation import PRESET, sizes, train, without_normalisation
from reference_models.nn.normalisation import ChannelNorm, RMSNorm
from reference_models.policies import policy
from reference_models.presets import PRESETS, build
from reference_models.training_pictures import draw_pictures

TINY = replace(PRESET, width=40, depth=2, batch=8)


@pytest.fixture(scope="module")
def pictures():
    return draw_pictures(32, 1, policy("natural"))


def inputs(n=2):
    generator = torch.Generator().manual_seed(0)
    return torch.randn(n, 3, 32, 32, generator=generator), torch.rand(n), torch.ones(n, 4).long()


def test_every_norm_and_nothing_else_is_taken_out():
    for preset in (TINY, PRESETS["smoke"]):
        whole = build(preset)
        norms = [m for m in whole.modules() if isinstance(m, RMSNorm | ChannelNorm)]
        weights = sum(p.numel() for p in whole.parameters())
        bare = without_normalisation(build(preset))
        assert norms
        assert not [m for m in bare.modules() if isinstance(m, RMSNorm | ChannelNorm)]
        gains = sum(m.gain.numel() for m in norms)
        assert sum(p.numel() for p in bare.parameters()) == weights - gains
    assert isinstance(without_normalisation(build(TINY)).norm, nn.Identity)


def test_the_size_behind_a_block_is_its_root_mean_square():
    torch.manual_seed(0)
    model = build(TINY)
    for block in model.blocks:
        block.forward = lambda x, *more: torch.full_like(x, 3.0)
    assert sizes(model, inputs()) == [3.0, 3.0]


def test_a_training_that_breaks_ends_there_and_its_curve_is_kept(tmp_path, monkeypatch, pictures):
    monkeypatch.setattr(normalisation, "BROKEN", 0.0)
    train(tmp_path / "a", True, 1.0, 1, "cpu", pictures, 64, time.monotonic() + 60, TINY)
    rows = list(csv.DictReader((tmp_path / "a" / "curve.csv").read_text().splitlines()))
    assert len(rows) == 1
    assert list(rows[0]) == ["pictures", "loss", "block_1", "block_2"]
    assert float(rows[0]["loss"]) > 0


def test_a_whole_curve_has_every_step_and_is_not_made_again(tmp_path, pictures):
    train(tmp_path / "a", False, 0.25, 1, "cpu", pictures, 24, time.monotonic() + 60, TINY)
    text = (tmp_path / "a" / "curve.csv").read_text()
    rows = list(csv.DictReader(text.splitlines()))
    assert [int(row["pictures"]) for row in rows] == [8, 16, 24]
    assert all(float(row["block_2"]) > 0 for row in rows)
    train(tmp_path / "a", False, 0.25, 1, "cpu", pictures, 24, time.monotonic() - 1, TINY)
    assert (tmp_path / "a" / "curve.csv").read_text() == text


def test_with_and_without_begin_alike_but_for_the_norms(tmp_path, pictures):
    losses = []
    for name, normalised in (("with", True), ("without", False), ("again", False)):
        train(tmp_path / name, normalised, 1.0, 1, "cpu", pictures, 8, time.monotonic() + 60, TINY)
        rows = csv.DictReader((tmp_path / name / "curve.csv").read_text().splitlines())
        losses.append(float(next(rows)["loss"]))
    assert losses[0] != losses[1] == losses[2]
    assert losses[0] == pytest.approx(losses[1], rel=0.1)


def test_nothing_is_written_where_the_deadline_comes_first(tmp_path, pictures):
    train(tmp_path / "a", True, 1.0, 1, "cpu", pictures, 64, time.monotonic() - 1, TINY)
    assert not (tmp_path / "a").exists()
