"""The one reader of tables: every encoding and delimiter gives the same rows."""

import csv
import gzip
import io
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prompts.errors import PromptError
from prompts.tables import LONGEST_LINE, guarded, read_table, unguarded

ROWS = [
    {"path": "a;b.png", "prompt": "a red, round cup"},
    {"path": "b.png", "prompt": 'a "blue" café\nat night'},
]


def rows(path, kind=""):
    return [row for _, row in read_table(path, kind)]


def written(delimiter):
    file = io.StringIO(newline="")
    writer = csv.DictWriter(file, list(ROWS[0]), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(ROWS)
    return file.getvalue()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_encodings_and_delimiters(encoding, delimiter, tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(written(delimiter).encode(encoding))
    assert rows(path) == ROWS
    with gzip.open(tmp_path / "t.csv.gz", "wb") as file:
        file.write(written(delimiter).encode(encoding))
    assert rows(tmp_path / "t.csv.gz") == ROWS


def test_line_of_the_separator_is_no_header(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("sep=;\n\na;b\n1,5;2\n")
    assert [(str(place), row) for place, row in read_table(path)] == [
        (f"{path}:4", {"a": "1,5", "b": "2"})
    ]


DOCUMENTS = {
    "list": [{"file_name": "a.png", "prompt": "a red cup"}],
    "list within": {"version": 2, "images": [{"file_name": "a.png", "prompt": "a red cup"}]},
    "prompt to path": {"a red cup": "a.png"},
    "prompt to paths": {"a red cup": ["a.png"]},
    "path to prompt": {"a.png": "a red cup"},
    "path to object": {"a.png": {"prompt": "a red cup"}},
    "prompt to object": {"a red cup": {"file_name": "a.png"}},
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_documents(name, tmp_path):
    path = tmp_path / "t.json"
    path.write_text(json.dumps(DOCUMENTS[name]))
    assert rows(path) == DOCUMENTS["list"]


def test_lines_under_the_ending_of_a_document(tmp_path):
    path = tmp_path / "t.json"
    path.write_text('{"prompt": "a"}\n\n{"prompt": "b"}\n')
    assert [row["prompt"] for row in rows(path)] == ["a", "b"]
    assert rows(path, ".jsonl") == rows(path)


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("t.csv", b"a,a\n1,2\n", r"t\.csv:1: two columns are called 'a'"),
        ("t.csv", b"a,b\n1,2,3\n", r"t\.csv:2: 3 fields under 2 columns"),
        ("t.csv", b"a\ncaf\xe9\n", "byte 5 is not UTF-8"),
        ("t.csv", b"\xff\xfea\0,\0\n", "not UTF-8|truncated"),
        ("t.csv", b"a" * (LONGEST_LINE + 1), "a line of more than"),
        ("t.csv.gz", b"no gzip", "cannot read"),
        ("t.csv.gz", gzip.compress(b"a,b\n1,2\n" * 99, mtime=0)[:-9], "cannot read"),
        ("t.json", b"[1]", r"t\.json entry 1: expected a JSON object"),
        ("t.json", b'{"a.png": 3}', "entry 'a.png': expected a text or an object"),
        ("t.json", b"3", "expected a JSON object"),
        ("t.json", b"[" * 100_000, "not JSON"),
    ],
)
def test_damaged_tables_are_one_line(name, data, words, tmp_path):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(PromptError, match=words) as caught:
        rows(tmp_path / name)
    assert "\n" not in str(caught.value)


@given(st.text())
def test_guard_is_undone_by_the_reader(text):
    kept = guarded(text)
    assert not re.match(r"[=@\t\r]|[+-](?!\s*[\d.]|inf|nan)", kept, re.IGNORECASE)
    assert unguarded(kept) == (text if kept != text else unguarded(text))


@pytest.mark.parametrize(
    ("text", "kept"),
    [("-1.5", "-1.5"), ("+3e-2", "+3e-2"), ("-1+cmd", "'-1+cmd"), ("=1", "'=1"), (-3, -3)],
)
def test_a_number_is_no_formula(text, kept):
    assert guarded(text) == kept


def test_guarded_fields_are_read_as_they_were(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("prompt,n\n'=1+1 a cup,-3\n'tis a cup,'\n")
    assert rows(path) == [{"prompt": "=1+1 a cup", "n": "-3"}, {"prompt": "'tis a cup", "n": "'"}]
