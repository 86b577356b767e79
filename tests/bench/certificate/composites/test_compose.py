"""Composed pictures: what their masks and verdicts promise."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from bench.certificate.composites import compose, drawn_icons, read_icons
from bench.certificate.composites.compose import KNOWN_VERDICTS
from bench.certificate.report import judge_known
from bench.certificate.summary import summarise
from bench.errors import UsageError
from bench.judge.scorers.segmentation import SegmentationScorer


@pytest.fixture(scope="module")
def answers():
    return compose(60, seed=3, size=128)


def test_the_masks_share_every_pixel_out(answers):
    for answer in answers:
        regions = answer.regions
        total = regions.masks.sum(0) + regions.neighbour_masks.sum(0) + regions.background
        assert total.max() <= 1.02
        assert total.mean() > 0.99


def test_every_verdict_is_composed_and_told_with_exact_masks(answers):
    judged = judge_known(answers, None, SegmentationScorer())
    assert {one.true for one in judged} == set(KNOWN_VERDICTS)
    assert summarise(judged, "exact")["macro_f1"] > 0.95


def test_what_is_composed_depends_on_the_seed_alone(answers):
    again = compose(5, seed=3, size=128)
    other = compose(5, seed=4, size=128)
    for first, second in zip(answers, again, strict=False):
        assert np.array_equal(first.generation.image, second.generation.image)
    assert any(
        not np.array_equal(first.generation.image, second.generation.image)
        for first, second in zip(again, other, strict=True)
    )


def test_an_absent_subject_has_no_pixels(answers):
    absent = [a for a in answers if a.verdicts[0] == "absent"]
    assert absent
    for answer in absent:
        assert not answer.regions.found.any()
        assert not answer.regions.masks.any()


def test_the_painted_share_is_that_of_the_picture():
    for answer in compose(6, seed=9, size=128, verdicts=("mixed",)):
        assert 0.15 < answer.painted < 0.52


def test_each_drawn_icon_has_a_body_within_its_mask():
    for icon in drawn_icons():
        assert (icon.body <= icon.mask).all()
        assert icon.body.sum() > 0.4 * icon.mask.sum(), icon.subject


def test_icons_of_a_folder_are_read_by_subject(tmp_path):
    picture = np.zeros((40, 40, 4), np.uint8)
    picture[10:30, 10:30] = (200, 20, 30, 255)
    Image.fromarray(picture).save(tmp_path / "apple.png")
    Image.fromarray(picture).save(tmp_path / "zeppelin.png")
    (icon,) = read_icons(tmp_path)
    assert icon.subject == "apple"
    assert icon.body.sum() == pytest.approx(icon.mask.sum(), rel=0.1)
    assert np.ptp(icon.colour[icon.body > 0.9], axis=-1).max() == 0


def test_a_folder_without_icons_is_refused(tmp_path):
    with pytest.raises(UsageError, match="named like a subject"):
        read_icons(tmp_path)
    Image.new("RGB", (20, 20)).save(tmp_path / "apple.png")
    with pytest.raises(UsageError, match="no transparent part"):
        read_icons(tmp_path)
