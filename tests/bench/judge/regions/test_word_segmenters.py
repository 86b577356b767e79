"""Segmenters that look for words, with small models of transformers' own classes."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from bench.certificate.report import judge_known
from bench.certificate.scenes import known_answers
from bench.errors import BenchError, UsageError
from bench.judge.regions.claims import presence_of, regions_from, shared_out, words_of
from bench.judge.regions.detectors import Owlv2
from bench.judge.regions.word_segmenters import DEFAULTS
from bench.judge.scorers.segmentation import SegmentationScorer
from bench.records import VERDICTS
from bench.registry import DETECTORS
from bench.run.components import build
from prompts import parse_prompt

#: Which miniatures a segmenter is made of.
PARTS = {
    "mmdino+sam2": ("mmdino", "sam2"),
    "owlv2+sam2": ("owlv2", "sam2"),
    "dino+sam2": ("dino", "sam2"),
    "sam3": ("sam3",),
    "clipseg": ("clipseg",),
}


@pytest.fixture(scope="session")
def segmenter(miniature):
    made = {}

    def of(name):
        if name not in made:
            folders = ",".join(str(miniature(part)) for part in PARTS[name])
            made[name] = build("segmenter", f"{name}:{folders}", {})
        return made[name]

    return of


def noise(shape, seed=0):
    return np.random.default_rng(seed).integers(0, 255, (*shape, 3), dtype=np.uint8)


def test_every_name_has_defaults_and_a_test():
    assert set(DEFAULTS) == set(DETECTORS) == set(PARTS)


@pytest.mark.parametrize("name", list(PARTS))
@pytest.mark.parametrize("shape", [(40, 50), (3, 70), (300, 200)])
def test_regions_of_any_picture_never_overlap(segmenter, name, shape):
    part = segmenter(name)
    size = (256, 171) if shape == (300, 200) else shape
    for prompt in ("a blue potato", "a red apple and a blue zebra"):
        cell = parse_prompt(prompt)
        (regions,) = part.segment([noise(shape)], [cell])
        assert regions.masks.shape == (len(cell.bindings), *size)
        overlap = (regions.masks > 0).sum(0) + (regions.neighbour_masks > 0).sum(0)
        assert overlap.max() <= 1
        assert ((regions.found >= 0) & (regions.found <= 1)).all()
        assert set(regions.evidence) == {"detector"}
        assert regions.segmenter == name


@pytest.mark.parametrize("name", list(PARTS))
def test_known_scenes_are_judged_from_end_to_end(segmenter, name):
    answers = known_answers(22, seed=4)
    judged = judge_known(answers, segmenter(name), SegmentationScorer())
    assert len(judged) == sum(len(answer.verdicts) for answer in answers)
    for one in judged:
        assert one.said in VERDICTS
        assert (one.said == "invalid") == (one.true == "invalid")


@pytest.mark.parametrize("name", list(PARTS))
def test_the_batch_does_not_matter(segmenter, name):
    part = segmenter(name)
    prompts = ["a blue potato", "a red apple", "an orange picture frame", "a green chair"] * 2
    cells = [parse_prompt(prompt) for prompt in prompts]
    images = [noise((64, 80), seed) for seed in range(8)]
    together = part.segment(images, cells)
    for k in (0, 5, 7):
        (alone,) = part.segment([images[k]], [cells[k]])
        assert np.allclose(alone.found, together[k].found, atol=1e-3)
        assert np.allclose(alone.masks, together[k].masks, atol=1e-3)


def test_a_picture_without_pixels_has_no_answer(segmenter):
    (regions,) = segmenter("clipseg").segment([noise((0, 9))], [parse_prompt("a blue potato")])
    assert np.isnan(regions.found).all()


def test_the_record_has_names_and_hashes_and_no_path(segmenter, miniature):
    fingerprint = segmenter("mmdino+sam2").fingerprint
    names = [miniature(part).name for part in ("mmdino", "sam2")]
    assert fingerprint.options == {"models": names}
    assert [len(one) for one in fingerprint.weights.split(" ")] == [20, 20]
    assert fingerprint.weights != segmenter("dino+sam2").fingerprint.weights


def test_a_checkpoint_of_the_video_model_gives_its_image_model(tmp_path, miniature):
    import transformers

    own = transformers.Sam2Model.from_pretrained(miniature("sam2"))
    config = own.config.to_dict()
    config.pop("model_type")
    video = transformers.Sam2VideoModel(
        transformers.Sam2VideoConfig(
            **{key: config[key] for key in
               ("vision_config", "prompt_encoder_config", "mask_decoder_config")},
            image_size=128, memory_attention_hidden_size=32, memory_encoder_hidden_size=32,
            memory_attention_num_layers=1, memory_attention_feed_forward_hidden_size=32,
            memory_encoder_output_channels=16, memory_fuser_embed_dim=32,
        )
    )  # fmt: skip
    missing, _ = video.load_state_dict(own.state_dict(), strict=False)
    assert all("memory" in key or "object_pointer" in key or "occlusion" in key
               or "mask_downsample" in key or "temporal" in key for key in missing)  # fmt: skip
    video.save_pretrained(tmp_path)
    transformers.Sam2Processor.from_pretrained(miniature("sam2")).save_pretrained(tmp_path)
    cell = parse_prompt("a blue potato")
    found = [
        build("segmenter", f"owlv2+sam2:{miniature('owlv2')},{sam}", {})._segment_batch(
            [noise((64, 80))], [list(words_of(cell)[0])]
        )[0]
        for sam in (tmp_path, miniature("sam2"))
    ]
    assert np.allclose(*found, atol=1e-5)


@pytest.mark.parametrize("shape", [(60, 120), (120, 60)])
def test_boxes_of_owlv2_are_shares_of_the_padded_square(miniature, shape):
    detector = Owlv2(str(miniature("owlv2")), "cpu")
    model = detector.loaded.model
    with torch.no_grad():
        for layer in (model.box_head.dense2, model.class_head.logit_shift):
            layer.weight.zero_()
            layer.bias.zero_()
    scores, boxes = detector.boxes([noise(shape)], [["potato"]])
    assert scores.shape == (1, 1)
    # The head's own prior: centred on a corner of the patch's cell, of the size of a cell.
    assert float(boxes[0, 0, 2] - boxes[0, 0, 0]) == pytest.approx(120 / 12, rel=0.02)
    assert float(boxes[0, 0, 3] - boxes[0, 0, 1]) == pytest.approx(120 / 12, rel=0.02)


@pytest.mark.parametrize("spec", ["clipseg:", "owlv2+sam2:,b", "dino+sam2:a,b,c", "sam3:a,b"])
def test_half_a_spec_is_refused_with_the_forms(spec):
    with pytest.raises(UsageError, match="NAME:DETECTOR,SAM"):
        build("segmenter", spec, {})


def test_a_model_of_another_family_is_refused(miniature):
    with pytest.raises(UsageError, match="CLIPSegForImageSegmentation; expected Owlv2For"):
        build("segmenter", f"owlv2+sam2:{miniature('clipseg')}", {})


@pytest.mark.parametrize("spec", ["clipseg:./nowhere", "mmdino+sam2", "sam3:org/name@v1"])
def test_a_model_that_is_not_there_is_one_line_with_a_remedy(spec):
    with pytest.raises(BenchError, match=r"expected a folder|hf download") as error:
        build("segmenter", spec, {})
    assert "\n" not in str(error.value)


def test_presence_is_a_half_at_the_threshold_and_rises_with_the_score():
    for threshold in (0.1, 0.35, 0.5):
        scores = np.linspace(0, 1, 21)
        found = presence_of(scores, threshold)
        assert presence_of(np.array(threshold), threshold) == pytest.approx(0.5)
        assert (np.diff(found) > 0).all()
        assert (found[0], found[-1]) == (0, 1)


def box(y, x, shape=(10, 10)):
    mask = np.zeros(shape)
    mask[y, x] = 1
    return mask


def test_what_two_words_claim_goes_to_the_surer():
    masks = np.stack([box(slice(2, 8), slice(0, 6)), box(slice(2, 8), slice(4, 10))])
    own, found = shared_out(masks, np.array([0.6, 0.9]))
    assert own.sum((1, 2)).tolist() == [24, 36]
    assert found.tolist() == [0.6, 0.9]


def test_what_lies_within_an_outline_is_in_front_of_it():
    plate, potato = box(slice(0, 10), slice(0, 10)), box(slice(3, 7), slice(3, 7))
    own, found = shared_out(np.stack([plate, potato]), np.array([0.99, 0.6]))
    assert own.sum((1, 2)).tolist() == [84, 16]
    assert found.tolist() == [0.99, 0.6]


def test_one_thing_is_not_two_subjects():
    cell = parse_prompt("a red apple and a blue cup")
    count = len([word for part in words_of(cell) for word in part])
    masks, found = np.zeros((count, 10, 10)), np.zeros(count)
    masks[0] = masks[1] = box(slice(2, 8), slice(2, 8))
    found[:2] = 0.7, 0.8
    regions = regions_from(masks, found, cell, "x")
    assert regions.found[1] == pytest.approx(0.8)
    assert regions.found[0] < 0.5
    assert not regions.masks[0].any()
    assert regions.masks[1].sum() == 36
    assert regions.neighbours == ()


def test_what_is_not_found_has_no_mask():
    cell = parse_prompt("a blue potato")
    masks = np.ones((3, 10, 10)) * 0.9
    regions = regions_from(masks, np.array([0.2, 0.1, np.nan]), cell, "x")
    assert not regions.masks.any()
    assert regions.background.all()
