"""The small network in integers gives what it gives in float32, and a picture alone the same."""

import pytest
import torch
from torch import nn

from bench.certificate.scenes import known_answers
from reference_models.cutout.load import load_cutout
from reference_models.cutout.net import read_cutout
from reference_models.cutout.quantised import Integers, _plus


def pictures(height, width):
    images = [torch.from_numpy(one.generation.image.copy()) for one in known_answers(12, 71)]
    batch = torch.stack(images).permute(0, 3, 1, 2).float()
    return nn.functional.interpolate(batch, (height, width)).round().byte()


@pytest.mark.parametrize("size", [(80, 80), (96, 64), (32, 96)])
def test_kinds_names_and_features(size):
    picture = pictures(*size)
    with torch.inference_mode():
        exact, found = (
            model.predict(picture) for model in (read_cutout(), load_cutout(dtype="int8"))
        )
    for one, other in zip(exact, found, strict=True):
        assert one.shape == other.shape
        assert other.dtype == torch.float32
    kinds, names = ([each[part].softmax(1) for each in (exact, found)] for part in (0, 1))
    assert 0 < (kinds[0] - kinds[1]).abs().mean() < 0.003
    assert (kinds[0].argmax(1) != kinds[1].argmax(1)).float().mean() < 0.005
    thing = nn.functional.avg_pool2d(kinds[0][:, 1:2], 4)[:, 0] > 0.5
    assert (names[0] - names[1]).abs().amax(1)[thing].mean() < 0.02
    assert (exact[2] - found[2]).abs().mean() < 0.02


def test_a_picture_gets_alone_what_it_gets_in_any_batch():
    model, picture = load_cutout(dtype="int8"), pictures(80, 80)
    assert model.same_alone
    with torch.inference_mode():
        together = model.predict(picture)
        for row in (0, 5, 11):
            for one, other in zip(together, model.predict(picture[row : row + 1]), strict=True):
                assert torch.equal(one[row : row + 1], other)


def test_a_convolution_of_whole_numbers_is_exact():
    convolution = nn.Conv2d(3, 2, 3, padding=1).requires_grad_(False)
    convolution.weight.copy_(torch.randint(-127, 128, (2, 3, 3, 3)).float())
    convolution.weight[:, 0, 0, 0] = 127
    convolution.bias.copy_(torch.tensor([5.0, -900.0]))
    x = torch.randint(0, 256, (1, 3, 6, 5), dtype=torch.uint8)
    plain = Integers(convolution, 255.0, None, x.shape)
    assert torch.equal(plain(x), convolution(x.float()))
    # What is negative is 0, what is above the greatest value that.
    rectified = Integers(convolution, 255.0, 255.0 * 64, x.shape)
    expected = (convolution(x.float()) / 64).round().clamp(0, 255).byte()
    assert (rectified(x).int() - expected.int()).abs().max() <= 1
    # Zero may be a byte of its own, also around the picture.
    middle = Integers(convolution, 255.0, None, x.shape, zero=128)
    assert torch.equal(middle(x), convolution(x.float() - 128))


def test_sums_stop_at_the_greatest_byte():
    x, y = (torch.tensor([[0, 100, 255, 200]], dtype=torch.uint8) for _ in range(2))
    assert _plus(x, y.flip(1)).tolist() == [[200, 255, 255, 200]]
