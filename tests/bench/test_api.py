import pickle

import numpy as np
import pytest

import bench
from bench.errors import UsageError
from prompts.cells import Sample
from tests.bench.shapes import MeanScorer, ShapeSegmenter, cells, draw

PARTS = {"segmenter": ShapeSegmenter(), "scorers": {"mean": MeanScorer()}}
COLOURED = [cell for cell in cells() if "single" in cell.tags]


def pictures(count):
    chosen = [COLOURED[number % len(COLOURED)] for number in range(count)]
    return [draw(Sample(cell, 100 + number)) for number, cell in enumerate(chosen)], [
        cell.text for cell in chosen
    ]


def test_score_images_gives_a_row_a_binding():
    images, prompts = pictures(40)
    frame = bench.score_images(images, prompts, **PARTS)
    assert list(frame["image"]) == list(range(40))
    assert list(frame["prompt"]) == prompts
    assert {"bound", "spilled"} <= set(frame["verdict"])
    assert frame["sample_id"].is_unique
    assert frame["words"].str.len().min() > 10


def test_images_come_in_many_forms():
    from PIL import Image

    images, prompts = pictures(4)
    frames = [
        bench.score_images(form, prompts, **PARTS)
        for form in (
            images,
            [Image.fromarray(image) for image in images],
            np.stack(images) / 255.0,
            np.stack(images).transpose(0, 3, 1, 2),
        )
    ]
    for frame in frames[1:]:
        assert frame.equals(frames[0])


def test_a_prompt_without_a_colour_has_no_row():
    images, _ = pictures(2)
    frame = bench.score_images(images, ["a potato", "a red potato"], **PARTS)
    assert list(frame["image"]) == [1]


@pytest.mark.parametrize(
    ("prompts", "words"),
    [
        (["a red potato"], "2 images but 1 prompts"),
        (["a red potato", "the meaning of life, the universe"], "cannot read the prompt"),
        ("a red potato", "must be a list"),
    ],
)
def test_bad_input_is_told(prompts, words):
    with pytest.raises(UsageError, match=words):
        bench.score_images(pictures(2)[0], prompts, **PARTS)


def test_bad_image_is_told_by_number():
    images, prompts = pictures(2)
    with pytest.raises(UsageError, match="image 1: "):
        bench.score_images([images[0], images[1][0, 0]], prompts, **PARTS)


def test_metric_in_batches_is_the_metric_at_once():
    images, prompts = pictures(30)
    whole, parts = bench.BindingScore(**PARTS), bench.BindingScore(**PARTS)
    whole.update(images, prompts)
    for start in range(0, 30, 7):
        parts.update(images[start : start + 7], prompts[start : start + 7])
    assert whole.compute() == parts.compute()
    assert whole.images == parts.images == 30
    assert 0 < whole.compute()["binding_score"] < 1
    assert whole.compute()["binding_score_low"] < whole.compute()["binding_score"]


def test_merged_metric_is_the_metric_at_once():
    images, prompts = pictures(30)
    whole, first, second = (bench.BindingScore(**PARTS) for _ in range(3))
    whole.update(images, prompts)
    first.update(images[:12], prompts[:12])
    second.update(images[12:], prompts[12:])
    merged = first.merge(pickle.loads(pickle.dumps(second)))
    assert merged.compute() == whole.compute()
    assert merged.images == 30
    estimate = next(one for one in merged.estimates() if one.metric == "binding_score")
    assert estimate.images == 30


def test_reset_forgets_and_an_empty_metric_is_nan():
    metric = bench.BindingScore(**PARTS)
    images, prompts = pictures(3)
    metric.update(images, prompts)
    metric.reset()
    assert np.isnan(metric.compute()["binding_score"])
    assert metric.images == 0


def test_failed_update_counts_nothing():
    metric = bench.BindingScore(**PARTS)
    images, prompts = pictures(3)
    with pytest.raises(UsageError):
        metric.update(images, [*prompts[:2], "no such form of words, at all"])
    assert metric.images == 0
    assert metric.verdicts().empty


def test_public_names_are_lazy_and_listed():
    assert {"BindingScore", "score_images"} <= set(dir(bench))
    with pytest.raises(AttributeError, match="nothing_here"):
        _ = bench.nothing_here
