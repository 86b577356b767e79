"""Hard scenes: what each layout promises, for training alone; the test set stays what it is."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from bench.certificate.photoreal import scenes
from reference_models.photoreal.draws import Draws
from reference_models.photoreal.generate import main, record
from reference_models.photoreal.hard import LAYOUTS, plan_hard
from reference_models.photoreal.plan import TEST_ONLY, plan_scene
from reference_models.photoreal.scene import FIRST, build

PLANS = [(n, plan_hard(n, Draws((7, n), False))) for n in range(6 * len(LAYOUTS))]


@pytest.mark.parametrize(("number", "plan"), PLANS)
def test_a_layout_shows_what_it_says(number, plan):
    assert plan.layout == LAYOUTS[number % len(LAYOUTS)]
    names = [one.name for one in plan.drawn]
    assert len(set(names)) == len(names)
    assert not TEST_ONLY & set(names)
    assert plan.asked == ((plan.drawn[0].colour, names[0]),)
    assert all(one.second != one.colour for one in plan.drawn)
    match plan.layout:
        case "crowd":
            assert 3 <= len(names) <= 6
        case "touching":
            assert len(names) == 2
        case "plate":
            assert len(names) == 1
            assert plan.plate is not None


@pytest.mark.parametrize("layout", ["crowd", "touching", "small", "close"])
def test_a_layout_is_built_as_it_says(layout):
    for number in range(len(LAYOUTS)):
        if LAYOUTS[number] != layout:
            continue
        plan = plan_hard(number, Draws((9, number), False))
        stage = build(plan, Draws((10, number), False))
        bodies = [p for p in stage.pieces if p.label >= FIRST and p.label % 2 == 0]
        assert len(bodies) == len(plan.drawn)
        width = 2 * np.tan(np.radians(stage.view / 2)) * np.linalg.norm(stage.eye - stage.target)
        if layout == "close" and plan.plate is None and plan.frame is None:
            assert width < 1.5
        if layout == "touching":
            middles = [(p.mesh.vertices.min(0) + p.mesh.vertices.max(0))[:2] / 2 for p in bodies]
            assert np.linalg.norm(middles[0] - middles[1]) < 1.3


def test_the_test_set_has_none():
    with pytest.raises(ValueError, match="training"):
        plan_hard(0, Draws((0, 0), True))
    done = CliRunner().invoke(main, ["--out", "nowhere", "--hard", "--test"])
    assert done.exit_code == 2
    assert "--hard" in done.output


def test_the_bundled_test_set_is_what_the_plans_of_today_are():
    for line in scenes():
        number = line["number"]
        made = (
            record(
                number, plan_scene(number, Draws((2026, 1, number, attempt), True)), line["share"]
            )
            for attempt in range(12)
        )
        assert any(json.loads(json.dumps(one)) == line for one in made), number
