import pytest
from hypothesis import given
from hypothesis import strategies as st

from prompts.cells import Binding
from prompts.colours import COLOUR_NAMES
from prompts.grids import PRESET_NAMES, make_grid
from prompts.manifest import TrainingManifest
from prompts.noun_phrases import Words
from prompts.parse import parse, read
from prompts.subjects import SUBJECT_LIST, Subject


@pytest.mark.parametrize("preset", PRESET_NAMES)
def test_released_texts_are_their_cells(preset):
    for cell in make_grid(preset):
        assert parse(cell.text) == cell


def asked(cell):
    return [(one.colour, one.subject) for one in cell.bindings]


@pytest.mark.parametrize(
    ("text", "template", "bindings"),
    [
        ("A photo of a blue potato.", "single", [("blue", "potato")]),
        ("a photo of a red apple and a blue cup", "pair", [("red", "apple"), ("blue", "cup")]),
        ("The red apple and the blue cup", "pair", [("red", "apple"), ("blue", "cup")]),
        ("a red apple, and a blue cup", "pair", [("red", "apple"), ("blue", "cup")]),
        ("grey elephants", "single", [("gray", "elephant")]),
        ("two blue potatoes", "single", [("blue", "potato")]),
        ("an image of an orange", "control", [(None, "orange")]),
        ("an orange orange", "single", [("orange", "orange")]),
        ("a photo of an orange cup", "single", [("orange", "cup")]),
        ("a photo of an apple and a cup", "control", [(None, "apple"), (None, "cup")]),
        ("a red apple and a cup", "pair", [("red", "apple"), (None, "cup")]),
        ("a green hot dog", "single", [("green", "hot dog")]),
        ("a close-up photo of a blue x-ray", "single", [("blue", "x-ray")]),
        ("a blue potato against a white wall", "wall", [("blue", "potato")]),
        ("a blue potato on the plate", "plate-plain", [("blue", "potato")]),
        ("a blue potato in a black frame", "frame", [("blue", "potato")]),
        ("a photo of a potato on a blue plate", "control", [(None, "potato")]),
        ("a blue potato on a blue plate", "plate", [("blue", "potato")]),
        ("a blue plate on a table", "table-plain", [("blue", "plate")]),
        ("blue dogs", "single", [("blue", "dog")]),
        ("a blue bus", "single", [("blue", "bus")]),
        ("“a blue potato”", "single", [("blue", "potato")]),
        ("  a \t blue\npotato ", "single", [("blue", "potato")]),
        ("a blue תפוח", "single", [("blue", "תפוח")]),
        ("a photo of a purple wine glass and a black apple", "pair",
         [("purple", "wine glass"), ("black", "apple")]),
    ],
)  # fmt: skip
def test_read(text, template, bindings):
    cell = parse(text)
    assert cell.template == template
    assert asked(cell) == bindings


@pytest.mark.parametrize(
    "text",
    ["", " ", "blue", "a", "a blue", "a photo of", "a photo of a blue", "dragon", "a dragon",
     "a salmon potato", "a dog right of a teddy bear", "a blue and white cup", "a blue green cup",
     "a shiny potato", "a red cup and a blue cup", "blue potato blue a", "a red apple, a blue one",
     "no blue potato", "a blue ⁂", "and", "a and b", "a potato and a hat on a table",
     "a blue" * 10_000, "blue " + "x" * 10_000, "a " * 400, "\x00", "a blue and"],
)  # fmt: skip
def test_not_read(text):
    assert parse(text) is None


def test_released_form_in_any_dress_is_the_released_cell():
    for text in ("A Blue Potato", "a blue potato.", " a  blue potato ", '"a blue potato"'):
        assert parse(text).id == "single/blue/potato"
    assert parse("a grey cup").text == "a gray cup"


def test_other_wording_has_its_own_id_and_control():
    cell = parse("A photo of an orange potato")
    assert cell.id == "prompt/a-photo-of-an-orange-potato"
    assert cell.text == "A photo of an orange potato"
    assert cell.control_id == "prompt/a-photo-of-a-potato"
    assert parse("a photo of a potato").id == cell.control_id
    assert parse("orange potatoes").control_id == "prompt/potatoes"
    assert parse("a photo of an orange elephant").control_id == "prompt/a-photo-of-an-elephant"


def test_control_comes_with_the_cell():
    words = Words(("teal",), {"dragon": Subject("dragon")})
    cell, control = read("a photo of a teal dragon", words)
    assert (control.id, control.text) == (cell.control_id, "a photo of a dragon")
    cell, control = read("a teal dragon and a red wyvern", words)
    assert (control.id, control.text) == ("control/pair/dragon/wyvern", "a dragon and a wyvern")
    assert control.control_id == control.id


def test_words_of_the_caller():
    words = {"sky blue", "teal", "Slate Grey", "salmon"}
    assert asked(parse("a salmon potato", words)) == [("salmon", "potato")]
    assert asked(parse("a sky blue dragon", words)) == [("sky blue", "dragon")]
    assert asked(parse("a teal potato", words)) == [("teal", "potato")]
    assert asked(parse("a slate gray potato", words)) == [("Slate Grey", "potato")]
    assert asked(parse("a Sky Blue potato and a blue cup", words)) == [
        ("sky blue", "potato"),
        ("blue", "cup"),
    ]
    subjects = {"red panda": Subject("red panda"), "Ferrari": Subject("Ferrari")}
    assert asked(parse("a red panda", subjects=subjects)) == [(None, "red panda")]
    assert asked(parse("a blue red panda", subjects=subjects)) == [("blue", "red panda")]
    assert (
        parse("a blue Ferrari", subjects=subjects).id
        == parse("a blue ferrari", subjects=subjects).id
    )


def test_tags():
    assert parse("a photo of a blue banana").tags == {"single", "anti-canonical"}
    manifest = TrainingManifest({("blue", "banana"): 1})
    assert "seen" in parse("a blue banana", manifest=manifest).tags
    assert parse("a blue potato on a blue plate").scenery == (Binding("blue", "plate"),)


determiners = st.sampled_from(["a", "an", "the", "two", "some", ""])
leads = st.sampled_from(
    ["", "a photo of ", "An image of ", "a realistic picture of ", "photos of "]
)
colours = st.sampled_from(COLOUR_NAMES)
subjects = st.sampled_from(SUBJECT_LIST)


@given(leads, determiners, colours, subjects, st.booleans(), st.sampled_from(["", ".", "!", " "]))
def test_generated_prompts(lead, determiner, colour, subject, many, end):
    noun = subject.plural if many else subject.name
    cell = parse(f"{lead}{determiner} {colour} {noun}{end}")
    assert asked(cell) == [(colour, subject.name)]
    again = parse(cell.text)
    assert (again.id, again.bindings, again.control_id) == (
        cell.id, cell.bindings, cell.control_id
    )  # fmt: skip


@given(st.text(max_size=80))
def test_any_text(text):
    cell = parse(text)
    assert cell is None or cell.bindings


vocabulary = st.sampled_from(
    "a an blue orange potato cup on in front of plate wall and , frame picture photo the grey "
    "zebra two".split()
)


@given(st.lists(vocabulary, max_size=14))
def test_any_words(words):
    cell = parse(" ".join(words))
    if cell is not None:
        assert parse(cell.text) is not None
        assert cell.control_id
