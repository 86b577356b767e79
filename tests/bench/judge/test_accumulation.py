"""What the colour word added: known answers, sums, and what must not matter."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.judge.accumulation import accumulated, added_map, masks_of
from bench.judge.colour.spaces import to_lab
from bench.judge.places import FIRST_NEIGHBOUR, SUPPORT, WALL, Picture
from prompts.colours import BASIC, COLOURS

SIDE = 40


def labels() -> np.ndarray:
    """A wall, a support below, a plate on it, and two subjects before the wall."""
    found = np.full((SIDE, SIDE), WALL, np.uint8)
    found[28:] = SUPPORT
    found[30:38, 4:36] = FIRST_NEIGHBOUR
    found[4:24, 2:18] = 1
    found[4:24, 22:38] = 2
    return found


PICTURE = Picture(np.zeros((SIDE, SIDE, 3), np.uint8), labels(), ("plate",))
MASKS = masks_of(PICTURE, 0)


def painted(**colours: str) -> np.ndarray:
    """A picture whose places have the colours, gray where none is given."""
    places = {"wall": WALL, "support": SUPPORT, "plate": FIRST_NEIGHBOUR, "one": 1, "two": 2}
    image = np.zeros((SIDE, SIDE, 3), np.uint8)
    for name, number in places.items():
        image[PICTURE.labels == number] = COLOURS[colours.get(name, "gray")].srgb
    return image


CONTROL = painted(one="brown", two="yellow")


def added(frames, control=None, colour="blue", masks=MASKS):
    control = [CONTROL] * len(frames) if control is None else control
    return {
        one.place: one for one in accumulated(np.array(frames), np.array(control), masks, colour)
    }


def test_places_do_not_overlap_and_the_other_subject_is_one_of_them():
    assert set(MASKS) == {"subject", "other_subject", "wall", "support", "plate"}
    assert (np.sum(list(MASKS.values()), axis=0) <= 1).all()
    other = masks_of(PICTURE, 1)
    assert np.array_equal(other["subject"], MASKS["other_subject"])
    whole = masks_of(PICTURE, 0, whole=True)
    assert (np.sum(list(whole.values()), axis=0) == 1).all()


def test_all_of_the_way_is_one_and_half_of_it_a_half():
    brown, blue = (np.array(COLOURS[name].srgb, float) for name in ("brown", "blue"))
    there = painted(one="blue", two="yellow")
    found = added([CONTROL, there])
    assert found["subject"].steps == pytest.approx([0, 1])
    assert found["wall"].steps == pytest.approx([0, 0])
    assert found["subject"].distance == pytest.approx(
        np.linalg.norm(to_lab(brown / 255) - to_lab(blue / 255))
    )
    part = there.copy()
    part[4:24, 2:10] = CONTROL[4:24, 2:10]
    inside = MASKS["subject"]
    expected = (inside & (PICTURE.labels == 1))[:, 10:].sum() / inside.sum()
    assert added([part])["subject"].steps == pytest.approx([expected])


def test_a_colour_on_the_plate_is_added_there_alone():
    found = added([painted(one="brown", two="yellow", plate="blue")])
    assert found["plate"].steps == pytest.approx([1])
    assert found["subject"].steps == pytest.approx([0])
    assert found["other_subject"].steps == pytest.approx([0])


def test_another_colour_counts_by_its_part_along_the_way():
    start, asked, drawn = (
        to_lab(np.array(COLOURS[name].srgb) / 255) for name in ("brown", "blue", "green")
    )
    way = asked - start
    expected = (drawn - start) @ way / (way @ way)
    found = added([painted(one="green", two="yellow")])
    assert found["subject"].steps == pytest.approx([expected])


def test_where_the_control_has_the_colour_already_nothing_is_measured():
    there = painted(one="brown", wall="blue")
    found = added([there], [there])
    assert "wall" not in found
    assert "subject" in found


def test_frames_are_held_against_the_control_of_the_same_step():
    early = painted(one="blue", wall="red")
    found = added([early, CONTROL], [early, CONTROL])
    for one in found.values():
        assert one.steps == pytest.approx([0, 0])


PIXELS = st.integers(0, 2**31)


def noisy(seed: int, steps: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (steps, SIDE, SIDE, 3), dtype=np.uint8)


@settings(deadline=None, max_examples=25)
@given(PIXELS, st.integers(1, 6), st.sampled_from([colour.name for colour in BASIC]))
def test_the_increments_of_the_steps_sum_to_the_final_difference(seed, steps, colour):
    frames, control = noisy(seed, steps), noisy(seed + 1, steps)
    for one in accumulated(frames, control, MASKS, colour):
        increments = np.diff(one.steps, prepend=0.0)
        inside = MASKS[one.place]
        end = to_lab(control[-1])[inside].mean(axis=0)
        way = to_lab(np.array(COLOURS[colour].srgb, np.uint8)) - end
        final = to_lab(frames[-1])[inside].mean(axis=0) - end
        assert increments.sum() == pytest.approx(final @ way / (way @ way))


@settings(deadline=None, max_examples=25)
@given(PIXELS, st.booleans(), st.booleans())
def test_a_mirrored_or_transposed_picture_gives_the_same(seed, mirrored, transposed):
    frames, control = noisy(seed, 2), noisy(seed + 1, 2)

    def turned(x, first):
        x = np.flip(x, first + 1) if mirrored else x
        return np.swapaxes(x, first, first + 1) if transposed else x

    picture = Picture(PICTURE.byte, turned(PICTURE.labels, 0), ("plate",))
    one = accumulated(frames, control, MASKS, "red")
    two = accumulated(turned(frames, 1), turned(control, 1), masks_of(picture, 0), "red")
    for a, b in zip(one, two, strict=True):
        assert a.place == b.place
        assert a.steps == pytest.approx(b.steps)


def test_the_mean_of_the_map_over_a_place_is_what_was_added_there():
    frames, control = noisy(1, 3), noisy(2, 3)
    maps = added_map(frames, control, MASKS, "green")
    for one in accumulated(frames, control, MASKS, "green"):
        assert maps[:, MASKS[one.place]].mean(axis=1) == pytest.approx(one.steps)
    outside = ~np.any(list(MASKS.values()), axis=0)
    assert np.isnan(maps[:, outside]).all()


def test_frames_of_different_shape_are_refused():
    with pytest.raises(ValueError, match="frames of"):
        accumulated(noisy(1, 2), noisy(1, 3), MASKS, "red")
