import io
import multiprocessing
import pickle

import numpy as np
import pytest
import torch

import bench
from bench.errors import UsageError
from bench.judge.picture_arrays import MAX_PIXELS
from bench.judge.scorers.segmentation import SegmentationScorer
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


def test_prompts_that_cannot_be_judged_have_a_row_with_the_reason():
    images, _ = pictures(4)
    prompts = ["a potato", "a red potato", "the meaning of life, the universe", ""]
    frame = bench.score_images(images, prompts, **PARTS)
    assert list(frame["image"]) == [0, 1, 2, 3]
    assert frame["verdict"].notna().tolist() == [False, True, False, False]
    assert frame["words"][0] == "not scored: the prompt asks for no colour"
    assert "no colour of a thing is found" in frame["words"][2]


def test_colours_beside_the_basic_ones_can_be_asked_for():
    scorers = {"segmentation": SegmentationScorer()}
    masked = {"segmenter": ShapeSegmenter(), "scorers": scorers}
    picture = draw(Sample(COLOURED[0], 100))
    asked = ["a teal potato", "a #3fa7d6 potato", "a salmon potato", "a chocolate cake"]
    frame = bench.score_images([picture] * 4, asked, **masked)
    assert frame["colour"].tolist()[:2] == ["teal", "#3fa7d6"]
    assert frame["bind"].notna().tolist() == [True, True, False, False]
    assert "in `colours`" in frame["words"][2]
    frame = bench.score_images([picture], asked[2:3], **masked, colours=["salmon"])
    assert frame["colour"].tolist() == ["salmon"]
    with pytest.raises(UsageError, match="did you mean 'salmon'"):
        bench.score_images([picture], ["a salmn potato"], **masked, colours=["salmn"])


@pytest.mark.parametrize(
    ("prompts", "words"),
    [
        (["a red potato"], "2 images but 1 prompts"),
        (["a red potato", 3], "a prompt is text or a Cell, not int"),
        ("a red potato", "must be a list"),
    ],
)
def test_bad_input_is_told(prompts, words):
    with pytest.raises(UsageError, match=words):
        bench.score_images(pictures(2)[0], prompts, **PARTS)


def encoded(image, kind="PNG", **options):
    from PIL import Image

    buffer = io.BytesIO()
    (Image.fromarray(image) if isinstance(image, np.ndarray) else image).save(
        buffer, kind, **options
    )
    return buffer.getvalue()


def odd_pictures():
    """Every odd kind of picture: what it is, the picture, and whether it can be judged."""
    from PIL import Image

    whole = draw(Sample(COLOURED[0], 0)).repeat(2, axis=0).repeat(2, axis=1)
    picture = Image.fromarray(whole)
    bomb = int(MAX_PIXELS**0.5) + 1
    return [
        ("zero size", whole[:0], False),
        ("one pixel", whole[:1, :1], False),
        ("1 x 4000", np.zeros((1, 4000, 3), np.uint8), False),
        ("4000 x 1", np.zeros((4000, 1, 3), np.uint8), False),
        ("gray", whole.mean(axis=2).astype(np.uint8), True),
        ("RGBA", picture.convert("RGBA"), True),
        ("palette", picture.convert("P"), True),
        ("16 bit", Image.fromarray(whole[..., 0].astype(np.uint16) * 257), True),
        ("CMYK", encoded(picture.convert("CMYK"), "JPEG"), True),
        ("animated", encoded(picture, "GIF", save_all=True, append_images=[picture]), True),
        ("truncated", encoded(whole)[:-200], False),
        ("no file", b"not a picture", False),
        ("empty file", b"", False),
        ("bomb", encoded(Image.new("1", (bomb, bomb))), False),
        ("NaN", np.full((8, 8, 3), np.nan), False),
        ("black", whole * 0, False),
        ("bfloat16", torch.from_numpy(whole / 255.0).permute(2, 0, 1).bfloat16(), True),
    ]


def test_odd_pictures_are_scored_or_reported_and_counted():
    kinds, images, good = zip(*odd_pictures(), strict=True)
    metric = bench.BindingScore()
    metric.update(images, ["a blue potato"] * len(images))
    frame = metric.verdicts()
    assert len(frame) == len(images)
    judged = (frame["verdict"] != "invalid").tolist()
    assert dict(zip(kinds, judged, strict=True)) == dict(zip(kinds, good, strict=True))
    found = metric.compute()
    assert (found["images"], found["unscored"]) == (len(images), good.count(False))
    assert found["invalid"] == pytest.approx(good.count(False) / len(images))
    unscored = metric.unscored
    assert [kinds[n] for n in unscored["image"]] == [
        k for k, g in zip(kinds, good, strict=True) if not g
    ]
    assert unscored["reason"].str.len().min() > 10


def test_odd_prompts_with_the_bundled_scorers():
    image, _ = pictures(1)
    prompts = {
        "a blue potato": True,
        "a red apple and a blue cup": True,
        "a blue zyzzyva": True,
        "a blue \u673a\u5668\u4eba": True,
        "a blue " + "snarkboojum" * 30: True,
        "a potato": False,
        "a blue and red potato": False,
        "a blue \u2603": False,
        "blue": False,
        "": False,
        "a blue potato " * 80: True,
        "a blue cup a red cup " * 80: False,
    }
    metric = bench.BindingScore()
    metric.update(image * len(prompts), list(prompts))
    verdicts = metric.verdicts()
    read = [number in set(verdicts["image"]) for number in range(len(prompts))]
    assert dict(zip(prompts, read, strict=True)) == prompts
    # What was read and not judged for want of evidence is counted as unscored too.
    unjudged = set(verdicts[verdicts["verdict"] == "unjudged"]["image"])
    unread = list(prompts.values()).count(False)
    assert metric.compute()["unscored"] == unread + len(unjudged)
    # A word that the CLIP does not know: what it would measure is missing and never a guess.
    unknown = metric.verdicts().query("subject == 'zyzzyva'").iloc[0]
    assert np.isnan(unknown["clip_bind"])


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
        metric.update([*images[:2], "a path"], prompts)
    assert metric.images == 0
    assert metric.verdicts().empty


def test_merged_images_are_numbered_on():
    images, prompts = pictures(4)
    first, second = (bench.BindingScore(**PARTS) for _ in range(2))
    first.update(images[:2], prompts[:2])
    second.update(images[2:], ["a potato", prompts[3]])
    first.merge(second)
    assert first.unscored["image"].tolist() == [2]
    assert first.verdicts()["image"].tolist() == [0, 1, 3]


def test_gathered_without_a_group_is_the_same():
    images, prompts = pictures(4)
    metric = bench.BindingScore(**PARTS)
    metric.update(images, prompts)
    whole = metric.gather()
    assert whole.compute() == metric.compute()
    whole.update(images, prompts)
    assert metric.images == 4


def rank(number, file, results):
    """One of two processes: judges its half and gathers."""
    from torch import distributed

    distributed.init_process_group("gloo", f"file://{file}", rank=number, world_size=2)
    images, prompts = pictures(30)
    metric = bench.BindingScore(**PARTS)
    metric.update(images[number::2], prompts[number::2])
    whole = metric.gather()
    results[number] = (whole.images, whole.compute())
    distributed.destroy_process_group()


def test_ranks_gather_to_the_metric_at_once(tmp_path):
    context = multiprocessing.get_context("spawn")
    with context.Manager() as manager:
        results = manager.dict()
        ranks = [
            context.Process(target=rank, args=(n, tmp_path / "group", results)) for n in range(2)
        ]
        for one in ranks:
            one.start()
        for one in ranks:
            one.join(600)
        assert [one.exitcode for one in ranks] == [0, 0]
        found = dict(results)
    images, prompts = pictures(30)
    alone = bench.BindingScore(**PARTS)
    alone.update(images, prompts)
    assert found[0] == found[1]
    assert found[0][0] == 30
    assert found[0][1] == alone.compute()


def test_public_names_are_lazy_and_listed():
    assert {"BindingScore", "score_images"} <= set(dir(bench))
    with pytest.raises(AttributeError, match="nothing_here"):
        _ = bench.nothing_here
