"""Drawing: the odds are kept, chance comes from the noise alone, and guidance does what it says."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from reference_models.sampling import encoded
from reference_models.tokens.predictor import Predictor
from reference_models.tokens.raster import chosen, likely, raster, uniforms


def test_a_code_is_the_one_into_whose_share_the_number_falls():
    odds = torch.tensor([[0.2, 0.0, 0.5, 0.3]]).expand(5, -1)
    u = torch.tensor([0.1, 0.25, 0.69, 0.71, 0.999999999], dtype=torch.float64)
    assert chosen(odds, u).tolist() == [0, 2, 2, 3, 3]


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 2**31), st.floats(1e-9, 1 - 1e-9))
def test_no_code_without_odds_is_chosen(seed, u):
    generator = torch.Generator().manual_seed(seed)
    odds = torch.rand(1, 12, generator=generator)
    odds[odds < 0.5] = 0
    odds[0, 3] = 0.7
    code = chosen(odds / odds.sum(), torch.tensor([u], dtype=torch.float64))
    assert odds[0, code] > 0


def test_drawn_as_often_as_the_odds_say():
    odds = torch.tensor([0.1, 0.2, 0.3, 0.4])
    noise = torch.randn(4000, 1, 1, 1, generator=torch.Generator().manual_seed(0))
    codes = chosen(odds.expand(4000, -1), uniforms(noise, 1)[:, 0])
    counts = torch.bincount(codes, minlength=4).numpy()
    expected = odds.double() / odds.double().sum() * 4000
    assert chisquare(counts, expected.numpy()).pvalue > 0.01


def test_the_likeliest_are_kept_and_sum_to_one():
    odds = torch.tensor([[0.05, 0.5, 0.3, 0.15]])
    assert torch.allclose(likely(odds, 0.8), torch.tensor([[0, 0.625, 0.375, 0]]))
    assert torch.allclose(likely(odds, 0.81), torch.tensor([[0, 0.5, 0.3, 0.15]]) / 0.95)
    # One is kept however small the share.
    assert torch.allclose(likely(odds, 1e-6), torch.tensor([[0.0, 1, 0, 0]]))
    assert torch.allclose(likely(odds, 1.0), odds)


IDS = torch.tensor([[1, 2, 0], [1, 3, 0], [2, 2, 0]])


def small():
    torch.manual_seed(1)
    model = Predictor(5, 3, codes=6, places=4, width=16, depth=1, heads=2, text=16, text_depth=1)
    with torch.no_grad():
        model.leave.weight.mul_(30)
    return model


def drawn(model, ids, noise, scale):
    with torch.inference_mode():
        prompt = encoded(model.encode, ids, scale)
        return [codes.clone() for codes in raster(model, prompt, noise, scale)]


@pytest.mark.parametrize("scale", [1.0, 3.0])
def test_a_picture_does_not_depend_on_its_company(scale):
    model = small()
    noise = torch.randn(3, 3, 4, 4, generator=torch.Generator().manual_seed(5))
    together = drawn(model, IDS, noise, scale)[-1]
    for row in range(3):
        alone = drawn(model, IDS[row : row + 1], noise[row : row + 1], scale)[-1]
        assert torch.equal(alone[0], together[row])


def test_codes_come_one_by_one_and_stay():
    model = small()
    noise = torch.randn(3, 3, 4, 4, generator=torch.Generator().manual_seed(6))
    steps = drawn(model, IDS, noise, 1.0)
    assert len(steps) == 4
    for place, codes in enumerate(steps):
        assert torch.equal(codes[:, : place + 1], steps[-1][:, : place + 1])
        assert not codes[:, place + 1 :].any()


def test_guidance_moves_the_odds_away_from_those_without_a_prompt():
    """With the first code alone: its odds with guidance are p_with^s / p_without^(s-1), scaled."""
    model, scale = small(), 2.0
    prompt = model.encode(IDS[:1])
    empty = model.encode(torch.zeros_like(IDS[:1]))
    with_prompt, _ = model.step(prompt[2][:, None], 0, None, prompt)
    without, _ = model.step(empty[2][:, None], 0, None, empty)
    odds = with_prompt[0, 0].softmax(0) ** scale / without[0, 0].softmax(0) ** (scale - 1)
    odds = (odds / odds.sum()).detach()
    grid = ((torch.arange(500) + 0.5) / 500).double()
    noise = torch.special.ndtri(grid).float().view(-1, 1, 1, 1).expand(-1, 3, 4, 4)
    ids = IDS[:1].expand(500, -1)
    model_whole = drawn_all(model, ids, noise, scale)
    share = torch.bincount(model_whole[:, 0], minlength=6) / 500
    assert torch.allclose(share, odds, atol=0.005)


def drawn_all(model, ids, noise, scale):
    """As ``drawn``, from all the odds."""
    with torch.inference_mode():
        prompt = encoded(model.encode, ids, scale)
        return next(raster(model, prompt, noise, scale, share=1.0)).clone()
