"""Layers and colours of regions are what the libraries say, in less time."""

import numpy as np
import pytest
import torch
from PIL import Image
from skimage.color import rgb2lab
from torch.nn import functional as F

from bench.judge.regions.lab import to_lab
from bench.judge.regions.photo_evidence import resized
from bench.judge.regions.refine import among_neighbours, enlarged

G = torch.Generator().manual_seed(0)


@pytest.mark.parametrize("size", [(14, 24), (7, 12), (20, 30), (14, 30)])
def test_layers_are_enlarged_as_torch_does(size):
    layers = torch.rand(2, 3, 7, 12, generator=G)
    expected = F.interpolate(layers, size, mode="bilinear", align_corners=False)
    torch.testing.assert_close(enlarged(layers, size), expected)


@pytest.mark.parametrize("kind", ["bytes", "shares"])
def test_cielab_is_that_of_scikit_image_down_to_black(kind):
    image = torch.randint(0, 256, (2, 3, 9, 11), dtype=torch.uint8, generator=G)
    image[0, :, :3] = torch.arange(3, dtype=torch.uint8).view(3, 1)
    expected = np.stack([rgb2lab(one.permute(1, 2, 0).numpy()) for one in image])
    lab = to_lab(image if kind == "bytes" else image / 255).permute(0, 2, 3, 1)
    np.testing.assert_allclose(lab.numpy(), expected, atol=2e-3)


@pytest.mark.parametrize(("shape", "size"), [((64, 48), (8, 6)), ((24, 18), (16, 11))])
def test_means_over_the_cells_of_a_grid_are_those_of_a_box_filter(shape, size):
    x = np.random.default_rng(0).random(shape, dtype=np.float32)
    expected = Image.fromarray(x).resize(size[::-1], Image.Resampling.BOX)
    np.testing.assert_allclose(resized(x, size), np.asarray(expected), atol=1e-6)


def test_layers_that_sum_to_one_still_do_among_neighbours():
    layers = torch.rand(1, 4, 16, 20, generator=G).softmax(1)
    lab = 100 * torch.rand(1, 3, 16, 20, generator=G)
    all_of_them = among_neighbours(layers, lab)
    torch.testing.assert_close(all_of_them.sum(1), torch.ones(1, 16, 20))
    torch.testing.assert_close(among_neighbours(layers[:, 1:], lab), all_of_them[:, 1:])
