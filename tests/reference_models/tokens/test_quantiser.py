"""The quantiser: levels and codes count as they should, and pictures go through them."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from reference_models.tokens.quantiser import CODES, LEVELS, Levels, Quantiser


def test_codes_count_the_first_number_fastest():
    levels = Levels((3, 2))
    every = torch.tensor([[a, b] for b in range(2) for a in range(3)])
    assert levels.codes(every.float()).tolist() == [0, 1, 2, 3, 4, 5]
    assert torch.equal(levels.levels_of(torch.arange(6)), every)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, CODES - 1))
def test_a_code_and_its_levels_are_one_to_one(code):
    levels = Levels()
    found = levels.levels_of(torch.tensor([code]))
    assert levels.codes(found.float()).item() == code
    assert all(0 <= one < most for one, most in zip(found[0].tolist(), LEVELS, strict=True))


def test_numbers_are_rounded_to_levels_and_the_gradient_passes():
    levels = Levels((5, 3))
    z = torch.tensor([[-9.0, 9.0], [0.0, 0.0], [0.3, -0.2]], requires_grad=True)
    found = levels.rounded(z)
    assert torch.allclose(found, torch.tensor([[0.0, 2.0], [2.0, 1.0], [3.0, 1.0]]), atol=1e-5)
    found.sum().backward()
    # d/dz of (tanh z + 1) / 2 (L - 1)
    slope = (1 - torch.tanh(z.detach()) ** 2) / 2 * torch.tensor([4.0, 2.0])
    assert torch.allclose(z.grad, slope, atol=1e-6)


def test_the_ends_are_minus_one_and_one():
    levels = Levels((5, 2))
    ends = levels.centred(torch.tensor([[0.0, 0.0], [4.0, 1.0], [2.0, 0.0]]))
    assert ends.tolist() == [[-1, -1], [1, 1], [0, -1]]


@pytest.mark.parametrize("side", [8, 32])
def test_codes_hold_all_that_the_decoder_reads(side):
    torch.manual_seed(0)
    model, pictures = Quantiser(16, 16), torch.rand(2, 3, side, side) * 2 - 1
    codes = model.codes(pictures)
    assert codes.shape == (2, (side // 4) ** 2)
    assert int(codes.min()) >= 0
    assert int(codes.max()) < CODES
    assert torch.allclose(model.pictures(codes), model(pictures), atol=1e-5)


def test_a_square_is_told_by_its_surroundings_and_not_by_far_ones():
    torch.manual_seed(0)
    model, pictures = Quantiser(16, 16), torch.rand(1, 3, 64, 64) * 2 - 1
    other = pictures.clone()
    other[..., 48:, 48:] = 0
    same = (model.codes(pictures) == model.codes(other)).view(16, 16)
    assert bool(same[:6, :6].all())
    assert not bool(same[12:, 12:].all())
