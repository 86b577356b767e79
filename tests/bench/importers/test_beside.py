"""Pictures with their prompts beside them; the same files in a folder, a tar and a zip."""

import json
import tarfile
import unicodedata
import zipfile

import numpy as np
import pytest

from bench.cli.main import run
from bench.errors import UsageError
from bench.importers.layouts import open_set
from bench.importers.picture import UnreadableError
from tests.bench.importers import sets
from tests.bench.importers.test_embedded import A1111, PROMPT, png

PICTURE = png()


def folder(root, files):
    for name, data in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data if isinstance(data, bytes) else data.encode())
    return root


def zipped(path, files):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def tarred(path, files, mode="w"):
    with tarfile.open(path, mode) as archive:
        for name, data in files.items():
            sets.add(archive, name, data if isinstance(data, bytes) else data.encode())
    return path


def read(path, **options):
    """Prompts of the samples by their places, and the files that are left out."""
    found = list(open_set(path, **options).pictures())
    prefix = f"{path.name}:" if path.is_file() else ""
    samples = {
        one.place.removeprefix(prefix): one.said.get("prompt", one.why_not)
        for one in found
        if one.is_sample
    }
    left_out = {one.place.removeprefix(prefix) for one in found if not one.is_sample}
    return samples, left_out


SETS = {
    "text": {"a.png": PICTURE, "a.txt": PROMPT},
    "caption": {"a.png": PICTURE, "a.caption": PROMPT},
    "text with the whole name": {"a.png": PICTURE, "a.png.txt": PROMPT},
    "text of a web interface": {
        "a.png": PICTURE,
        "a.txt": A1111.replace(" <lora:shelf_v2:0.8>", ""),
    },
    "json": {"a.png": PICTURE, "a.json": json.dumps({"caption": PROMPT})},
    "text before json": {"a.png": PICTURE, "a.txt": PROMPT, "a.json": '{"caption": "x y"}'},
    "json of a program": {
        "a.png": PICTURE,
        "a.json": json.dumps({"sui_image_params": {"prompt": PROMPT}}),
    },
    "UTF-16": {"a.png": PICTURE, "a.txt": PROMPT.encode("utf-16")},
    "text before what is within": {"a.png": png(parameters="a red cup"), "a.txt": PROMPT},
    "within before the name": {"a red cup_001.png": png(parameters=PROMPT)},
    "name": {f"{PROMPT}_001.png": PICTURE},
    "dots": {"run.v1.5/x.2.png": PICTURE, "run.v1.5/x.2.txt": PROMPT},
    "key": {"0001.image.png": PICTURE, "0001.text.txt": PROMPT},
    "unlike order": {"z/a.txt": PROMPT, "b.json": "{}", "z/a.png": PICTURE},
}


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("kind", ["folder", "zip", "tar", "tar.gz"])
def test_prompt_beside_within_or_in_the_name(name, kind, tmp_path):
    files = {key: data for key, data in SETS[name].items() if key != "b.json"}
    if kind == "folder":
        path = folder(tmp_path / "set", files)
    elif kind == "zip":
        path = zipped(tmp_path / "set.zip", files)
    else:
        path = tarred(tmp_path / f"set.{kind}", files, "w:gz" if kind == "tar.gz" else "w")
    samples, left_out = read(path)
    assert list(samples.values()) == [PROMPT]
    assert not left_out
    assert open_set(path).layout == ("beside" if kind == "folder" else "webdataset")


@pytest.mark.parametrize("order", [list, sorted, lambda names: sorted(names, reverse=True)])
@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_members_in_any_order_with_their_own_bytes(order, mode, tmp_path):
    files = {}
    for number in range(5):
        files[f"p/{number}.png"] = png(title=str(number))
        files[f"{'p'}/{number}.txt"] = f"prompt {number}"
    files = {name: files[name] for name in order(files)}
    path = tarred(tmp_path / "set.tar", files, mode)
    pictures = [(one.said["prompt"], one.read()) for one in open_set(path).pictures()]
    assert dict(pictures) == {f"prompt {number}": png(title=str(number)) for number in range(5)}


def test_sheets_and_masks_are_left_out(tmp_path):
    files = {
        "0001.png": PICTURE,
        "0001.txt": PROMPT,
        "0001_mask.png": PICTURE,
        "grid-0000.png": png(parameters=PROMPT),
        f"{PROMPT}-grid-0001.png": PICTURE,
        "2.image.png": PICTURE,
        "2.mask.png": PICTURE,
        "2.txt": PROMPT,
        "a red mask_000001.png": PICTURE,
    }
    samples, left_out = read(folder(tmp_path / "set", files))
    assert samples == {
        "0001.png": PROMPT,
        "2.image.png": PROMPT,
        "a red mask_000001.png": "a red mask",
    }
    assert left_out == {"0001_mask.png", "grid-0000.png", f"{PROMPT}-grid-0001.png", "2.mask.png"}


def test_why_there_is_no_prompt(tmp_path):
    files = {"1.png": PICTURE, "2.png": png(prompt="{"), "3.png": b""}
    samples, _ = read(folder(tmp_path / "set", files))
    assert samples["1.png"] == "no prompt beside it, in it or in its name"
    assert "JSON in it is damaged" in samples["2.png"]
    assert "no prompt" in samples["3.png"]


def test_geneval_and_imagefolder_in_a_zip(tmp_path):
    about = {"tag": "colors", "include": [{"class": "cup", "color": "red"}], "prompt": "p q"}
    files = {
        "out/00003/metadata.jsonl": json.dumps(about),
        "out/00003/samples/00001.png": PICTURE,
        "out/00003/samples/00001_mask.png": PICTURE,
        "out/00003/grid.png": PICTURE,
        "__MACOSX/out/00003/samples/._00001.png": b"",
    }
    samples, left_out = read(zipped(tmp_path / "g.zip", files))
    assert samples == {"out/00003/samples/00001.png": "p q"}
    assert len(left_out) == 2
    files = {"s/metadata.csv": "file_name;text\ni\\a.png;a red cup\n", "s/i/a.png": PICTURE}
    samples, _ = read(zipped(tmp_path / "i.zip", files))
    assert samples == {"s/i/a.png": "a red cup"}
    both = {f"{name}/00000/{end}": data for name in "ab" for end, data in (
        ("metadata.jsonl", json.dumps(about)), ("0.png", PICTURE))}  # fmt: skip
    with pytest.raises(UsageError, match="2 sets of GenEval in one: 'a', 'b'"):
        read(folder(tmp_path / "two", both))


NFD = unicodedata.normalize("NFD", "caf\u00e9")
LISTS = {
    "backslashes": ("i/a.png", "i\\a.png"),
    "another Unicode form": (f"{NFD}/{NFD}.png", "caf\u00e9/caf\u00e9.png"),
    "the folder named twice": ("i/a.png", "set/i/a.png"),
    "two folders named twice": ("i/a.png", "out/set/i/a.png"),
    "a folder of the same name within": ("set/i/a.png", "set/i/a.png"),
}


@pytest.mark.parametrize("name", LISTS)
def test_paths_of_a_list(name, tmp_path):
    stored, written = LISTS[name]
    root = folder(tmp_path / "out/set", {stored: PICTURE})
    (root / "l.csv").write_text(f"path,prompt\n{written},a red cup\n", encoding="utf-16")
    (picture,) = open_set(root / "l.csv").pictures()
    assert picture.read() == PICTURE
    assert picture.place == stored


def test_missing_file_is_told_as_it_is_written(tmp_path):
    root = folder(tmp_path / "set", {"l.csv": "path,prompt\nset/b.png,a red cup\n"})
    (picture,) = open_set(root / "l.csv").pictures()
    with pytest.raises(UnreadableError, match=r"set/b\.png: missing file"):
        picture.read()


def test_lists_of_pictures_of_one_prompt(tmp_path):
    files = {"1.png": png(n="1"), "2.png": png(n="2")}
    root = folder(tmp_path, {**files, "l.json": json.dumps({"a red cup": ["1.png", "2.png"]})})
    found = [(one.said["prompt"], one.read()) for one in open_set(root / "l.json").pictures()]
    assert found == [("a red cup", data) for data in files.values()]
    (root / "l.jsonl").write_text(json.dumps({"prompt": "a red cup", "images": ["2.png", "1.png"]}))
    assert [one.place for one in open_set(root / "l.jsonl").pictures()] == ["2.png", "1.png"]


def test_columns_of_parquet(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table(
        {
            "image": pa.array([[PICTURE, PICTURE], [PICTURE]]),
            "caption": pa.array([["a red cup"], ["a blue cup"]]),
            "color": pa.array(["red", "blue"]).dictionary_encode(),
            "vector": pa.array([[1.0], [2.0]]),
        }
    )
    pq.write_table(table, tmp_path / "a.parquet")
    found = [dict(one.said) for one in open_set(tmp_path / "a.parquet").pictures()]
    assert found == [
        {"prompt": "a red cup", "color": "red"},
        {"prompt": "a red cup", "color": "red"},
        {"prompt": "a blue cup", "color": "blue"},
    ]
    numbers = pa.table({"image": [PICTURE], "prompt": [3]})
    pq.write_table(numbers, tmp_path / "b.parquet")
    with pytest.raises(UsageError, match="column 'prompt' holds int64, no text"):
        list(open_set(tmp_path / "b.parquet").pictures())


def link(name):
    info = zipfile.ZipInfo(name)
    info.external_attr = 0o120777 << 16
    return info


HOSTILE = {
    "out of the archive": ("../a.png", "leads out"),
    "absolute": ("/a.png", "is absolute"),
    "a drive": ("C:\\a.png", "is absolute"),
    "a link": (link("a.png"), "it is a link"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_members_of_a_zip_are_refused(name, tmp_path):
    member, words = HOSTILE[name]
    path = zipped(tmp_path / "s.zip", {member: b"/etc/passwd", "b.png": PICTURE})
    with pytest.raises(UsageError, match=words):
        read(path)


def test_damaged_zips(tmp_path):
    path = zipped(tmp_path / "s.zip", {"a red cup_1.png": np.random.default_rng(0).bytes(5000)})
    data = bytearray(path.read_bytes())
    data[100:140] = bytes(40)
    path.write_bytes(bytes(data))
    picture = next(open_set(path).pictures())
    with pytest.raises(UnreadableError, match="a red cup_1.png"):
        picture.read()
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(UsageError, match="cannot read"):
        read(path)


def test_member_that_is_there_twice_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "t.zip", "w") as archive:
        archive.writestr("a.png", PICTURE)
        archive.writestr("b.png", PICTURE)
    data = (tmp_path / "t.zip").read_bytes().replace(b"b.png", b"a.png")
    (tmp_path / "t.zip").write_bytes(data)
    with pytest.raises(UsageError, match=r"'a\.png' is there twice"):
        read(tmp_path / "t.zip")


def test_zip_bomb_is_no_picture(tmp_path):
    path = zipped(tmp_path / "s.zip", {"a red cup_1.png": b"", "b_2.txt": b""})
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("a red cup_1.png", "w") as file:
            for _ in range(300):
                file.write(bytes(1 << 20))
        archive.writestr("a blue cup_2.png", PICTURE)
        archive.writestr("b_3.png", PICTURE)
        archive.writestr("b_3.txt", "a " * (1 << 20))
    pictures = open_set(path).pictures()
    assert next(pictures).said == {"prompt": "a blue cup"}
    large = next(pictures)
    with pytest.raises(UnreadableError, match="has 314,572,800 bytes"):
        large.read()
    with pytest.raises(UsageError, match=r"b_3\.txt has 2,097,152 bytes"):
        next(pictures)


@pytest.mark.parametrize("margin", [0, 2])
def test_tiles_are_the_pictures(margin, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    wanted = sets.samples(6)[:6]
    tiles = [np.asarray(sets.draw(one)) for one in wanted]
    tall, wide = tiles[0].shape[:2]
    sheet = np.zeros((2 * tall + 3 * margin, 3 * wide + 4 * margin, 3), np.uint8)
    for number, tile in enumerate(tiles):
        row, column = divmod(number, 3)
        top, left = margin + row * (tall + margin), margin + column * (wide + margin)
        sheet[top : top + tall, left : left + wide] = tile
    folder(tmp_path / "set", {"a red cup-grid-0001.png": sets.png(sheet)})
    assert run(["score", "set", *sets.PARTS]) == 2
    assert "a contact sheet by its name; --tiles cuts it" in capsys.readouterr().err
    assert run(["score", "set", *sets.PARTS, "--tiles", "3x2"]) == 0
    assert "6 pictures: 6 matched to 1 cells" in capsys.readouterr().err
    from bench.store.run import Run

    (_, part), *_ = Run(tmp_path / "runs/score-set").parts("samples")
    stored = [sets.decoded(row["image"]["bytes"]) for row in part.to_pylist()]
    assert all((one == two).all() for one, two in zip(stored, tiles, strict=True))
    assert run(["score", "set", *sets.PARTS, "--tiles", "5x2", "--name", "odd"]) == 3
    assert "no sheet of these tiles" in capsys.readouterr().err
    assert run(["score", "set", *sets.PARTS, "--tiles", "5"]) == 2
