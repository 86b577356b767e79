"""The predictor: it looks back only, and drawing step by step is the same as all at once."""

import torch
from torch.nn import functional as F

from reference_models.tokens.predictor import Predictor

IDS = torch.tensor([[1, 2, 3, 0, 0, 0], [1, 4, 3, 0, 0, 0]])


def small():
    torch.manual_seed(0)
    return Predictor(
        words=10, length=6, codes=7, places=9, width=16, depth=2, heads=2, text=16, text_depth=1
    )


def test_logits_of_a_place_do_not_know_its_code_or_later_ones():
    model, codes = small(), torch.randint(7, (2, 9))
    before = model(codes, model.encode(IDS))
    assert before.shape == (2, 9, 7)
    for place in range(9):
        other = codes.clone()
        other[:, place:] = (other[:, place:] + 1) % 7
        after = model(other, model.encode(IDS))
        assert torch.allclose(after[:, : place + 1], before[:, : place + 1], atol=1e-6)
        if place < 8:
            assert not torch.allclose(after[:, place + 1], before[:, place + 1], atol=1e-4)


def test_it_minds_the_prompt_at_every_place():
    model, codes = small(), torch.randint(7, (2, 9))
    one, two = model(codes, model.encode(IDS)), model(codes, model.encode(IDS.flip(0)))
    assert bool(((one - two).abs().amax(2) > 1e-5).all())


def test_one_by_one_is_the_same_as_all_at_once():
    model, codes = small(), torch.randint(7, (2, 9))
    prompt = model.encode(IDS)
    whole, past, parts = model(codes, prompt), None, []
    x = prompt[2][:, None]
    for place in range(9):
        logits, past = model.step(x, place, past, prompt)
        parts.append(logits)
        x = F.embedding(codes[:, place], model.code)[:, None]
    assert torch.allclose(torch.cat(parts, 1), whole, atol=1e-5)


def test_several_places_after_a_past_are_the_same_as_all_at_once():
    model, codes = small(), torch.randint(7, (2, 9))
    prompt = model.encode(IDS)
    x = torch.cat((prompt[2][:, None], F.embedding(codes[:, :-1], model.code)), 1)
    first, past = model.step(x[:, :4], 0, None, prompt)
    second, _ = model.step(x[:, 4:], 4, past, prompt)
    assert torch.allclose(torch.cat((first, second), 1), model(codes, prompt), atol=1e-5)
