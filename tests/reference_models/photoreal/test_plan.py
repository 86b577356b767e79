"""Plans: each verdict says what its scene shows; scenes are functions of their number."""

import numpy as np
import pytest

from prompts.subjects import SUBJECT_NAMES
from reference_models.photoreal.draws import Draws
from reference_models.photoreal.plan import TEST_ONLY, THINGS, TRAIN_ONLY, TURNS, plan_scene, usual
from reference_models.photoreal.scene import REACH, build
from reference_models.photoreal.thing import standing
from reference_models.world.known import KNOWN_VERDICTS

SCENES = [(n, plan_scene(n, Draws((5, n), n % 2 == 1))) for n in range(240)]


def test_the_verdicts_are_those_of_the_suite_but_for_black_pictures():
    assert set(TURNS) == set(KNOWN_VERDICTS) - {"invalid"}
    assert set(SUBJECT_NAMES) <= set(THINGS)
    assert not TRAIN_ONLY & TEST_ONLY


@pytest.mark.parametrize(("number", "plan"), SCENES)
def test_a_plan_shows_its_verdict(number, plan):
    colour, noun = plan.asked[0]
    shown = {one.name: one for one in plan.drawn}
    places = (plan.wall, plan.support, plan.plate, plan.frame)
    beside = [one.colour for one in plan.drawn if one.name not in dict(map(reversed, plan.asked))]
    drawn = shown.get(noun)
    match plan.verdict:
        case "absent":
            assert drawn is None
        case "bound":
            assert all(shown[n].colour == c for c, n in plan.asked)
            assert colour not in places
        case "spilled":
            assert drawn.colour == colour
            assert colour in places
        case "neighbour":
            assert drawn.colour != colour
            assert colour in (plan.plate, plan.frame, *beside)
        case "background":
            assert drawn.colour != colour
            assert colour in (plan.wall, plan.support)
        case "prior":
            assert drawn.colour in usual(noun)
            assert drawn.colour != colour
        case "wrong":
            assert drawn.colour not in (colour, *usual(noun))
        case "mixed":
            assert drawn.colour == colour
            assert drawn.second not in (None, colour)
        case "swapped":
            assert [shown[n].colour for _, n in plan.asked] == [c for c, _ in plan.asked][::-1]
    kept = TRAIN_ONLY if number % 2 else TEST_ONLY
    assert not kept & set(shown)


@pytest.mark.parametrize("name", sorted(THINGS))
def test_every_thing_stands_on_the_ground_and_has_a_body(name):
    for test in (False, True):
        thing = standing(THINGS[name](Draws((1,), test)))
        every = np.concatenate([part.mesh.vertices for part in thing])
        assert np.isfinite(every).all()
        assert every[:, 2].min() == pytest.approx(0, abs=1e-9)
        assert np.ptp(every, axis=0).max() == pytest.approx(1)
        assert any(part.own is None for part in thing)


def test_shapes_of_the_test_set_come_from_a_stretch_that_training_never_draws():
    train, test = Draws((3,), False), Draws((3,), True)
    assert max(train.shape(0, 1) for _ in range(500)) < min(test.shape(0, 1) for _ in range(500))


@pytest.mark.parametrize("number", range(0, 24, 5))
def test_a_stage_is_a_function_of_its_number_and_keeps_lights_out_of_view(number):
    stages = []
    for _ in range(2):
        d = Draws((9, number), False)
        stages.append(build(plan_scene(number, d), d))
    first, second = stages
    assert np.array_equal(first.wall, second.wall)
    for one, other in zip(first.pieces, second.pieces, strict=True):
        assert np.array_equal(one.mesh.vertices, other.mesh.vertices)
        assert np.array_equal(one.srgb, other.srgb)
    for light in first.lights:
        assert np.linalg.norm(light.centre) > REACH
    ahead = (first.target - first.eye) / np.linalg.norm(first.target - first.eye)
    for light in first.lights:
        if light.radiance.any():
            way = np.array(light.centre) - first.eye
            assert way @ ahead < np.cos(np.radians(first.view / 2)) * np.linalg.norm(way)
