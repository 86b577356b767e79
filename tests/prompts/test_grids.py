"""The released grids. A golden hash that changes means that old ids ask for other prompts.

When that is meant, raise SUITE_VERSION, write the new values into tests/data/grids.json and say so
in the changelog.
"""

import json
from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prompts.cells import SUITE_VERSION, Sample
from prompts.colours import COLOUR_NAMES, Colour
from prompts.errors import PromptError
from prompts.grid import Grid
from prompts.grids import PRESET_NAMES, PRESETS, build_grid, make_grid
from prompts.manifest import TrainingManifest
from prompts.subjects import SUBJECT_NAMES, Subject
from prompts.templates import TEMPLATE_NAMES

GOLDEN = json.loads((Path(__file__).parents[1] / "data" / "grids.json").read_text())
GRIDS = {name: build_grid(name) for name in PRESET_NAMES}


@pytest.mark.parametrize("name", PRESET_NAMES)
def test_golden(name):
    grid = GRIDS[name]
    assert GOLDEN["suite"] == SUITE_VERSION
    assert GOLDEN["grids"][name] == {
        "hash": grid.hash,
        "cells": len(grid),
        "seeds": grid.seeds,
        "images": grid.images,
        "tags": dict(sorted(Counter(tag for cell in grid for tag in cell.tags).items())),
    }


def test_golden_samples():
    cells = {cell.id: cell for grid in GRIDS.values() for cell in grid}
    for cell_id, index, text, sample_id, seed in GOLDEN["samples"]:
        sample = Sample(cells[cell_id], index)
        assert (sample.cell.text, sample.id, sample.seed) == (text, sample_id, seed)


@pytest.mark.parametrize("name", PRESET_NAMES)
def test_every_cell_has_its_control(name):
    cells = {cell.id: cell for cell in GRIDS[name]}
    assert len(cells) == len(GRIDS[name])
    for cell in cells.values():
        control = cells[cell.control_id]
        assert control.template == "control"
        assert control.control_id == control.id
        assert [one.subject for one in control.bindings] == [one.subject for one in cell.bindings]
        assert all(one.colour is None for one in control.bindings)
        assert control.scenery == cell.scenery


@pytest.mark.parametrize("name", PRESET_NAMES)
def test_scenery_is_neutral_and_not_asked_for(name):
    for cell in GRIDS[name]:
        for place in cell.scenery:
            assert place.colour in (None, "white", "gray", "black", "brown")
            assert place.colour is None or place.colour not in {b.colour for b in cell.bindings}


@pytest.mark.parametrize("name", PRESET_NAMES)
def test_pairs_have_their_twins(name):
    cells = {cell.id for cell in GRIDS[name]}
    for cell in GRIDS[name]:
        if cell.template == "pair":
            (a, b) = cell.bindings
            assert a.colour != b.colour
            assert a.subject != b.subject
            assert f"pair/{b.colour}/{a.subject}/{a.colour}/{b.subject}" in cells


def test_sizes():
    assert 100 <= len(GRIDS["quick"]) <= 150
    assert 140 <= GRIDS["quick"].images <= 160
    assert GRIDS["default"].images >= 1000
    assert sum(cell.template == "single" for cell in GRIDS["default"]) == 27 * 11
    assert sum(cell.id.count("/") == 1 for cell in GRIDS["default"]) == 27
    assert {cell.id for cell in GRIDS["default"]} - {cell.id for cell in GRIDS["full"]} == set()


@pytest.mark.parametrize("name", ["quick", "default"])
@pytest.mark.parametrize("kind", ["single", "distractor", "pair"])
def test_balance(name, kind):
    asked = [b for cell in GRIDS[name] if kind in cell.tags for b in cell.bindings]
    colours = Counter(b.colour for b in asked)
    assert set(colours) == set(COLOUR_NAMES)
    slack = 2 if kind == "pair" else 0
    assert max(colours.values()) - min(colours.values()) <= slack
    subjects = Counter(b.subject for b in asked)
    assert max(subjects.values()) - min(subjects.values() or [0]) <= 2
    if kind == "single" or name == "default":
        assert set(subjects) == set(SUBJECT_NAMES)


def test_every_template_is_in_default():
    assert {cell.template for cell in GRIDS["default"]} == set(TEMPLATE_NAMES)


def test_quick_has_canonical_and_anti_canonical_cells_of_every_kind():
    tags = Counter(tag for cell in GRIDS["quick"] for tag in cell.tags)
    assert tags["canonical"] >= 20
    assert tags["anti-canonical"] >= 10


some_colours = st.none() | st.lists(st.sampled_from(COLOUR_NAMES), min_size=1, unique=True)
some_subjects = st.none() | st.lists(st.sampled_from(SUBJECT_NAMES), min_size=1, unique=True)
some_templates = st.none() | st.lists(st.sampled_from(TEMPLATE_NAMES), min_size=1, unique=True)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(["quick", "default", "pairs"]), some_colours, some_subjects, some_templates)
def test_a_part_is_a_part(preset, colours, subjects, templates):
    with suppress(PromptError):
        check_part(
            make_grid(preset, colours=colours, subjects=subjects, templates=templates),
            preset, colours, subjects, templates,
        )  # fmt: skip


def check_part(cells, preset, colours, subjects, templates):
    assert set(cells) <= set(GRIDS[preset].cells)
    ids = {cell.id for cell in cells}
    for cell in cells:
        assert cell.control_id in ids
        if cell.template != "control":
            assert templates is None or cell.template in templates
            assert colours is None or {b.colour for b in cell.bindings} <= set(colours)
        assert subjects is None or {b.subject for b in cell.bindings} <= set(subjects)


def test_part_by_names():
    cells = make_grid(colours=["Grey", " blue "], subjects=["potato"], templates=["single"])
    assert [cell.id for cell in cells] == [
        "single/blue/potato", "single/gray/potato", "control/potato",
    ]  # fmt: skip
    scenes = make_grid("full", colours=["blue"], subjects=["potato"], templates=["distractor"])
    assert Counter(cell.template for cell in scenes) == {
        "plate": 4, "wall": 4, "frame": 4, "table": 4, "plate-plain": 1, "wall-plain": 1,
        "frame-plain": 1, "table-plain": 1, "control": 20,
    }  # fmt: skip


def test_own_words_make_the_preset_anew():
    teal = Colour("teal", (0, 128, 128))
    grid = build_grid("default", colours=[teal, "blue"], subjects=[Subject("dragon"), "potato"])
    singles = [cell.text for cell in grid if cell.template == "single"]
    assert singles == ["a teal dragon", "a teal potato", "a blue dragon", "a blue potato"]
    assert {one.name for one in grid.colours} == {"teal", "blue"}
    one = build_grid("quick", colours=[teal], subjects=[Subject("dragon")])
    assert {cell.template for cell in one} >= {"single", "control", "plate"}


def test_any_scenery():
    grid = build_grid("default", scenery=["red", "blue"])
    shades = {one.colour for cell in grid for one in cell.scenery}
    assert shades == {None, "red", "blue"}
    lone = build_grid("full", scenery=["red"], colours=["red"], subjects=["potato"])
    assert not any(one.colour for cell in lone for one in cell.scenery)


def test_manifest_tags():
    manifest = TrainingManifest({("blue", "potato"): 3}, {"potato": 3}, 3)
    tags = {cell.id: cell.tags for cell in make_grid(manifest=manifest)}
    assert "seen" in tags["single/blue/potato"]
    assert "novel" in tags["single/red/potato"]
    assert not tags["control/potato"] & {"seen", "novel"}
    assert build_grid().hash == build_grid(manifest=manifest).hash


@pytest.mark.parametrize(
    ("options", "part", "kind"),
    [
        ({"preset": "defualt"}, "did you mean 'default'", "preset"),
        ({"colours": ["blu"]}, "did you mean 'blue'", "colour"),
        ({"colours": ["teal"]}, "grid file", "colour"),
        ({"subjects": ["potatoe"]}, "did you mean 'potato'", "subject"),
        ({"templates": ["plates"]}, "did you mean 'plate'", "template"),
        ({"preset": "pairs", "templates": ["plate"]}, "use preset full", "grid"),
        (
            {"preset": "quick", "colours": ["blue"], "templates": ["pair"], "subjects": ["egg"]},
            "nothing of preset quick",
            "grid",
        ),
        ({"colours": []}, "nothing of preset", "grid"),
        ({"subjects": [], "templates": ["single"]}, "nothing of preset", "grid"),
        ({"seeds": 0}, "seeds must be", "grid"),
        ({"seeds": True}, "seeds must be", "grid"),
        ({"scenery": []}, "scenery is empty", "colour"),
        ({"colours": ["\u202e" * 10_000]}, "unknown colour", "colour"),
    ],
)
def test_errors(options, part, kind):
    with pytest.raises(PromptError, match=part) as caught:
        build_grid(**options)
    assert caught.value.kind == kind
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 600


def test_grid_checks_its_cells():
    cells = GRIDS["quick"].cells
    with pytest.raises(PromptError, match="is empty"):
        Grid("none", ())
    with pytest.raises(PromptError, match="two cells"):
        Grid("twice", (*cells, cells[0]))
    with pytest.raises(PromptError, match="lacks control/"):
        Grid("bare", tuple(cell for cell in cells if cell.template != "control"))


def test_hash_is_of_what_is_asked():
    grid = GRIDS["quick"]
    assert Grid("other", grid.cells[::-1]).hash == grid.hash
    assert Grid("quick", grid.cells, 2).hash != grid.hash
    assert len(grid.samples()) == grid.images
    assert len({sample.id for sample in GRIDS["default"].samples()}) == GRIDS["default"].images


def test_presets_say_what_they_are():
    assert "150 cells" in PRESETS["quick"].summary
    assert "522 cells" in PRESETS["default"].summary
    assert len(GRIDS["default"]) == 522
    assert "110 pairs" in PRESETS["pairs"].summary
    assert sum(cell.template == "control" for cell in GRIDS["pairs"]) == 110
