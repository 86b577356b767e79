import json

import pytest

from prompts.colour_names import css_names, named_colour, parse_hex
from prompts.colours import COLOURS
from prompts.errors import PromptError
from prompts.gridfile import load_grid
from prompts.grids import make_grid


@pytest.fixture
def write(tmp_path):
    def write(text, name="own.toml"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


KITCHEN = """
name = "kitchen"
seeds = 3
templates = ["single", "plate", "pair", {name = "beach", text = "{subject} on the beach"}]
colours = ["Blue", "light blue", {name = "petrol", hex = "#005f6a"}]
scenery = ["white", "petrol"]
pairs = 2
prompts = ["a photo of a petrol dragon"]

[[subjects]]
name = "rice"
canonical = ["white"]
strong = true

[[subjects]]
name = "dragon"
canonical = "petrol"
"""


def test_toml(write):
    grid = load_grid(write(KITCHEN))
    cells = {cell.id: cell for cell in grid}
    assert (grid.name, grid.seeds) == ("kitchen", 3)
    assert cells["single/light-blue/rice"].text == "light blue rice"
    assert cells["beach/blue/dragon"].text == "a blue dragon on the beach"
    assert cells["control/beach/dragon"].text == "a dragon on the beach"
    assert cells["plate/blue/rice/petrol"].text == "blue rice on a petrol plate"
    assert "plate/petrol/rice/petrol" not in cells
    assert cells["single/petrol/dragon"].tags == {"single", "canonical"}
    assert "prompt/a-photo-of-a-petrol-dragon" in cells
    assert sum(cell.template == "pair" for cell in grid) == 4
    assert all(cell.control_id in cells for cell in grid)
    assert {one.name: one.srgb for one in grid.colours} == {
        "blue": COLOURS["blue"].srgb,
        "light blue": (173, 216, 230),
        "petrol": (0, 95, 106),
    }
    assert {one.name for one in grid.subjects} == {"rice", "dragon"}


def test_released_words_give_released_cells(write):
    grid = load_grid(write('colours = ["red", "grey"]\nsubjects = ["potato"]'))
    assert [cell.id for cell in grid] == [
        "single/red/potato",
        "single/gray/potato",
        "control/potato",
    ]
    assert set(grid.cells) <= set(make_grid("default"))


@pytest.mark.parametrize(
    ("text", "line", "part"),
    [
        ("", 0, "the grid is empty"),
        ("colours = []", 0, "the grid is empty"),
        ('colours = []\nsubjects = ["potato"]\ntemplates = ["pair"]', 0, "the grid is empty"),
        ("colours = [", 1, "not TOML"),
        ('seeds = 2\ncolors = ["red"]\ncolourz = 3', 3, "did you mean 'colours'"),
        ('seeds = 2\ncolours = ["red",\n "bleu"]', 3, "did you mean 'blue'"),
        ('colours = [{name = "x", hex = "#12"}]', 1, "expected a text such as"),
        ('colours = [{name = "x", hex = 12}]', 1, "expected a text such as"),
        ('colours = [{name = "x", hx = "#123456"}]', 1, "did you mean 'hex'"),
        ('colours = [{name = "red", hex = "#123456"}]', 1, "is a basic term"),
        ('colours = ["red", "Red"]', 1, "named twice"),
        ('colours = "red"', 1, "must be a list"),
        ("colours = [3]", 1, "texts and tables"),
        ('colours = [""]', 1, "is empty"),
        ('colours = ["\\u0007"]', 1, "control character"),
        ('colours = ["***"]', 1, "no letter"),
        ('colours = ["' + "x" * 10_000 + '"]', 1, "at most 100"),
        ('subjects = ["potato", "potato"]', 1, "named twice"),
        ('[[subjects]]\nname = "x"\nplurl = "y"', 2, "did you mean 'plural'"),
        ('[[subjects]]\nplural = "y"', 1, "needs the key name"),
        ('[[subjects]]\nname = "x"\narticle = "der"', 2, "expected one of auto"),
        ('[[subjects]]\nname = "x"\ncanonical = ["bleu"]', 2, "did you mean 'blue'"),
        ('[[subjects]]\nname = "x"\ncanonical = 3', 2, "must be a list"),
        ('[[subjects]]\nname = "x"\nstrong = 1', 2, "true or false"),
        ('subjects = ["cup"]\ntemplates = ["plates"]', 2, "did you mean 'plate'"),
        ('subjects = ["cup"]\ntemplates = [{name = "a", text = "b"}]', 2, "must hold {subject}"),
        ('subjects = ["cup"]\ntemplates = [{name = "pair", text = "b"}]', 2, "exists already"),
        ('subjects = ["cup"]\nseeds = 0', 2, "seeds must be"),
        ('subjects = ["cup"]\nseeds = "3"', 2, "seeds must be"),
        ('subjects = ["cup"]\ntemplates = ["pair"]\npairs = 0', 3, "pairs must be"),
        ('subjects = ["cup"]\ntemplates = ["plate"]\nscenery = ["whit"]', 3, "'white'"),
        ('prompts = ["a potato from mars"]', 1, "cannot tell what is asked"),
        ("a = " + "[" * 5000, 0, "not TOML"),
    ],
)
def test_toml_errors(write, text, line, part):
    path = write(text)
    with pytest.raises(PromptError) as caught:
        load_grid(path)
    message = str(caught.value)
    assert part in message
    assert "\n" not in message
    assert message.startswith(f"{path}:{line}: " if line else f"{path}")


LIST = """prompt,colour,subject,note
a photo of a blue potato,,,x
"a dragon that is teal, at night",teal,dragon,
a teal dragon,teal,dragon,
a mural of a shiny red apple,red,apple,
a potato,,,
a blue potato,blue,potato,
a blue potato,,,again
"""


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_csv(write, encoding, newline):
    grid = load_grid(write(LIST.replace("\n", newline).encode(encoding), "own.csv"))
    cells = {cell.text: cell for cell in grid}
    assert [cell.text for cell in grid][:6] == [
        "a photo of a blue potato", "a dragon that is teal, at night", "a teal dragon",
        "a mural of a shiny red apple", "a potato", "a blue potato",
    ]  # fmt: skip
    assert cells["a blue potato"].id == "single/blue/potato"
    assert cells["a teal dragon"].id == "single/teal/dragon"
    assert cells["a dragon, at night"].template == "control"
    assert cells["a dragon that is teal, at night"].control_id == cells["a dragon, at night"].id
    assert cells["a dragon"].id == "control/dragon"
    assert cells["a mural of a shiny apple"].template == "control"
    assert cells["a mural of a shiny red apple"].template == "single"
    assert {one.name: one.srgb for one in grid.colours}["teal"] == (0, 128, 128)


def test_jsonl_tsv_and_text(write):
    fields = {"text": "an ocher cup", "color": "ocher", "hex": "#cc7722", "subject": "cup"}
    rows = '"a blue potato"\n\n' + json.dumps(fields) + "\n"
    grid = load_grid(write(rows, "own.jsonl"))
    assert [cell.id for cell in grid][:2] == ["single/blue/potato", "single/ocher/cup"]
    assert grid.colours[-1].srgb == (204, 119, 34)
    tsv = load_grid(write("prompt\tcolour\na teal, cup\tteal\n".replace(",", ""), "own.tsv"))
    assert tsv.cells[0].id == "single/teal/cup"
    text = load_grid(write("a blue potato\n\n a red cup \n", "own.txt"), seeds=4)
    assert [cell.id for cell in text][:2] == ["single/blue/potato", "single/red/cup"]
    assert text.seeds == 4


@pytest.mark.parametrize(
    ("name", "text", "line", "part"),
    [
        ("a.csv", "", 0, "the grid is empty"),
        ("a.csv", "prompt\n", 0, "the grid is empty"),
        ("a.csv", "promt,colour\nx,red\n", 1, "no prompt among"),
        ("a.csv", "prompt,colur\nx,red\n", 1, "did you mean 'colour'"),
        ("a.csv", "prompt\na blue cup\na thing\n", 3, "cannot tell what is asked"),
        ("a.csv", "prompt\na blue, round cup\n", 2, "quote a prompt"),
        ("a.csv", 'prompt\n"a blue\n', 2, "not CSV"),
        ("a.csv", "prompt,colour,subject\na red cup,blue,cup\n", 2, "its fields for 'blue cup'"),
        ("a.csv", "prompt,subject\na thing at night,cup\n", 2, "cannot tell what is asked"),
        ("a.csv", "prompt,colour\na reddish thing,red\n", 2, "without a subject"),
        ("a.csv", "prompt,colour,subject\na zorbish cup,zorbish,cup\n", 2, "add hex"),
        ("a.csv", "prompt,hex\na zorbish cup,#ff0000\n", 2, "without a colour"),
        ("a.csv", "prompt,colour\n,red\n", 2, "the prompt is empty"),
        ("a.csv", "prompt\n" + "blue " * 1000, 2, "is said of no noun"),
        ("a.jsonl", '{"prompt": "a red cup"}\n{', 2, "not JSON"),
        ("a.jsonl", "[" * 100_000, 1, "not JSON"),
        ("a.jsonl", '{"prompt": 3}', 1, "must be a text"),
        ("a.jsonl", "[1]", 1, "expected a JSON object"),
        ("a.jsonl", '{"promt": "x"}', 1, "no prompt among"),
        ("a.txt", "\n\n", 0, "the grid is empty"),
        ("a.json", "[]", 0, "the grid is empty"),
        ("a.yaml", "[]", 0, "ends in .toml"),
        ("a.csv", b"prompt\n\xff\xfe", 0, "not UTF-8"),
    ],
)
def test_list_errors(write, name, text, line, part):
    path = write(text, name)
    with pytest.raises(PromptError) as caught:
        load_grid(path)
    message = str(caught.value)
    assert part in message
    assert message.startswith(f"{path}:{line}: " if line else f"{path}")


def test_one_colour_has_one_prototype(write):
    rows = (
        "prompt,colour,subject,hex\na petrol cup,petrol,cup,#005f6a\n"
        "a petrol hat,petrol,hat,#000000\n"
    )
    with pytest.raises(PromptError, match="is #000000 here and #005f6a before"):
        load_grid(write(rows, "a.csv"))


def test_missing_file_and_folder(tmp_path):
    for path in (tmp_path / "none.toml", tmp_path):
        with pytest.raises(PromptError, match=str(path)):
            load_grid(path)


def test_part(write):
    path = write(KITCHEN)
    grid = load_grid(path, colours=["Petrol"], subjects=["dragon"], templates=["single", "beach"])
    assert [cell.id for cell in grid] == [
        "single/petrol/dragon",
        "control/dragon",
        "beach/petrol/dragon",
        "control/beach/dragon",
        "prompt/a-photo-of-a-petrol-dragon",
        "prompt/a-photo-of-a-dragon",
    ]
    with pytest.raises(PromptError, match="did you mean 'petrol'"):
        load_grid(path, colours=["petrl"])
    with pytest.raises(PromptError, match="unknown subject"):
        load_grid(path, subjects=["potato"])


def test_right_to_left_and_quotes(write):
    quoted = {"prompt": 'a red "toy" cup', "colour": "red", "subject": "cup"}
    rows = json.dumps({"prompt": "a blue תפוח"}) + "\n" + json.dumps(quoted)
    grid = load_grid(write(rows, "a.jsonl"))
    assert grid.cells[0].bindings[0].subject == "תפוח"
    assert grid.cells[1].bindings[0].subject == "cup"
    assert len({cell.id for cell in grid}) == len(grid)


def test_css():
    assert len(css_names()) == 141
    assert named_colour("Rebecca Purple") == (0x66, 0x33, 0x99)
    assert named_colour("DarkSlateGrey") == named_colour("dark slate gray") == (47, 79, 79)
    assert named_colour("ocher") == (0xBF, 0x9B, 0x0C)
    assert named_colour("zorbish") is None
    assert parse_hex("#0F8") == (0, 255, 136)
    assert parse_hex("005f6a") == (0, 95, 106)
    for bad in ("", "#", "#12", "#12345", "#12345g", "#-12345", "０００", "1 2"):
        assert parse_hex(bad) is None
