import pytest
from hypothesis import given
from hypothesis import strategies as st

from prompts.cells import Binding
from prompts.errors import PromptError
from prompts.templates import TEMPLATE_NAMES, TEMPLATES, Template, find_template, make_cell

ONE = [Binding("blue", "potato")]
TWO = [Binding("red", "apple"), Binding("blue", "cup")]


@pytest.mark.parametrize(
    ("template", "bindings", "scenery", "text", "cell_id", "control_id"),
    [
        ("single", ONE, None, "a blue potato", "single/blue/potato", "control/potato"),
        ("control", [Binding(None, "potato")], None, "a potato", "control/potato",
         "control/potato"),
        ("plate", ONE, "white", "a blue potato on a white plate", "plate/blue/potato/white",
         "control/plate/potato/white"),
        ("wall", ONE, "white", "a blue potato in front of a white wall", "wall/blue/potato/white",
         "control/wall/potato/white"),
        ("frame", ONE, "white", "a blue potato in a white picture frame",
         "frame/blue/potato/white", "control/frame/potato/white"),
        ("table", ONE, "white", "a blue potato on a white table", "table/blue/potato/white",
         "control/table/potato/white"),
        ("plate-plain", ONE, None, "a blue potato on a plate", "plate-plain/blue/potato",
         "control/plate-plain/potato"),
        ("wall-plain", ONE, None, "a blue potato in front of a wall", "wall-plain/blue/potato",
         "control/wall-plain/potato"),
        ("frame-plain", ONE, None, "a blue potato in a picture frame", "frame-plain/blue/potato",
         "control/frame-plain/potato"),
        ("table-plain", ONE, None, "a blue potato on a table", "table-plain/blue/potato",
         "control/table-plain/potato"),
        ("pair", TWO, None, "a red apple and a blue cup", "pair/red/apple/blue/cup",
         "control/pair/apple/cup"),
        ("pair", [Binding(None, "apple"), Binding(None, "cup")], None, "an apple and a cup",
         "control/pair/apple/cup", "control/pair/apple/cup"),
        ("plate", [Binding(None, "potato")], "white", "a potato on a white plate",
         "control/plate/potato/white", "control/plate/potato/white"),
        ("wall", ONE, "orange", "a blue potato in front of an orange wall",
         "wall/blue/potato/orange", "control/wall/potato/orange"),
    ],
)  # fmt: skip
def test_texts_and_ids(template, bindings, scenery, text, cell_id, control_id):
    cell = make_cell(template, bindings, scenery)
    assert (cell.text, cell.id, cell.control_id) == (text, cell_id, control_id)
    is_control = cell_id == control_id
    assert cell.template == ("control" if is_control else template)
    assert cell.tags == {"control" if is_control else TEMPLATES[template].kind}
    noun = TEMPLATES[template].scenery
    assert cell.scenery == ((Binding(scenery, noun),) if noun else ())
    assert cell.bindings == tuple(bindings)


@pytest.mark.parametrize(
    ("template", "bindings", "scenery", "part"),
    [
        ("plates", ONE, "white", "did you mean 'plate'"),
        ("plate", ONE, None, "plate-plain"),
        ("plate", ONE, "blue", "also asked for"),
        ("single", ONE, "white", "takes no scenery colour"),
        ("single", TWO, None, "takes 1"),
        ("pair", ONE, None, "takes 2"),
        ("control", ONE, None, "use single"),
        ("single", [], None, "got 0"),
    ],
)
def test_errors(template, bindings, scenery, part):
    with pytest.raises(PromptError, match=part) as caught:
        make_cell(template, bindings, scenery)
    assert "\n" not in str(caught.value)
    assert caught.value.kind in ("template", "colour")


def test_names():
    assert find_template("pair").kind == "pair"
    assert len(TEMPLATE_NAMES) == 11


words = st.text(
    st.characters(blacklist_categories=("Cs", "Cc")), min_size=1, max_size=40
) | st.sampled_from(["{it}", "{scenery}", "{other}", "\\1", "{", "%s", "control", "-", "pair"])


@given(words, words, words, words)
def test_ids_are_one_to_one(a, b, c, d):
    cells = [
        make_cell("pair", [Binding(a, b), Binding(c, d)]),
        make_cell("single", [Binding(a, b)]),
        make_cell("control", [Binding(None, b)]),
        make_cell("plate-plain", [Binding(a, b)]),
        make_cell("pair", [Binding(None, b), Binding(None, d)]),
        make_cell(Template("own", "single", "{it} today"), [Binding(a, b)]),
        make_cell(Template("own", "single", "{it} today"), [Binding(None, b)]),
    ]
    assert len({cell.id for cell in cells}) == len(cells)
    assert b in cells[1].text
    assert d in cells[0].text
