"""Guidance by attention: pairs are read right, the loss has its minimum where words agree."""

import pytest
import torch

from reference_models.attention_guidance import (
    EARLY,
    AttentionGuidance,
    binding_loss,
    distance,
    pairs_of,
    recorded,
)
from reference_models.local import token_ids
from reference_models.presets import PRESETS, build


def test_pairs_are_colours_before_nouns():
    ids = token_ids(
        ["a blue potato", "a green orange and an orange apple", "a red pig in a blue picture frame"]
    )
    assert pairs_of(ids) == [[(1, 2)], [(1, 2), (5, 6)], [(1, 2), (5, 6)]]
    assert pairs_of(token_ids(["an orange in front of a wall"])) == [[]]


def test_the_distance_is_that_of_kullback_and_leibler():
    one, other = torch.tensor([0.5, 0.25, 0.25]), torch.tensor([0.25, 0.5, 0.25])
    wanted = 0.5 * (0.25 * torch.log(torch.tensor(2.0)) * 2)
    torch.testing.assert_close(distance(one, other), wanted, atol=1e-5, rtol=1e-4)
    assert distance(one, one) == 0


def test_a_colour_that_looks_where_its_noun_does_has_the_smaller_loss():
    left, right, flat = (
        torch.tensor([0.99, 0.01]),
        torch.tensor([0.01, 0.99]),
        torch.full((2,), 0.5),
    )
    there = torch.tensor([[True, True, True, False]])
    bound = torch.stack((flat, left, left, right))[None]
    leaked = torch.stack((flat, right, left, right))[None]
    assert binding_loss(bound, [[(1, 2)]], there) < binding_loss(leaked, [[(1, 2)]], there)


def test_the_loss_is_that_of_the_paper_written_out():
    g = torch.Generator().manual_seed(1)
    maps = torch.rand(2, 5, 9, generator=g).softmax(2)
    there = torch.tensor([[True] * 5, [True] * 4 + [False]])
    pairs = [[(0, 1), (3, 4)], [(1, 2)]]
    wanted = 0.0
    for row, own in enumerate(pairs):
        for colour, noun in own:
            rest = [k for k in range(5) if there[row, k] and k not in (colour, noun)]
            near = distance(maps[row, colour], maps[row, noun])
            far = [
                0.5 * (distance(maps[row, a], maps[row, k])) for k in rest for a in (colour, noun)
            ]
            wanted += near - sum(far) / len(rest)
    torch.testing.assert_close(binding_loss(maps, pairs, there), wanted)


def test_attention_to_words_is_kept_and_to_pixels_is_not():
    torch.manual_seed(1)
    network = build(PRESETS["smoke"])
    ids = token_ids(["a blue potato", "a pig"])
    with recorded(network) as maps:
        network(torch.randn(2, 3, 32, 32), torch.rand(2), network.encode(ids))
    assert [tuple(one.shape) for one in maps] == [(2, 4, 64, 12)]
    torch.testing.assert_close(maps[0].sum(-1), torch.ones(2, 4, 64))
    assert not maps[0][1, :, :, 2:].any()


@pytest.fixture(scope="module")
def guide():
    torch.manual_seed(1)
    network = build(PRESETS["smoke"]).requires_grad_(False)
    return AttentionGuidance(network, token_ids(["a blue potato", "a pig"]), 0.1)


def test_a_move_lowers_the_loss_and_leaves_prompts_without_colours(guide):
    x, t = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(2)), torch.zeros(2)

    def loss(state):
        with torch.no_grad(), recorded(guide.network) as maps:
            guide.network(state, t, guide.network.encode(guide.ids))
        return float(guide._loss(maps))

    with torch.inference_mode():
        moved = guide(x, t)
    assert loss(moved) < loss(x)
    assert torch.equal(moved[1], x[1])
    size = (moved - x)[0].square().mean().sqrt()
    torch.testing.assert_close(size, torch.tensor(0.1), atol=1e-4, rtol=1e-3)


def test_late_states_stay(guide):
    x = torch.randn(2, 3, 32, 32)
    assert guide(x, torch.full((2,), EARLY)) is x
