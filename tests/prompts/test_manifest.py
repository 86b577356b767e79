import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prompts.errors import PromptError
from prompts.manifest import TrainingManifest

M = TrainingManifest({("blue", "cup"): 2, ("red", "apple"): 1}, {"cup": 3, "apple": 1}, 5)


def test_counts():
    assert M.count("blue", "cup") == 2
    assert M.count("green", "cup") == 0


def test_from_bindings():
    captions = [[("blue", "cup")], [(None, "cup")], [("blue", "cup"), ("red", "apple")], []]
    made = TrainingManifest.from_bindings(captions)
    assert made == TrainingManifest(
        {("blue", "cup"): 2, ("red", "apple"): 1}, {"cup": 3, "apple": 1}, 4
    )


def test_file_is_sorted_and_small(tmp_path):
    path = tmp_path / "manifest.json"
    M.save(path)
    assert path.read_text() == (
        '{\n "format": 1,\n "captions": 5,\n "subjects": {"apple": 1, "cup": 3},\n "pairs": {\n'
        '  "apple": {"red": 1},\n  "cup": {"blue": 2}\n }\n}\n'
    )
    assert TrainingManifest.load(path) == M


words = st.text(max_size=12)
counts = st.integers(1, 10**9)


@given(
    st.dictionaries(st.tuples(words, words), counts, max_size=8),
    st.dictionaries(words, counts, max_size=8),
    st.integers(0, 10**9),
)
def test_round_trip(pairs, subjects, captions):
    manifest = TrainingManifest(pairs, subjects, captions)
    text = manifest.to_json()
    assert TrainingManifest.from_json(text) == manifest
    assert TrainingManifest.from_json(text).to_json() == text
    double = manifest + manifest
    assert double.captions == 2 * captions
    assert all(double.pairs[key] == 2 * count for key, count in pairs.items())


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", "null", '{"format": 2}', '{"format": 1}', "\x00",
     json.dumps({"format": 1, "captions": 1, "subjects": {}, "pairs": {"a": {"b": -1}}}),
     json.dumps({"format": 1, "captions": 1, "subjects": {}, "pairs": {"a": 3}}),
     json.dumps({"format": 1, "captions": "1", "subjects": {}, "pairs": {}}),
     json.dumps({"format": 1, "captions": 1, "subjects": [], "pairs": {}})],
)  # fmt: skip
def test_damaged(text, tmp_path):
    path = tmp_path / "m.json"
    path.write_text(text)
    with pytest.raises(PromptError, match=r"m\.json") as caught:
        TrainingManifest.load(path)
    assert caught.value.kind == "manifest"
    assert "\n" not in str(caught.value)


def test_missing_file(tmp_path):
    with pytest.raises(PromptError, match="cannot read"):
        TrainingManifest.load(tmp_path / "none.json")
