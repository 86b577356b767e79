"""What each text encoder can and cannot tell of a prompt."""

from dataclasses import replace

import pytest
import torch

from reference_models.local import token_ids
from reference_models.presets import PRESETS, build
from reference_models.text_encoders import TEXT_ENCODERS, text_encoder

IDS = token_ids(["a blue pig and a green car", "a green pig and a blue car", "a pig"])


def read(kind):
    torch.manual_seed(3)
    words, mask = text_encoder(kind)(IDS)
    return words * mask[..., None], mask


@pytest.mark.parametrize("kind", TEXT_ENCODERS)
def test_networks_read_with_each(kind):
    network = build(replace(PRESETS["smoke"], text=kind))
    out = network(torch.randn(3, 3, 32, 32), torch.rand(3), network.encode(IDS))
    assert out.shape == (3, 3, 32, 32)
    assert out.isfinite().all()


@pytest.mark.parametrize("kind", [kind for kind in TEXT_ENCODERS if kind != "bag"])
def test_an_order_of_words_is_seen(kind):
    words, _ = read(kind)
    assert (words[0] - words[1]).abs().max() > 1e-3


def test_a_bag_of_words_cannot_tell_which_noun_a_colour_stands_before():
    words, mask = read("bag")
    # The same vectors, elsewhere in the list.
    one, other = (words[k][mask[k]].sort(0).values for k in (0, 1))
    torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-5)


def test_a_static_vector_knows_nothing_of_its_neighbours():
    words, _ = read("static")
    assert torch.equal(words[0, 2], words[1, 2])
    assert not torch.allclose(read("contextual")[0][0, 2], read("contextual")[0][1, 2])


def test_the_frozen_tower_is_the_bundled_clip():
    from bench.judge.clip.load import load_clip

    encoder = text_encoder("clip-pooled")
    pooled = {}
    encoder.enter.register_forward_pre_hook(lambda _, given: pooled.update(x=given[0][:, 0]))
    encoder(token_ids(["a blue potato", "a green pig and a blue car"]))
    wanted = load_clip().encode_text(["a blue potato", "a green pig and a blue car"])
    found = torch.nn.functional.normalize(pooled["x"], dim=-1)
    torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-5)


def test_of_a_frozen_tower_only_the_projection_is_trained():
    names = [n for n, p in text_encoder("clip-tokens").named_parameters() if p.requires_grad]
    assert names == ["enter.weight", "enter.bias", "norm.gain"]


def test_another_name_is_an_error():
    with pytest.raises(ValueError, match="clip-tokens"):
        text_encoder("t5")
