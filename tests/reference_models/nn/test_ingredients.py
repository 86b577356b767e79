"""Each ingredient against torch's own, or against its equation."""

import pytest
import torch
from torch.nn import functional as F

from reference_models.nn.attention import Attention, attend
from reference_models.nn.convolution import Convolution, fold, unfold
from reference_models.nn.linear import Linear
from reference_models.nn.normalisation import ChannelNorm, RMSNorm
from reference_models.nn.time import fourier
from reference_models.nn.transformer import TextEncoder


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def test_linear_is_x_w_transposed_plus_b():
    layer, x = Linear(5, 3), torch.randn(2, 4, 5)
    layer.bias.data.normal_()
    assert torch.allclose(layer(x), x @ layer.weight.T + layer.bias, atol=1e-6)


def test_convolution_agrees_with_torch():
    layer, x = Convolution(4, 6), torch.randn(2, 4, 8, 8)
    theirs = torch.nn.Conv2d(4, 6, 3, padding=1)
    theirs.load_state_dict(layer.state_dict())
    assert torch.allclose(layer(x), theirs(x), atol=1e-6)


def test_unfold_undoes_fold():
    x = torch.randn(2, 3, 8, 12)
    assert fold(x).shape == (2, 12, 4, 6)
    assert torch.equal(unfold(fold(x)), x)


def test_rms_norm_is_its_equation():
    norm, x = RMSNorm(7), torch.randn(3, 7)
    expected = x / x.pow(2).mean(-1, keepdim=True).sqrt()
    assert torch.allclose(norm(x), expected, atol=1e-4)


def test_channel_norm_is_rms_norm_of_each_pixel():
    norm, x = ChannelNorm(5), torch.randn(2, 5, 3, 4)
    assert torch.allclose(norm(x)[1, :, 2, 3], RMSNorm(5)(x[1, :, 2, 3]), atol=1e-6)


@pytest.mark.parametrize("masked", [False, True])
def test_attention_agrees_with_torch(masked):
    q, k, v = torch.randn(2, 4, 6, 8), torch.randn(2, 4, 5, 8), torch.randn(2, 4, 5, 8)
    seen = torch.tensor([[True] * 5, [True, True, False, False, False]])
    mask = seen[:, None, None, :] if masked else None
    theirs = F.scaled_dot_product_attention(q, k, v, mask)
    assert torch.allclose(attend(q, k, v, mask), theirs, atol=1e-6)


def test_cross_attention_ignores_masked_words():
    layer, x, words = Attention(8, 2, 6), torch.randn(1, 3, 8), torch.randn(1, 4, 6)
    mask = torch.tensor([[True, True, False, False]])
    changed = words.clone()
    changed[:, 2:] = 100.0
    assert torch.allclose(layer(x, words, mask), layer(x, changed, mask))


def test_fourier_features_of_zero_are_zeros_and_ones():
    assert torch.equal(fourier(torch.zeros(1), 8)[0], torch.tensor([0.0] * 4 + [1.0] * 4))


def test_text_encoder_ignores_padding_and_minds_order():
    encoder = TextEncoder(words=10, length=6, width=16, depth=2, heads=2)
    short = torch.tensor([[1, 2, 3, 0, 0, 0]])
    words, mask = encoder(short)
    assert mask.tolist() == [[True, True, True, False, False, False]]
    assert torch.allclose(words[:, :3], encoder(short[:, :3])[0], atol=1e-5)
    assert not torch.allclose(words[:, :3], encoder(torch.tensor([[2, 1, 3]]))[0], atol=1e-2)


def test_empty_prompt_has_one_visible_place():
    encoder = TextEncoder(words=10, length=6, width=16, depth=1, heads=2)
    words, mask = encoder(torch.zeros(1, 6, dtype=torch.int64))
    assert mask.sum() == 1
    assert bool(words.isfinite().all())
