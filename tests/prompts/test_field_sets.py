"""Prompt lists of other benchmarks."""

from __future__ import annotations

import hashlib
import json

import pytest

from prompts import build_grid
from prompts.cells import Binding
from prompts.errors import PromptError
from prompts.field_sets import FIELD_SETS, FOLDER
from prompts.gridfile import load_grid

#: What is asked in all, as `Grid.hash` has it: a released preset does not change.
HASHES = {
    "geneval-colors": "f5337e34f0da67632114",
    "geneval-color-attr": "c168410af8b907dd67d7",
    "t2i-compbench-color": "7d826dced242924395a7",
    "t2i-compbench-color-seen": "6379874269b70c8de89b",
    "t2i-compbench-color-unseen": "52c3259785bf019d311f",
}
#: Prompts, those that are read, cells with their controls, images a prompt.
COUNTS = {
    "geneval-colors": (94, 94, 151, 4),
    "geneval-color-attr": (100, 100, 200, 4),
    "t2i-compbench-color": (300, 278, 419, 10),
    "t2i-compbench-color-seen": (200, 199, 300, 10),
    "t2i-compbench-color-unseen": (100, 79, 125, 10),
}

DIGESTS = {
    "geneval-color-attr.txt": "1a3adf2df6774ec7",
    "geneval-colors.txt": "d8da4bbad6b5f1f1",
    "t2i-compbench-color.txt": "fa43681d76e9bb02",
}


@pytest.mark.parametrize("name", FIELD_SETS)
def test_each_prompt_is_a_cell_or_is_counted(name):
    grid = build_grid(name)
    prompts, read, cells, seeds = COUNTS[name]
    coloured = [cell for cell in grid if cell.template != "control"]
    assert (len(coloured), len(grid), grid.seeds) == (read, cells, seeds)
    assert grid.hash == HASHES[name]
    lines = (FOLDER / FIELD_SETS[name].file).read_text().splitlines()
    part = lines[slice(*FIELD_SETS[name].part)]
    assert len(part) == prompts
    # Word for word, but for a full stop at the end.
    assert {cell.text for cell in coloured} <= {text.rstrip(".") for text in part}
    assert len(coloured) + len(grid.skipped) == len(set(part))


def test_texts_are_those_of_the_sources():
    """T2I-CompBench's file ends its lines in the manner of Windows, without a last one."""
    text = (FOLDER / "t2i-compbench-color.txt").read_text()
    assert len(text.rstrip("\n").replace("\n", "\r\n")) == 11871
    digests = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()[:16]
        for path in FOLDER.glob("*.txt")
    }
    assert digests == DIGESTS


def test_geneval_is_read_as_its_own_metadata_says():
    grid = {cell.text: cell for cell in build_grid("geneval-color-attr")}
    assert grid["a photo of a green skis and a brown airplane"].bindings == (
        Binding("green", "skis"),
        Binding("brown", "airplane"),
    )
    one = {cell.text: cell for cell in build_grid("geneval-colors")}
    assert one["a photo of a blue fire hydrant"].bindings == (Binding("blue", "fire hydrant"),)


def test_a_part_and_other_numbers_of_images():
    grid = build_grid("geneval-colors", colours=["blue"], seeds=1)
    assert grid.seeds == 1
    assert {b.colour for cell in grid for b in cell.bindings} == {"blue", None}
    with pytest.raises(PromptError, match="nothing of preset geneval-colors is left"):
        build_grid("geneval-colors", colours=["gray"])
    with pytest.raises(PromptError, match="geneval-colors"):
        build_grid("geneval-colour")


def test_the_licences_lie_beside_the_texts():
    text = (FOLDER / "LICENSES.md").read_text()
    assert all(path.name in text for path in FOLDER.glob("*.txt"))
    assert text.count("Copyright (c)") == 2


def question(*pairs):
    return [[text, answer] for text, answer in pairs]


def test_geneval_2_is_read_by_its_questions(tmp_path):
    rows = [
        {
            "prompt": "four white bicycles in front of three plastic cows",
            "atom_count": 7,
            "vqa_list": question(
                ("How many bicycles are in the image?", "four"),
                ("Are the bicycles white?", "Yes"),
                ("Are there any bicycles in the image?", "Yes"),
                ("Are the bicycles in front of the cows?", "Yes"),
                ("How many cows are in the image?", "three"),
                ("Are the cows plastic?", "Yes"),
                ("Are there any cows in the image?", "Yes"),
            ),
            "skills": ["count", "attribute", "object", "position", "count", "attribute", "object"],
        },
        {
            "prompt": "a wooden dog",
            "atom_count": 2,
            "vqa_list": question(
                ("Is the dog wooden?", "Yes"), ("Is there a dog in the image?", "Yes")
            ),
            "skills": ["attribute", "object"],
        },
    ]
    file = tmp_path / "geneval2_data.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)))
    grid = load_grid(file, strict=False)
    cell = next(one for one in grid if one.template != "control")
    assert cell.bindings == (Binding("white", "bicycle"), Binding(None, "cow"))
    (skipped,) = grid.skipped
    assert "ask for no colour" in skipped
