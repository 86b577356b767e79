"""What the fields of a row and its prompt say together, and what the control of it is."""

import json

import pytest

from prompts import prompt_list
from prompts.cells import NO_CONTROL
from prompts.errors import PromptError
from prompts.gridfile import load_grid
from prompts.noun_phrases import Words
from prompts.prompt_list import make_row, read_list, read_rows, row_cells
from prompts.source_location import Place
from prompts.subjects import SUBJECTS, Subject


def asked(**fields):
    """Bindings of a row, the text of its control, and whether it has one."""
    row = make_row(fields, Place("l.csv", 2))
    names = {name: Subject(name) for _, name in row.asked if name}
    colours = [shade.name for shade, _ in row.asked if shade]
    cell, control = row_cells(row, Words(colours, {**SUBJECTS, **names}))
    assert (control is None) == (cell.control_id == NO_CONTROL)
    bindings = [(one.colour, one.subject) for one in cell.bindings]
    return bindings, control.text if control else None


def include(*pairs, count=1):
    return [{"class": thing, "count": count, "color": colour} for colour, thing in pairs]


RED_CUP = [("red", "cup")]


@pytest.mark.parametrize(
    "fields",
    [
        {"color": "CMYK", "subject": "Re: your order"},
        {"color": "sRGB"},
        {"color": 3, "subject": ["x"]},
        {"subject": "patient 12"},
        {"object": "https://example.org/7", "colour": ""},
        {"color": "gray", "subject": "studio 5"},
        {"colour": "red", "subject": ""},
        {"colour": "RED", "object": "cup"},
    ],
)
def test_fields_of_another_meaning_do_not_hide_a_prompt(fields):
    assert asked(prompt="a red cup", **fields) == (RED_CUP, "a cup")


@pytest.mark.parametrize(
    ("prompt", "control"),
    [
        ("eine rote Tasse auf dem Tisch", None),
        ("The mug glows in the tone of ripe cherries.", None),
        ("Steam rises; the cup, glazed in a red tone, stands still.",
         "Steam rises; the cup, glazed in a tone, stands still."),
        ("still life of a red porcelain cup, by night",
         "still life of a porcelain cup, by night"),
    ],
)  # fmt: skip
def test_fields_decide_and_the_control_is_the_text_without_the_colour(prompt, control):
    found, without = asked(prompt=prompt, colour="red", subject="cup")
    assert found == RED_CUP
    assert without == control
    assert asked(prompt=prompt, tag="colors", include=include(("red", "cup")))[0] == RED_CUP


def test_include_is_believed_against_the_prompt():
    found, _ = asked(prompt="a red cup", include=include(("blue", "hair drier")))
    assert found == [("blue", "hair drier")]
    two = include(("blue", "cup"), ("red", "bench"))
    assert asked(prompt="two things", include=two)[0] == [("blue", "cup"), ("red", "bench")]
    assert asked(prompt="x y", include=[{"class": "cup"}])[0] == [(None, "cup")]
    several = include(("red", "cup"), count=3)
    assert asked(prompt="a blue cup", include=several)[0] == [("blue", "cup")]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"prompt": "a red cup", "colour": "blue", "subject": "cup"}, "its fields for 'blue cup'"),
        ({"prompt": "a castle", "subject": "Re: order"}, "cannot tell what is asked"),
        ({"prompt": "a castle", "color": "RGB", "subject": "castle"}, "'RGB' is neither"),
        ({"prompt": "a castle", "color": "red"}, "'red' without a subject"),
        ({"prompt": "x", "tag": "counting", "include": include(("red", "cup"))}, "no colour"),
        ({"prompt": ["a", "b"]}, "prompt must be a text"),
    ],
)
def test_what_is_not_known_is_refused(fields, words):
    with pytest.raises(PromptError, match=words) as caught:
        asked(**fields)
    assert str(caught.value).startswith("l.csv:2: ")


def test_columns_of_gencolorbench():
    single = asked(prompt="A photo of a Pink tie.", color="Pink", object="tie")
    assert single[0] == [("pink", "tie")]
    scene = asked(
        prompt="A Blue kite in a clear sky.", color="Blue", main_obj="kite", sec_obj="sky"
    )
    assert scene[0] == [("blue", "kite")]
    pair = asked(
        prompt="A Red sofa beside a Olive lamp.",
        **{"object1": "sofa", "color1": "Red", "object2": "lamp", "color2": "Olive"},
        **{"object3": "", "color3": ""},
    )
    assert [colour.lower() for colour, _ in pair[0]] == ["red", "olive"]


def test_lists_go_on_where_a_prompt_is_not_read(tmp_path):
    path = tmp_path / "m.jsonl"
    rows = [
        {"tag": "single_object", "include": [{"class": "bowl"}], "prompt": "a photo of a bowl"},
        {"tag": "counting", "include": include(("red", "cup"), count=2), "prompt": "two red cups"},
        {"tag": "colors", "include": include(("green", "bowl")), "prompt": "Its glaze is green."},
        {"prompt": "a castle by the sea"},
    ]
    path.write_text("\n".join(map(json.dumps, rows)))
    with pytest.raises(PromptError, match=r"m\.jsonl:2: GenEval's task"):
        read_list(path)
    grid = load_grid(path, strict=False)
    assert [line.split(": ", 1)[0] for line in grid.skipped] == [f"{path}:2", f"{path}:4"]
    assert {cell.text for cell in grid} >= {"a photo of a bowl", "Its glaze is green."}
    assert grid.hash == load_grid(path, strict=False, seeds=1).hash
    path.write_text(json.dumps(rows[1]))
    with pytest.raises(PromptError, match="the grid is empty.*1 are not read: .*counting"):
        load_grid(path, strict=False)


def test_seeds_of_a_cell_without_a_control_are_its_own():
    rows = [
        make_row({"prompt": text, "colour": "red", "subject": "cup"}, Place("l", 1))
        for text in ("eine Tasse in Rot", "une tasse rouge")
    ]
    first, second = read_rows(rows).cells
    from prompts.cells import Sample

    assert Sample(first, 0).seed != Sample(second, 0).seed


def test_a_misspelt_column_is_told_where_the_columns_stand(tmp_path):
    path = tmp_path / "m.csv"
    path.write_text("sep=;\n\nprompt;colour;subjct\na red cup;red;cup\n")
    with pytest.raises(PromptError, match=r"m\.csv:3: unknown key 'subjct'.*'subject'"):
        read_list(path)
    path = tmp_path / "m.jsonl"
    path.write_text('{"prompt": "a red cup"}\n{"prompt": "a red cup", "subjct": "cup"}\n')
    with pytest.raises(PromptError, match=r"m\.jsonl:2: unknown key 'subjct'"):
        read_list(path)


def test_a_prompt_on_many_rows_is_read_once(tmp_path, monkeypatch):
    path = tmp_path / "rows.txt"
    path.write_text("a blue cup\na red cup by a window\n" * 50, encoding="utf-8")
    read, texts = prompt_list.row_cells, []

    def counted(row, words):
        texts.append(row.prompt)
        return read(row, words)

    monkeypatch.setattr(prompt_list, "row_cells", counted)
    found = read_list(path)
    assert len(texts) == 2
    assert len(found.cells) == 102
    assert len({cell.id for cell in found.cells}) == 4
