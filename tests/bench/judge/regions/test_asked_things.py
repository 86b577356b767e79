"""What was asked for and the thing that it is: names, the only thing, and no coin."""

from dataclasses import replace

import numpy as np
import pytest

from bench.certificate.photoreal import photoreal_batches
from bench.judge.regions.asked_things import recognised
from bench.judge.regions.cutout import CutoutSegmenter
from bench.judge.regions.imagenet_nouns import classes_of
from bench.judge.regions.matching import things_of
from bench.judge.regions.photo_evidence import THING, WALL, PhotoSight
from bench.judge.regions.touching import set_apart
from bench.judge.resolution import sampled_regions
from bench.records import EVIDENCE
from prompts.cells import Binding, Cell
from prompts.subjects import SUBJECT_NAMES


@pytest.fixture(scope="module")
def cutout():
    return CutoutSegmenter()


@pytest.fixture(scope="module")
def scenes():
    batch = next(iter(photoreal_batches(24)))
    return [replace(answer, regions=sampled_regions(answer.regions)) for answer in batch]


def cell(*nouns):
    bindings = tuple(Binding("red", noun) for noun in nouns)
    return Cell("x", "x", bindings, "single" if len(nouns) == 1 else "pair", "x")


def overlap(one, other):
    one, other = one > 0.5, other > 0.5
    return (one & other).sum() / max(1, (one | other).sum())


def test_classes_of_everyday_nouns():
    assert classes_of("dog") == tuple(range(151, 269))
    assert classes_of("puppies") == ()
    assert classes_of("teddy bear") == (850,)
    assert classes_of("bear") == tuple(range(294, 298))
    assert classes_of("Sports Car") == classes_of("car")
    assert classes_of("mugs") == classes_of("cup")
    assert classes_of("giraffe") == ()


def test_masks_of_photoreal_things_lie_on_them(cutout, scenes):
    found = []
    for answer in scenes:
        asked = answer.generation.sample.cell
        regions = cutout.segment([answer.generation.image], [asked])[0]
        total = regions.masks.sum(0) + regions.neighbour_masks.sum(0) + regions.background
        assert np.allclose(total, 1, atol=1e-3)
        assert (regions.support <= regions.background + 1e-6).all()
        assert set(regions.evidence) <= set(EVIDENCE)
        for k, binding in enumerate(asked.bindings):
            if binding.subject in SUBJECT_NAMES and answer.regions.found[k]:
                found.append(overlap(regions.masks[k], answer.regions.masks[k]))
    assert np.median(found) > 0.85


def test_two_nouns_without_a_name_are_no_coin(cutout, scenes):
    image = scenes[0].generation.image
    (regions,) = cutout.segment([image], [cell("gadget", "widget")])
    assert regions.evidence == ("unnamed", "unnamed")
    assert np.isnan(regions.found).all()


def test_a_noun_without_a_name_is_the_only_thing(cutout, scenes):
    answer = scenes[0]
    (regions,) = cutout.segment([answer.generation.image], [cell("gadget")])
    assert regions.evidence == ("only_thing",)
    assert overlap(regions.masks[0], answer.regions.masks[0]) > 0.8


def test_a_plate_that_is_asked_for_is_the_plate(cutout, scenes):
    answer = next(a for a in scenes if "plate" in a.regions.neighbours)
    exact = answer.regions.neighbour_masks[answer.regions.neighbours.index("plate")]
    (regions,) = cutout.segment([answer.generation.image], [cell("plate")])
    assert regions.evidence == ("name",)
    assert "plate" not in regions.neighbours
    assert overlap(regions.masks[0], exact) > 0.6


def test_stuff_is_where_no_thing_stands(cutout, scenes):
    answer = scenes[0]
    (regions,) = cutout.segment([answer.generation.image], [cell("table")])
    assert regions.evidence == ("stuff",)
    assert overlap(regions.masks[0], answer.regions.support) > 0.7


def test_an_answer_depends_on_no_other_image(cutout, scenes):
    images = [a.generation.image for a in scenes[:3]]
    cells = [a.generation.sample.cell for a in scenes[:3]]
    together = cutout.segment(images, cells)
    for one, image, asked in zip(together, images, cells, strict=True):
        (alone,) = cutout.segment([image], [asked])
        assert np.array_equal(one.masks, alone.masks)


@pytest.mark.parametrize(
    ("side", "evidence"), [(0, "only_thing"), (2, "only_thing"), (20, "unnamed")]
)
def test_the_only_thing_has_no_rival_of_about_its_size(side, evidence):
    thing = np.zeros((64, 64), np.float32)
    thing[4:24, 4:24] = 0.9
    thing[40 : 40 + side, 40 : 40 + side] = 0.9
    sight = seen(thing, np.full((28, 16, 16), 1 / 28, np.float32))
    (found,) = recognised(sight, ("gadget",), things_of(sight))
    assert found.evidence == evidence


def test_things_that_touch_are_parted_by_their_names():
    thing = np.zeros((64, 64), np.float32)
    thing[20:40, 10:30], thing[20:40, 30:50] = 0.9, 0.9
    names = np.full((28, 16, 16), 0.01, np.float32)
    apple, cup = SUBJECT_NAMES.index("apple"), SUBJECT_NAMES.index("cup")
    names[apple, :, :8], names[cup, :, 8:] = 0.9, 0.9
    sight = seen(thing, names)
    for nouns in (("apple", "cup"), ("cup",)):
        steps = set_apart(sight, nouns, things_of(sight))
        asked, seeds = next(steps)
        assert asked == "grow"
        grown = np.repeat(np.repeat(seeds, 8, 1), 8, 2)
        with pytest.raises(StopIteration) as end:
            steps.send(grown)
        parts = [part.inside for part in end.value.value]
        assert sorted(part[:, :32].sum() for part in parts) == [0, 20 * 22]
    one = seen(thing, names[:, :, :8].repeat(2, 2))
    with pytest.raises(StopIteration) as end:
        next(set_apart(one, ("apple", "cup"), things_of(one)))
    assert len(end.value.value) == 1


def seen(thing, names):
    kinds = np.zeros((5, 64, 64), np.float32)
    kinds[THING], kinds[WALL] = thing, 1 - thing
    known = (names, thing[2::4, 2::4])
    return PhotoSight(kinds, (known, known), np.zeros((1000, 8, 8), np.float32), ())
