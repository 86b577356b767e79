"""Every family: loaded by path, sampled, the same whatever the batch, and scored."""

import inspect
import math
from itertools import pairwise

import numpy as np
import pytest
import torch

from bench.judge.regions.clip import ClipSegmenter
from bench.judge.scorers.segmentation import SegmentationScorer
from bench.run.scoring_thread import measure
from bench.samplers.diffusers.sampler import DiffusersSampler
from prompts import build_grid
from tests.bench.samplers.families import MAKERS, OPTIONS, saved

#: Levels of 255 that a pixel may differ by between two batch sizes: rounding of the arithmetic.
TOLERANCE = 2
SAMPLES = build_grid("quick").samples()[:5]


def sampler(family, **options):
    return DiffusersSampler(
        str(saved(family)), steps=2, device="cpu", **(OPTIONS[family] | options)
    )


def pictures(made):
    return np.stack([one.image for one in made]).astype(int)


@pytest.fixture(scope="module", params=sorted(MAKERS))
def one_by_one(request):
    """A family, its sampler, and images that were made one at a time."""
    made = sampler(request.param, batch_size=1)
    return request.param, made, list(made.sample(SAMPLES))


def test_images_do_not_depend_on_the_batch_or_the_order(one_by_one):
    family, _, alone = one_by_one
    together = sampler(family, batch_size=3)
    assert np.abs(pictures(together.sample(SAMPLES)) - pictures(alone)).max() <= TOLERANCE
    backwards = list(together.sample(SAMPLES[::-1]))
    assert [one.sample for one in backwards] == list(SAMPLES[::-1])
    assert np.abs(pictures(backwards)[::-1] - pictures(alone)).max() <= TOLERANCE
    # A resume asks for what is missing only, in other company.
    rest = pictures(together.sample([SAMPLES[1], SAMPLES[4]]))
    assert np.abs(rest - pictures(alone)[[1, 4]]).max() <= TOLERANCE


def test_images_are_those_of_the_pipeline_itself(one_by_one):
    """The remembered text and the way of calling change nothing."""
    _, made, alone = one_by_one
    plain = inspect.unwrap(type(made.pipeline).__call__)
    text = made.pipeline.__dict__.pop("encode_prompt", None)
    sample = SAMPLES[2]
    with torch.no_grad():
        result = plain(
            made.pipeline,
            prompt=sample.cell.text,
            generator=torch.Generator().manual_seed(sample.seed),
            **made.call.arguments,
        )
    if text is not None:
        made.pipeline.encode_prompt = text
    difference = np.asarray(result.images[0]).astype(int) - pictures(alone)[2]
    assert np.abs(difference).max() <= 1


def test_prompts_and_seeds_give_different_images(one_by_one):
    _, _, alone = one_by_one
    images = pictures(alone)
    assert images.shape == (5, 32, 32, 3)
    assert min(np.abs(a - b).mean() for a, b in pairwise(images)) > 5


def test_each_distinct_prompt_is_encoded_once(one_by_one):
    family, made, _ = one_by_one
    if family == "amused":
        assert made.text is None
        return
    before = made.text.encoded
    again = [type(SAMPLES[0])(one.cell, one.index + 7) for one in SAMPLES]
    list(made.sample(again))
    assert before == len({one.cell.text for one in SAMPLES})
    assert made.text.encoded == before


def test_images_are_scored(one_by_one, scorers):
    family, _, alone = one_by_one
    segmenter, scorer = scorers
    _, scores = measure(alone[:2], segmenter, {"segmentation": scorer})
    found = scores["segmentation"]
    assert {one.sample_id for one in found} == {one.sample.id for one in alone[:2]}
    assert all(math.isfinite(one.value) or one.reason for one in found), family


@pytest.fixture(scope="module")
def scorers():
    return ClipSegmenter(), SegmentationScorer()


def test_the_masked_token_family_makes_one_image_at_a_time(capfd):
    made = sampler("amused")
    assert made.batch.size == 1
    assert "one at a time" in capfd.readouterr().err


@pytest.mark.parametrize("scheduler", ["EulerAncestralDiscrete", "DDPM", "LCM"])
def test_noise_on_the_way_does_not_depend_on_the_batch_either(scheduler):
    together = sampler("sdxl", scheduler=scheduler, batch_size=3)
    alone = sampler("sdxl", scheduler=scheduler, batch_size=1)
    plain = sampler("sdxl", batch_size=1)
    images = pictures(alone.sample(SAMPLES))
    assert np.abs(pictures(together.sample(SAMPLES)) - images).max() <= TOLERANCE
    assert np.abs(pictures(plain.sample(SAMPLES)) - images).max() > 0
