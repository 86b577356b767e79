import pytest
from hypothesis import given
from hypothesis import strategies as st

from prompts.cells import Binding
from prompts.colours import BASIC, COLOUR_NAMES, Colour
from prompts.lab import delta_e, srgb_to_lab
from prompts.manifest import TrainingManifest
from prompts.subjects import SUBJECT_LIST, SUBJECTS, Subject
from prompts.tags import CANONICITY, anti_canonical_colours, canonicity, tag_cell, tag_familiarity
from prompts.templates import make_cell


@pytest.mark.parametrize(
    ("srgb", "lab"),
    [
        ((255, 255, 255), (100.0, 0.0, 0.0)),
        ((0, 0, 0), (0.0, 0.0, 0.0)),
        ((255, 0, 0), (53.24, 80.09, 67.20)),
        ((0, 255, 0), (87.73, -86.18, 83.18)),
        ((0, 0, 255), (32.30, 79.19, -107.86)),
        ((119, 119, 119), (50.03, 0.0, 0.0)),
    ],
)
def test_lab_of_known_colours(srgb, lab):
    assert srgb_to_lab(srgb) == pytest.approx(lab, abs=0.03)


def test_delta_e_is_a_distance():
    assert delta_e((1, 2, 3), (1, 2, 3)) == 0
    assert delta_e((255, 255, 255), (0, 0, 0)) == pytest.approx(100, abs=0.01)


def test_lab_is_that_of_scikit_image():
    color = pytest.importorskip("skimage.color")
    for colour in BASIC:
        expected = color.rgb2lab([[[part / 255 for part in colour.srgb]]])[0][0]
        assert srgb_to_lab(colour.srgb) == pytest.approx(list(expected), abs=0.02)


def test_every_colour_is_canonical_for_a_subject():
    assert {name for one in SUBJECT_LIST for name in one.canonical} == set(COLOUR_NAMES)


def test_known_anti_canonical_colours():
    assert anti_canonical_colours(SUBJECTS["banana"]) == ("blue", "purple", "black")
    assert "blue" in anti_canonical_colours(SUBJECTS["potato"])
    assert "blue" in anti_canonical_colours(SUBJECTS["carrot"])
    assert anti_canonical_colours(SUBJECTS["car"]) == ()


@pytest.mark.parametrize("subject", SUBJECT_LIST, ids=lambda one: one.name)
def test_definition(subject):
    tags = {name: canonicity(name, subject) for name in COLOUR_NAMES}
    assert {name for name in tags if tags[name] == "canonical"} == set(subject.canonical)
    far = [name for name in tags if tags[name] == "anti-canonical"]
    if not subject.strong:
        assert far == []
        return
    assert len(far) == 3
    by_name = {one.name: one for one in BASIC}

    def distance(name):
        return min(delta_e(by_name[name].srgb, by_name[k].srgb) for k in subject.canonical)

    assert min(map(distance, far)) >= max(distance(n) for n in tags if n not in far)


def test_words_of_a_users_own():
    dragon = Subject("dragon", ("petrol",), strong=True)
    colours = {"petrol": Colour("petrol", (0, 95, 106)), "mint": Colour("mint", (255, 60, 0))}
    assert canonicity("petrol", dragon, colours) == "canonical"
    assert canonicity("mint", dragon, colours) == "anti-canonical"
    assert canonicity("mint", dragon) == "uncanonical"
    assert canonicity("blue", Subject("dragon"), colours) is None


def tags_of(*bindings, manifest=None):
    template = "pair" if len(bindings) == 2 else "single"
    return tag_cell(make_cell(template, [Binding(*one) for one in bindings]), manifest).tags


def test_a_cell_is_as_hard_as_its_hardest_binding():
    assert tags_of(("brown", "potato")) == {"single", "canonical"}
    assert tags_of(("red", "apple"), ("white", "cup")) == {"pair", "canonical"}
    assert tags_of(("red", "apple"), ("blue", "cup")) == {"pair", "uncanonical"}
    assert tags_of(("blue", "banana"), ("white", "cup")) == {"pair", "anti-canonical"}
    manifest = TrainingManifest({("red", "apple"): 1}, {}, 1)
    assert "seen" in tags_of(("red", "apple"), manifest=manifest)
    assert "novel" in tags_of(("red", "apple"), ("blue", "cup"), manifest=manifest)


def test_familiarity_leaves_the_other_tags_and_forgets_an_older_manifest():
    manifest = TrainingManifest({("blue", "potato"): 1}, {}, 1)
    for asked in (("blue", "potato"), (None, "potato")):
        template = "single" if asked[0] else "control"
        cell = tag_cell(make_cell(template, [Binding(*asked)]))
        seen = tag_familiarity(cell, manifest)
        assert seen.tags == cell.tags | ({"seen"} if asked[0] else set())
        novel = tag_familiarity(seen, TrainingManifest())
        assert novel.tags == cell.tags | ({"novel"} if asked[0] else set())


def test_tagging_again_forgets_the_manifest():
    cell = tag_cell(make_cell("single", [Binding("blue", "potato")]), TrainingManifest())
    assert "novel" in cell.tags
    assert "novel" not in tag_cell(cell).tags


@given(st.sampled_from(COLOUR_NAMES), st.sampled_from(SUBJECT_LIST))
def test_exactly_one_tag(colour, subject):
    tags = tag_cell(make_cell("single", [Binding(colour, subject.name)])).tags
    assert len(tags & set(CANONICITY)) == 1
