import gzip
import json
import tracemalloc
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prompts.caption_files import read_jsonl_captions, read_text_captions
from prompts.captions import CaptionCounter, count_captions
from prompts.colours import BASIC, Colour
from prompts.errors import PromptError
from prompts.grids import make_grid
from prompts.subjects import SUBJECT_LIST, SUBJECTS, Subject


def found(caption, **options):
    manifest = count_captions([caption], **options)
    return sorted(f"{colour} {subject}" for colour, subject in manifest.pairs)


@pytest.mark.parametrize(
    ("caption", "pairs"),
    [
        ("a blue potato", "blue potato"),
        ("A BLUE, POTATO", ""),
        ("A Photo Of BLUE POTATOES!", "blue potato"),
        ("a blue ceramic cup", "blue cup"),
        ("a blue big old ceramic cup", "blue cup"),
        ("a blue big old hand made cup", ""),
        ("a blue big old cup", "blue cup"),
        ("a red apple and a blue cup", "blue cup|red apple"),
        ("a blue plate with an egg", ""),
        ("an egg on a blue plate", ""),
        ("a grey elephant", "gray elephant"),
        ("two gray elephants and a GREY car", "gray car|gray elephant"),
        ("blue and white cup", "blue cup|white cup"),
        ("red, green and yellow balloons", "green balloon|red balloon|yellow balloon"),
        ("an orange", ""),
        ("an orange orange", "orange orange"),
        ("oranges", ""),
        ("an orange car", "orange car"),
        ("an orange plastic bucket", "orange bucket"),
        ("a red orange", "red orange"),
        ("orange juice in a white cup", "white cup"),
        ("an orange and a blue cup", "blue cup"),
        ("an orange and blue cup", "blue cup|orange cup"),
        ("an apple, an orange", ""),
        ("orange", ""),
        ("a green apple pie", ""),
        ("a red car door", ""),
        ("the car's red door", ""),
        ("a brown egg sandwich", "brown sandwich"),
        ("a red-haired pig", ""),
        ("a blue-colored cup", "blue cup"),
        ("a blue-green cup", ""),
        ("the cup is blue", "blue cup"),
        ("a cup that is dark blue", "blue cup"),
        ("a car painted red", "red car"),
        ("the cup is on a blue table", ""),
        ("blue boys eating tacos", ""),
        ("white elephants stand in a field", "white elephant"),
        ("a “blue” potato", ""),
        ("a “blue potato”", ""),
        ("blue_potato", "blue potato"),
        ("blue/potato", ""),
        ("blueish potato", ""),
        ("skyblue potato", ""),
        ("a potatoes' blue", ""),
        ("a red guinea pig", ""),
        ("blue potato blue potato", "blue potato"),
        ("", ""),
        ("\u202ea blue potato\u202c", "blue potato"),
        ("תפוח כחול", ""),
        ("a blue\npotato", "blue potato"),
        ("potato", ""),
        ("blue", ""),
    ],
)
def test_rule(caption, pairs):
    assert found(caption) == sorted(filter(None, pairs.split("|")))


def test_bare_subjects_and_captions_are_counted():
    manifest = count_captions(["a cup", "blue cups", "an apple pie", "nothing", "a cup, a cup"])
    assert manifest.subjects == {"cup": 3}
    assert manifest.pairs == {("blue", "cup"): 1}
    assert manifest.captions == 5


def test_every_prompt_of_the_default_grid_is_counted_as_it_asks():
    for cell in make_grid("default"):
        manifest = count_captions([cell.text])
        asked = {(one.colour, one.subject) for one in cell.bindings if one.colour}
        assert set(manifest.pairs) == asked, cell.text
        assert set(manifest.subjects) == {one.subject for one in cell.bindings}


def test_words_of_a_users_own():
    colours = [*BASIC, Colour("sky blue", (1, 2, 3)), Colour("slate grey", (1, 2, 3))]
    subjects = [Subject("fire hydrant"), Subject("x-ray"), Subject("cup"), SUBJECTS["orange"],
                Subject("薯"), Subject("jack-o'-lantern"), Subject("rose")]  # fmt: skip
    words = {"colours": [*colours, Colour("rose", (255, 0, 127))], "subjects": subjects}
    assert found("two sky blue fire hydrants", **words) == ["sky blue fire hydrant"]
    assert found("a blue hydrant", **words) == []
    assert found("a blue x-ray", **words) == ["blue x-ray"]
    assert found("a slate grey cup", **words) == ["slate grey cup"]
    assert found("a blue 薯", **words) == ["blue 薯"]
    assert found("a blue jack-o'-lantern", **words) == ["blue jack-o'-lantern"]
    assert found("a rose cup and a red rose", **words) == ["red rose", "rose cup"]


vocabulary = st.sampled_from(
    "a an the blue orange grey potato potatoes orange oranges cup and or of , . - ' is that with "
    "blue-green x-ray apple pie sky shiny \u2019 “ é 薯 \u202e car's eating".split()
)


@given(st.lists(vocabulary, max_size=12).map(" ".join) | st.text(max_size=60))
def test_any_caption(caption):
    counter = CaptionCounter()
    counter.add(caption)
    manifest = counter.manifest()
    assert manifest.captions == 1
    assert {subject for _, subject in manifest.pairs} <= set(manifest.subjects)
    # The quick look at a caption must not miss what reading it would find.
    pairs, subjects = counter._read(caption)
    assert (set(manifest.pairs), set(manifest.subjects)) == (pairs, subjects)


@given(st.lists(vocabulary, max_size=8).map(" ".join))
def test_case_does_not_matter(caption):
    assert count_captions([caption.upper()]).pairs == count_captions([caption]).pairs


def test_memory_is_bounded():
    captions = (f"a blue potato number {k} and some word{k}" for k in range(5_500))
    # What is kept once, whatever comes.
    count_captions(islice(captions, 500))
    tracemalloc.start()
    count_captions(captions)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # Thirty bytes of each caption, and less than its text has.
    assert peak < 150_000


def test_text_file(tmp_path):
    path = tmp_path / "c.txt"
    path.write_bytes("\ufeffa blue cup\r\n\r\n  \na r\u00e9d cup\n".encode() + b"bad \xff byte")
    assert [line.strip() for line in read_text_captions(path)] == [
        "a blue cup",
        "a réd cup",
        "bad \ufffd byte",
    ]
    with gzip.open(tmp_path / "c.txt.gz", "wt") as file:
        file.write("a blue cup\n")
    assert list(read_text_captions(tmp_path / "c.txt.gz")) == ["a blue cup\n"]


def test_one_endless_line_stays_bounded(tmp_path):
    path = tmp_path / "c.txt"
    path.write_text("blue potato " * 400_000)
    tracemalloc.start()
    pieces = sum(1 for _ in read_text_captions(path))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert pieces == 5
    assert peak < 12_000_000


def test_jsonl_file(tmp_path):
    path = tmp_path / "c.jsonl"
    rows = [{"id": 1, "text": "a blue cup"}, {"text": None}, {"text": "a cup"}]
    path.write_text("\n\n".join(map(json.dumps, rows)))
    assert list(read_jsonl_captions(path)) == ["a blue cup", "a cup"]
    assert list(read_jsonl_captions(path, "text")) == ["a blue cup", "a cup"]


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ('{"caption": "x"}\n{"caption"', "c.jsonl:2: not JSON"),
        ('{"captoin": "x"}', "c.jsonl:1: no caption among 'captoin'"),
        ('{"caption": "x"}\n{"captoin": "x"}', "did you mean 'captoin'"),
        ('{"caption": 3}', "must be a text"),
        ("[1]", "expected a JSON object"),
    ],
)
def test_jsonl_errors(tmp_path, text, part):
    path = tmp_path / "c.jsonl"
    path.write_text(text)
    with pytest.raises(PromptError, match=part):
        list(read_jsonl_captions(path))


def test_missing_file(tmp_path):
    with pytest.raises(PromptError, match="cannot read"):
        list(read_text_captions(tmp_path / "none.txt"))


def test_vocabulary_is_found_in_singular_and_plural():
    for subject in SUBJECT_LIST:
        assert found(f"some blue {subject.plural}") == [f"blue {subject.name}"]
