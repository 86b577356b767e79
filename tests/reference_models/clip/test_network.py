"""The bundled CLIP in plain torch is the model of open_clip that was trained."""

from __future__ import annotations

import pytest
import torch
from safetensors.torch import load_file, save_file

from reference_models.clip.network import MEAN, STD, load_network
from reference_models.clip.towers import CONFIG, FOLDER, build, patches_and_pooled
from reference_models.clip.vocabulary import WORDS

WEIGHTS = FOLDER / "bundled.safetensors"
TEXTS = [
    "a blue potato",
    "A  photo of an Orange on the table",
    "a bear's coat, 12 gizmos and a naïve café!",
    "quick brown fox " * 9,
    *WORDS,
]


@pytest.fixture
def both():
    trained, tokenizer = build()
    trained.load_state_dict({name: t.float() for name, t in load_file(WEIGHTS).items()})
    return (trained.eval(), tokenizer), load_network(CONFIG, WEIGHTS)


def test_tokens_are_those_of_open_clip(both):
    (_, theirs), (_, own) = both
    assert torch.equal(own(TEXTS), theirs(TEXTS))


@pytest.mark.parametrize(("dtype", "within"), [(torch.float32, 1e-5), (torch.bfloat16, 0.02)])
def test_features_are_those_of_open_clip(both, dtype, within):
    (trained, tokenizer), (model, _) = both
    images = torch.randn(5, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        texts = [m.encode_text(tokenizer(TEXTS)) for m in (trained, model)]
        found = [patches_and_pooled(m.to(dtype), images.to(dtype)) for m in (trained, model)]
    torch.testing.assert_close(*texts, atol=1e-4, rtol=1e-4)
    for one, other in zip(*found, strict=True):
        assert one.shape == other.shape
        assert (one - other).abs().max() < within


def test_a_text_is_the_same_beside_longer_ones(both):
    _, (model, tokenizer) = both
    with torch.inference_mode():
        together, alone = (
            model.encode_text(tokenizer(TEXTS)),
            model.encode_text(tokenizer(TEXTS[:1])),
        )
    torch.testing.assert_close(together[:1], alone, atol=1e-5, rtol=1e-5)


def test_the_whole_alone_is_what_it_is_beside_the_patches(both):
    _, (model, _) = both
    images = torch.randn(3, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        whole, (pooled, _) = model.visual(images), model.visual.pooled_and_dense(images)
    torch.testing.assert_close(whole, pooled, atol=1e-4, rtol=1e-4)


def test_pictures_are_normalised_as_open_clip_does():
    from open_clip.constants import OPENAI_DATASET_MEAN, OPENAI_DATASET_STD

    assert (MEAN, STD) == (OPENAI_DATASET_MEAN, OPENAI_DATASET_STD)


def test_weights_of_another_model_are_refused(tmp_path):
    save_file({"logit_scale": torch.zeros([])}, tmp_path / "x.safetensors")
    with pytest.raises(RuntimeError, match="Missing key"):
        load_network(CONFIG, tmp_path / "x.safetensors")
