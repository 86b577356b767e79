"""Masked codes: what is hidden, what is guessed, what stays, and what is asked in training."""

import math
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from reference_models.errors import ModelError
from reference_models.presets import PRESETS, build
from reference_models.sampling import Settings, drawn, encoded, noise_levels, steps_of
from reference_models.tokens.masked import MaskedPredictor, hidden_places, hidden_share, unmasked
from reference_models.tokens.model import UNASKED
from reference_models.train import begin

IDS = torch.tensor([[1, 2, 0], [1, 3, 0], [2, 2, 0]])
PRESET = replace(PRESETS["local-masked"], width=20, depth=1)


def small():
    torch.manual_seed(1)
    return MaskedPredictor(5, 3, 6, 16, width=16, depth=1, heads=2, text=16, text_depth=1)


def guesses(model, noise, scale=1.0, steps=4, ids=IDS):
    prompt = encoded(model.encode, ids, scale)
    with torch.no_grad():
        return [
            (guessed.clone(), alone.clone())
            for guessed, alone, _ in unmasked(model, prompt, noise, scale, steps, 0.9)
        ]


def noise_of(n=3):
    return torch.randn(n, 3, 8, 8, generator=torch.Generator().manual_seed(0))


def test_all_is_hidden_at_first_and_nothing_at_the_end():
    levels = noise_levels(PRESET, Settings(8, 3.0))
    assert levels[0] == 1.0
    assert levels == sorted(levels, reverse=True)
    assert hidden_share(8, 8) == pytest.approx(0, abs=1e-12)
    assert hidden_share(4, 8) == pytest.approx(math.sqrt(0.5))


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 40), st.integers(1, 64), st.integers(0, 2**31))
def test_in_training_at_least_one_place_is_hidden_and_never_more_than_there_are(n, places, seed):
    hidden = hidden_places(n, places, torch.Generator().manual_seed(seed))
    assert hidden.shape == (n, places)
    assert (hidden.sum(1) >= 1).all()


def test_hidden_shares_follow_the_cosine():
    hidden = hidden_places(20_000, 64, torch.Generator().manual_seed(0)).float().mean(1)
    # The mean of cos over [0, pi / 2] is 2 / pi; rounding up adds half a place.
    assert float(hidden.mean()) == pytest.approx(2 / math.pi + 0.5 / 64, abs=0.01)


def test_a_code_that_stays_is_never_changed():
    model = small()
    steps = guesses(model, noise_of(), steps=5)
    for k in range(1, 5):
        kept = round(16 * (1 - hidden_share(k, 5)))
        same = torch.stack([g for g, _ in steps[k - 1 :]]).eq(steps[k - 1][0]).all(0)
        assert (same.sum(1) >= kept).all()


def test_a_hidden_code_says_nothing():
    model = small()
    codes = torch.randint(6, (3, 16), generator=torch.Generator().manual_seed(2))
    hidden = torch.zeros(3, 16, dtype=torch.bool)
    hidden[:, 5:9] = True
    other = codes.clone()
    other[hidden] = 0
    prompt = model.encode(IDS)
    assert torch.equal(model(codes, hidden, prompt), model(other, hidden, prompt))
    assert not torch.equal(model(codes, ~hidden, prompt), model(other, ~hidden, prompt))


def test_a_picture_does_not_depend_on_its_company_and_guidance_one_is_none():
    model, noise = small(), noise_of()
    together = guesses(model, noise)[-1][0]
    for row in range(3):
        alone = guesses(model, noise[row : row + 1], ids=IDS[row : row + 1])[-1][0]
        assert torch.equal(alone[0], together[row])
    for guessed, alone in guesses(model, noise):
        assert torch.equal(guessed, alone)


def test_a_training_asks_of_hidden_places_alone_and_begins_with_the_quantiser_of_tokens():
    torch.manual_seed(0)
    model = build(PRESET)
    begin(model, PRESET.init)
    pictures = torch.rand(4, 3, 32, 32) * 2 - 1
    ids = torch.randint(1, 20, (4, 8))
    hidden = hidden_places(4, 64, torch.Generator().manual_seed(0))
    logits, codes = model(pictures, model.encode(ids), hidden)
    hidden = hidden.flatten()
    assert torch.equal(codes != UNASKED, hidden)
    assert torch.equal(codes[hidden], model.quantiser.codes(pictures).flatten()[hidden])
    assert logits.shape == (256, 1440)


def test_the_last_frame_is_the_picture_and_every_frame_is_a_whole_one():
    torch.manual_seed(0)
    model = build(PRESET).requires_grad_(False)
    begin(model, PRESET.init)
    noise = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    ids = torch.randint(1, 20, (2, 8))
    picture, frames, alone = drawn(model, ids, lambda: noise, PRESET, Settings(4, 3.0), range(4))
    assert torch.equal(frames[-1], picture)
    assert len(frames) == len(alone) == 4
    assert all(frame.shape == picture.shape for frame in (*frames, *alone))
    assert steps_of(PRESET, 5) == 5
    with pytest.raises(ModelError, match="code by code"):
        steps_of(PRESETS["local-tokens"], 5)
