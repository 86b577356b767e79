import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.judge.scorers.segmentation import METRICS, SegmentationScorer
from bench.judge.validity import examined
from bench.records import Regions
from prompts.cells import Binding, Cell
from prompts.colours import COLOUR_NAMES
from tests.bench.scenes import Scene, draw, generation, pair, single

SCORER = SegmentationScorer()


def scored(scene, cell, scorer=SCORER):
    """Per binding, metric to (value, reason)."""
    image, regions = draw(scene)
    rows = [{} for _ in cell.bindings]
    for score in scorer.score([generation(image, cell)], [regions]):
        rows[score.binding][score.metric] = (score.value, score.reason)
    return rows


def value(scene, cell, metric, binding=0):
    return scored(scene, cell)[binding][metric][0]


def test_every_metric_of_every_binding_has_a_value_or_a_reason():
    for cell, scene in ((single(), Scene()), (pair(), Scene(second="red"))):
        for rows in scored(scene, cell):
            assert tuple(rows) == METRICS
            for number, reason in rows.values():
                assert math.isnan(number) == bool(reason)
                assert reason or 0 <= number <= 1


def test_directions():
    tan, blue = Scene(), Scene(subject="blue")
    assert value(blue, single(), "bind") > 0.95 > 0.05 > value(tan, single(), "bind")
    assert value(tan, single(), "prior") > 0.95 > 0.05 > value(blue, single(), "prior")
    assert value(Scene(plate="blue"), single(), "leak_neighbour") > 0.95
    assert value(tan, single(), "leak_neighbour") < 0.05
    assert value(Scene(wall="blue", table="blue"), single(), "leak_background") > 0.95
    assert value(tan, single(), "leak_background") < 0.05


def test_pair_and_swap():
    right, wrong = Scene(subject="red", second="blue"), Scene(subject="blue", second="red")
    for index in (0, 1):
        assert value(right, pair(), "bind", index) > 0.95
        assert value(right, pair(), "swap", index) < 0.05
        assert value(wrong, pair(), "bind", index) < 0.05
        assert value(wrong, pair(), "swap", index) > 0.95


def test_shares_of_the_terms():
    rows = scored(Scene(subject="blue", plate="yellow", wall="green", table="green"), single())[0]
    assert rows["subject_blue"][0] > 0.95
    assert rows["neighbour_yellow"][0] > 0.95
    assert rows["background_green"][0] > 0.95
    for place in ("subject", "background", "neighbour"):
        assert sum(rows[f"{place}_{term}"][0] for term in COLOUR_NAMES) == pytest.approx(
            1, abs=0.01
        )


def test_a_control_has_shares_and_no_bind():
    rows = scored(Scene(), single(None))[0]
    for metric in ("bind", "leak_background", "leak_neighbour"):
        assert math.isnan(rows[metric][0])
        assert "no colour" in rows[metric][1]
    assert rows["subject_brown"][0] > 0.95
    assert rows["prior"][0] > 0.95


def test_prior_of_a_subject_with_two_natural_colours():
    asked_green = single("green", "pear")
    scene = Scene(subject="yellow")
    image, regions = draw(scene)
    regions = Regions(
        ("pear",),
        regions.masks,
        regions.found,
        regions.neighbours,
        regions.neighbour_masks,
        regions.background,
        "exact",
    )
    rows = {s.metric: s for s in SCORER.score([generation(image, asked_green)], [regions])}
    assert rows["prior"].value > 0.95
    brown = scored(Scene(), single("brown"))[0]["prior"]
    assert math.isnan(brown[0])
    assert "natural colour" in brown[1]


def test_a_white_plate_that_is_asked_for_is_no_leak():
    scenery = (Binding("white", "plate"),)
    rows = scored(Scene(subject="white", plate="white"), single("white", scenery=scenery))[0]
    assert math.isnan(rows["leak_neighbour"][0])
    assert "asks for white" in rows["leak_neighbour"][1]
    rows = scored(Scene(plate="blue"), single("blue", scenery=scenery))[0]
    assert rows["leak_neighbour"][0] > 0.95


def test_a_wall_that_is_asked_for_is_no_leak():
    cell = single("blue", scenery=(Binding("blue", "wall"),))
    rows = scored(Scene(subject="blue", wall="blue"), cell)[0]
    assert math.isnan(rows["leak_background"][0])


def test_colours_outside_the_basic_terms():
    cell = single("teal")
    assert value(Scene(subject="teal", shading=0.3), cell, "bind") > 0.9
    assert value(Scene(subject="red"), cell, "bind") < 0.05
    assert value(Scene(plate="teal"), cell, "leak_neighbour") > 0.9
    code = single("#3fa7d6")
    assert value(Scene(subject="#3fa7d6"), code, "bind") > 0.9


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        (np.zeros((64, 64, 3), np.uint8), "invalid: black"),
        (np.full((64, 64, 3), 200, np.uint8), "invalid: constant"),
    ],
)
def test_void_images_are_not_scored(image, reason):
    _, regions = draw(Scene())
    scores = SCORER.score([examined(generation(image, single()))], [regions])
    assert len(scores) == len(METRICS)
    assert all(math.isnan(s.value) and s.reason == reason for s in scores)


def test_a_subject_that_is_not_there():
    image, regions = draw(Scene())
    empty = Regions(
        ("potato",),
        np.zeros_like(regions.masks),
        np.zeros(1, dtype=np.float32),
        (),
        np.zeros((0, 64, 64), dtype=np.float32),
        np.ones((64, 64), dtype=np.float32),
        "exact",
    )
    rows = {s.metric: s for s in SCORER.score([generation(image, single())], [empty])}
    assert rows["presence"].value == 0
    assert rows["bind"].reason == "no potato found"
    assert rows["leak_neighbour"].reason == "the picture has no other object"
    assert rows["leak_background"].value < 0.1


def test_the_batch_does_not_matter():
    cell = single()
    drawn = [draw(Scene(subject=c, size=s)) for c, s in (("blue", 64), ("red", 96), ("blue", 40))]
    images = [generation(image, cell) for image, _ in drawn]
    regions = [region for _, region in drawn]
    together = SCORER.score(images, regions)
    alone = [s for g, r in zip(images, regions, strict=True) for s in SCORER.score([g], [r])]
    assert str(together) == str(alone)


def test_regions_of_another_size_are_refused():
    image, _ = draw(Scene(size=64))
    _, regions = draw(Scene(size=32))
    with pytest.raises(ValueError, match="regions of"):
        SCORER.score([generation(image, single())], [regions])
    with pytest.raises(ValueError, match="1 images but 0 regions"):
        SCORER.score([generation(image, single())], [])


def test_a_blue_lit_room_does_not_make_a_white_cup_blue():
    room = Scene(
        subject="white", plate="#f0f0ee", wall="#d4d6d8", table="#b4b6b6", light=(0.4, 0.55, 1.0)
    )
    assert value(room, single("blue"), "bind") < 0.1
    assert value(room, single("white"), "bind") > 0.85
    raw = scored(room, single("blue"), SegmentationScorer(correct_cast=False))
    assert raw[0]["bind"][0] > 0.5


@pytest.mark.parametrize("quality", [30, 60, 90])
def test_jpeg_changes_little(quality):
    import io

    from PIL import Image

    from bench.judge.images import as_rgb8

    image, regions = draw(Scene(subject="blue", shading=0.5, size=256))
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=quality)
    rows = SCORER.score([generation(as_rgb8(buffer.getvalue()), single())], [regions])
    assert rows[METRICS.index("bind")].value > 0.93


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**31), st.integers(8, 40), st.integers(8, 40))
def test_any_picture_gives_shares(seed, height, width):
    rng = np.random.default_rng(seed)
    image = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    parts = rng.dirichlet(np.ones(3), (height, width)).astype(np.float32)
    regions = Regions(
        ("potato",),
        parts[None, ..., 0],
        np.ones(1, dtype=np.float32),
        ("plate",),
        parts[None, ..., 1],
        parts[..., 2],
        "random",
    )
    cell = Cell("c", "t", (Binding("blue", "potato"),), "single", "control")
    for score in SCORER.score([generation(image, cell)], [regions]):
        assert math.isnan(score.value) or 0 <= score.value <= 1


def test_colour_that_only_its_user_knows_is_measured_by_its_code():
    own = SegmentationScorer(colours={"zorbish": "#005f6a"})
    painted, plain = Scene(subject="#005f6a"), Scene(subject="red")
    assert scored(painted, single("zorbish"), own)[0]["bind"][0] > 0.95
    assert scored(plain, single("zorbish"), own)[0]["bind"][0] < 0.05
    assert own.fingerprint.options["colours"] == {"zorbish": "#005f6a"}
    assert "colours" not in SCORER.fingerprint.options


def test_the_natural_colour_of_a_subject_of_ones_own():
    image, regions = draw(Scene(subject="red"))
    sign = Regions(
        ("stop sign",), regions.masks, regions.found, (), regions.neighbour_masks[:0],
        regions.background + regions.neighbour_masks[0], "exact",
    )  # fmt: skip
    cell = single("blue", "stop sign")
    scorer = SegmentationScorer(canonical={"stop sign": ("red",)})
    rows = {s.metric: s.value for s in scorer.score([generation(image, cell)], [sign])}
    assert rows["prior"] > 0.95
    assert scorer.fingerprint.options["canonical"] == {"stop sign": ["red"]}
