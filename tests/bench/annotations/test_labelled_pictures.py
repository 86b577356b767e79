"""Tables of labelled pictures: what is read, and what is refused by its line."""

import numpy as np
import pytest
from PIL import Image

from bench.annotations.labelled_pictures import (
    LABELS,
    load_labelled,
    read_labelled_pictures,
    read_mask,
)
from bench.errors import UsageError
from bench.records import VERDICTS

ROWS = (
    "file,colour,subject,label,confidence,kind,prompt,model\n"
    "p/a.png,grey,toy bear,bound,high,prompted,a gray toy bear,some\n"
    "p/b.png,red,cup,prior,low,prompted,a red cup,some\n"
    "p/a.png,red,toy bear,leak:background,high,counterfactual,a gray toy bear,some\n"
)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "p").mkdir()
    (tmp_path / "m").mkdir()
    for name in ("p/a.png", "p/b.png"):
        Image.new("RGB", (9, 7), "gray").save(tmp_path / name)
    mask = np.zeros((7, 9), np.uint8)
    mask[2:5, 3:] = 255
    Image.fromarray(mask).save(tmp_path / "m/a.png")
    (tmp_path / "labels.csv").write_text(ROWS)
    return tmp_path


def test_rows_of_a_file_are_one_picture(folder):
    first, second = read_labelled_pictures(folder)
    assert (first.path, first.prompt, first.model) == (
        folder / "p/a.png",
        "a gray toy bear",
        "some",
    )
    assert [(one.colour, one.label, one.kind) for one in first.bindings] == [
        ("gray", "bound", "prompted"),
        ("red", "background", "counterfactual"),
    ]
    assert second.bindings[0].confidence == "low"
    assert first.masks == {}
    assert set(LABELS.values()) <= set(VERDICTS)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_semicolons_backslashes_and_other_names_of_columns(encoding, folder):
    text = "file_name;color;object;verdict\np\\b.png;Red;cup;neighbor\n"
    (folder / "l.csv").write_text(text, encoding=encoding)
    (picture,) = read_labelled_pictures(folder / "l.csv")
    assert picture.path == folder / "p/b.png"
    assert picture.bindings[0].label == "neighbour"
    assert picture.bindings[0].colour == "red"


def test_masks_by_hand(folder):
    (folder / "masks.csv").write_text("file,thing,mask\np/a.png,toy bear,m/a.png\n")
    first, second = read_labelled_pictures(folder / "labels.csv")
    assert second.masks == {}
    mask = read_mask(first.masks["toy bear"], 7, 9)
    assert mask.dtype == bool
    assert mask.sum() == 18
    assert mask[2, 3]
    with pytest.raises(UsageError, match=r"9 x 7 pixels: expected 9 x 8"):
        read_mask(first.masks["toy bear"], 8, 9)
    Image.new("L", (9, 7)).save(folder / "m/a.png")
    with pytest.raises(UsageError, match="is empty"):
        read_mask(first.masks["toy bear"], 7, 9)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("p/a.png,red,cup,spiled\n", r"labels\.csv:5: .*did you mean 'spilled'"),
        ("p/c.png,red,cup,bound\n", r"labels\.csv:5: 'p/c\.png': no such file"),
        ("../p/a.png,red,cup,bound\n", "leads out of"),
        ("/p/a.png,red,cup,bound\n", "is absolute"),
        ("p/b.png,red,cup,bound\n", r"is bound here and prior in .*labels\.csv:3"),
        ("p/b.png,,cup,bound\n", "colour is empty"),
        ("p/b.png,red,cup,invalid\n", "unknown label"),
    ],
)
def test_bad_rows_are_told_by_line(row, words, folder):
    (folder / "labels.csv").write_text(ROWS + row)
    with pytest.raises(UsageError, match=words) as caught:
        read_labelled_pictures(folder)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("labels.csv", "file,colour,thing,label\np/a.png,red,cup,bound\n", "no column subject"),
        ("labels.csv", "file,colour,subject,label\n", "holds no label"),
        ("masks.csv", "file,thing,mask\np/z.png,cup,m/a.png\n", "no such file"),
        ("masks.csv", "file,thing,mask\nm/a.png,cup,m/a.png\n", "has no label"),
        ("masks.csv", 2 * "p/a.png,cup,m/a.png\n", "no column file"),
        ("masks.csv", "file,thing,mask\n" + 2 * "p/a.png,cup,m/a.png\n", "a second mask"),
    ],
)
def test_bad_tables(name, text, words, folder):
    (folder / name).write_text(text)
    with pytest.raises(UsageError, match=words):
        read_labelled_pictures(folder)


def test_missing_tables(folder):
    with pytest.raises(UsageError, match="no such file"):
        read_labelled_pictures(folder / "none.csv")
    with pytest.raises(UsageError, match="no such file"):
        read_labelled_pictures(folder, folder / "none.csv")


def test_a_damaged_picture_or_mask_is_told_by_name(folder):
    (folder / "masks.csv").write_text("file,thing,mask\np/a.png,toy bear,m/a.png\n")
    for name in ("m/a.png", "p/a.png"):
        (folder / name).write_bytes((folder / name).read_bytes()[:-30])
        with pytest.raises(UsageError, match=f"{name}: the image file is damaged"):
            load_labelled(folder)
