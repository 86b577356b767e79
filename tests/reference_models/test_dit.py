"""The transformer: patches, shapes, and that it minds prompt and time."""

import torch

from reference_models.dit import DiT, patches, picture


def test_patches_and_back():
    x = torch.randn(2, 3, 8, 8)
    tokens = patches(x, 4)
    assert tokens.shape == (2, 4, 48)
    assert torch.equal(picture(tokens, 4, 8), x)
    # The second patch of the first row is the upper right quarter.
    assert torch.equal(tokens[0, 1].view(3, 4, 4), x[0, :, :4, 4:])


def small():
    torch.manual_seed(0)
    return DiT(words=10, length=6, side=8, patch=2, width=16, depth=2, heads=2, text=16)


def test_prediction_has_the_shape_of_the_picture_and_minds_all_that_it_is_given():
    model, x = small(), torch.randn(2, 3, 8, 8)
    ids = torch.tensor([[1, 2, 3, 0, 0, 0], [1, 4, 3, 0, 0, 0]])
    t = torch.full((2,), 0.3)
    y = model(x, t, model.encode(ids))
    assert y.shape == x.shape
    assert not torch.allclose(y, model(x, t + 0.4, model.encode(ids)), atol=1e-5)
    assert not torch.allclose(y, model(x, t, model.encode(ids.flip(0))), atol=1e-5)


def test_every_pixel_can_look_at_every_other():
    model, x = small(), torch.randn(1, 3, 8, 8, requires_grad=True)
    ids = torch.tensor([[1, 2, 0, 0, 0, 0]])
    model(x, torch.zeros(1), model.encode(ids))[0, :, 7, 7].sum().backward()
    assert bool((x.grad[0, :, 0, 0] != 0).any())
