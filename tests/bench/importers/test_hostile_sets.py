"""Sets that would lead out of their folder, and pictures that are none."""

import io
import json
import os
import tarfile
import unicodedata
import zlib

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from bench.cli.main import run
from bench.errors import UsageError
from bench.importers.layouts import open_set
from bench.importers.picture import UnreadableError, inside, read_file
from bench.judge.images import as_rgb8
from bench.judge.picture_arrays import PictureError
from bench.store.run import Run
from prompts.errors import printable
from tests.bench.importers import sets

ESCAPES = [
    "../../etc/passwd",
    "/etc/passwd",
    "a/../../secret.png",
    "..\\secret.png",
    "C:\\secret.png",
    "\\\\host\\share\\a.png",
    "link.png",
    "folder/secret.png",
    "a\0b.png",
    "..",
]


@pytest.fixture
def trap(tmp_path):
    """A folder with links out of it, and what they lead to."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/secret.png").write_bytes(sets.png(np.zeros((9, 9, 3), np.uint8)))
    root = tmp_path / "set"
    root.mkdir()
    (root / "link.png").symlink_to(tmp_path / "outside/secret.png")
    (root / "folder").symlink_to(tmp_path / "outside")
    return root


@pytest.mark.parametrize("path", ESCAPES)
@pytest.mark.parametrize("kind", ["imagefolder", "list", "parquet"])
def test_path_out_of_the_folder_is_refused_by_name(path, kind, trap, monkeypatch, capsys):
    monkeypatch.chdir(trap.parent)
    row = {"file_name": path, "text": "a red cup"}
    if kind == "imagefolder":
        given = trap
        (trap / "metadata.jsonl").write_text(json.dumps(row))
    elif kind == "list":
        given = trap / "l.jsonl"
        given.write_text(json.dumps(row))
    else:
        given = trap / "l.parquet"
        rows = [{"image": {"bytes": None, "path": path}, "text": "a red cup"}]
        pq.write_table(pa.Table.from_pylist(rows), given)
    assert run(["score", str(given), *sets.PARTS]) == 2
    err = capsys.readouterr().err
    last = err.splitlines()[-1]
    assert "is refused: " in last or "is no path of a picture" in last
    assert (
        path.replace("\0", "\\x00").replace("\\", "")
        in last.replace("\\\\", "\\").replace("\\", "")
        or "\0" in path
    )
    assert not (trap.parent / "runs").exists()


def test_links_in_a_geneval_folder(trap):
    place = trap / "00000"
    (place / "samples").mkdir(parents=True)
    (place / "metadata.jsonl").write_text('{"prompt": "a red cup"}')
    (place / "samples/0000.png").symlink_to(trap.parent / "outside/secret.png")
    with pytest.raises(UsageError, match="00000/samples/0000.png.* is refused: a symbolic link"):
        list(open_set(trap, "geneval").pictures())
    (place / "samples/0000.png").unlink()
    (place / "metadata.jsonl").unlink()
    (trap.parent / "outside/m.jsonl").write_text('{"prompt": "a red cup"}')
    (place / "metadata.jsonl").symlink_to(trap.parent / "outside/m.jsonl")
    with pytest.raises(UsageError, match="is refused: a symbolic link"):
        list(open_set(trap, "geneval").pictures())


def test_link_within_the_folder_is_followed(tmp_path):
    (tmp_path / "a.png").write_bytes(b"abc")
    (tmp_path / "b.png").symlink_to(tmp_path / "a.png")
    assert read_file(inside(tmp_path, "b.png", "here")) == b"abc"


@given(st.text(min_size=1))
@settings(max_examples=150, deadline=None)
def test_no_path_leaves_its_folder(tmp_path_factory, text):
    root = tmp_path_factory.getbasetemp()
    try:
        path = inside(root, text, "here")
    except UsageError:
        return
    assert path.resolve().is_relative_to(root.resolve())


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE])
def test_tar_with_a_link_is_refused(kind, tmp_path):
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w") as archive:
        info = tarfile.TarInfo("0.png")
        info.type, info.linkname = kind, "/etc/passwd"
        archive.addfile(info)
    with pytest.raises(UsageError, match="member '0.png' is refused"):
        list(open_set(path).pictures())


def test_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.png")
    with pytest.raises(UnreadableError, match="no regular file"):
        read_file(tmp_path / "a.png")


def bomb() -> bytes:
    """A PNG that says it has 60,000 x 60,000 pixels."""

    def chunk(kind, data):
        body = kind + data
        return len(data).to_bytes(4, "big") + body + zlib.crc32(body).to_bytes(4, "big")

    head = (60_000).to_bytes(4, "big") * 2 + b"\x08\x02\x00\x00\x00"
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


NOISE = np.random.default_rng(0).integers(0, 255, (40, 40, 3), np.uint8)
GOOD = sets.png(NOISE)
BAD = {
    "empty": (b"", "empty file"),
    "text": (b"this is no picture", "no image file"),
    "cut": (GOOD[: len(GOOD) // 2], "damaged file"),
    "bomb": (bomb(), "too many pixels"),
    "postscript": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "no image file"),
    "html": (b"<html>404</html>", "no image file"),
}


def with_bad(root, bad: list[bytes], good: int = 8):
    """An imagefolder of good pictures and bad ones."""
    pictures = sets.named(sets.samples(good))
    prompts = [prompt for _, prompt, _ in pictures]
    pictures += [(f"bad{number}.png", prompts[number], data) for number, data in enumerate(bad)]
    return sets.imagefolder(root, pictures), len(pictures)


def test_pictures_that_cannot_be_read_are_invalid_by_reason(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    root, count = with_bad(tmp_path / "set", [data for data, _ in BAD.values()])
    text = (root / "metadata.csv").read_text() + "gone.png,a red cup\n"
    (root / "metadata.csv").write_text(text)
    assert run(["score", "set", *sets.PARTS]) == 3
    printed = capsys.readouterr()
    assert "invalid: bad0.png: the image file is empty" in printed.err
    last = printed.err.splitlines()[-1]
    assert f"7 of {count + 1} images are invalid (" in last
    assert "3 no image file" in last
    assert "1 missing file" in last
    (_, part), *_ = Run(tmp_path / "runs/score-set").parts("samples")
    found = {row["image"]["path"]: row["invalid"] for row in part.to_pylist() if row["invalid"]}
    assert found.pop("gone.png") == "missing file"
    assert found == {f"bad{n}.png": kind for n, (_, kind) in enumerate(BAD.values())}
    # Stored and counted once: a second call reads nothing again.
    assert run(["score", "set", *sets.PARTS]) == 3
    assert " 0 images scored" in capsys.readouterr().err


def test_one_bad_picture_in_hundred_passes_with_a_warning(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with_bad(tmp_path / "set", [b""], good=13)
    assert run(["score", "set", *sets.PARTS]) == 0
    printed = capsys.readouterr()
    assert "1 image is invalid" in " ".join(printed.out.split())


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_damaged_bytes_are_a_picture_or_one_error(data):
    """Whatever a byte is turned into, a decoder's own exception does not come through."""
    kind = data.draw(st.sampled_from(["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP"]))
    file = io.BytesIO()
    Image.fromarray(NOISE).save(file, kind)
    damaged = bytearray(file.getvalue())
    for _ in range(data.draw(st.integers(1, 6))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    try:
        picture = as_rgb8(bytes(damaged[: data.draw(st.integers(1, len(damaged)))]))
    except PictureError:
        return
    assert picture.dtype == np.uint8


def test_foreign_text_steers_neither_terminal_nor_spreadsheet(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    name = "a\x1b[31mEVIL\u202e.png"
    pictures = sets.named(sets.samples()[:1])
    rows = [(name, "a red cup"), (pictures[0][0], "a cup"), (pictures[0][0], "=1+1 \x1b[2J"),
            ("b.png", "-a blue cup")]  # fmt: skip
    sets.write_files(tmp_path, [*pictures, (name, "", b"")])
    (tmp_path / "l.jsonl").write_text(
        sets.jsonl([{"path": path, "prompt": prompt} for path, prompt in rows])
    )
    assert run(["score", "l.jsonl", *sets.PARTS, "--unmatched", "=u.csv"]) == 3
    printed = capsys.readouterr().err
    assert "\\x1b[31mEVIL\\u202e.png" in printed
    assert not {"\x1b", "\u202e"} & set(printed)
    fields = (tmp_path / "=u.csv").read_text().splitlines()[1].split(",")
    assert fields[1].startswith("'=1+1")


@given(st.text())
def test_printable_text_is_one_line_without_controls(text):
    assert not {"Cc", "Cf", "Cs", "Zl", "Zp"} & set(map(unicodedata.category, printable(text)))
    assert printable(printable(text)) == printable(text)
