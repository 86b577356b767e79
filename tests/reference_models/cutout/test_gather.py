"""Icons of packages become what the cutout network learns on, with their sources and licences."""

import io
import json
import os
import stat
import sys
import tarfile

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image

from prompts.subjects import SUBJECT_NAMES
from reference_models.cutout import icon_sets
from reference_models.cutout.data import composed
from reference_models.cutout.gather import main
from reference_models.cutout.icon_sets import SHOWN, SIDE, draw, fetch, read_set
from reference_models.cutout.material import OTHER, read_material, sources_of
from reference_models.cutout.net import NAMES
from reference_models.errors import ModelError

SQUARE = '<path fill="#00f" d="M4 4h8v8H4z"/>'
ICONS = {
    "potato": {"body": SQUARE},
    "spoon": {"body": '<path fill="red" fill-opacity=".6" d="M0 0h16v8H0z"/>'},
    "taco": {"body": '<path fill="#0f0" d="M0 0h32v32H0z"/>', "width": 32, "height": 32},
    "full-stop": {"body": '<path d="M7 7h2v2H7z"/>'},
    "flag-blue": {"body": SQUARE},
    "watch": {"body": SQUARE},
    "one-oclock": {"body": SQUARE},
    "two-oclock": {"body": SQUARE},
    "ghost": {"body": SQUARE, "hidden": True},
}


def package(folder, icons=ICONS, licence="MIT", packed=False):
    """A package of the form of npm, unpacked or as its archive."""
    files = {
        "package.json": {"name": "@x/icons", "version": "1.0.0"},
        "info.json": {
            "name": "Squares",
            "author": {"name": "Somebody"},
            "license": {"spdx": licence, "url": "https://example.org/licence"},
        },
        "icons.json": {"icons": icons, "width": 16, "height": 16},
    }
    folder.mkdir()
    if not packed:
        for name, content in files.items():
            (folder / name).write_text(json.dumps(content))
        return folder
    with tarfile.open(folder / "x-icons-1.0.0.tgz", "w:gz") as archive:
        for name, content in files.items():
            data = json.dumps(content).encode()
            member = tarfile.TarInfo(f"package/{name}")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return folder / "x-icons-1.0.0.tgz"


@pytest.mark.parametrize("packed", [False, True])
def test_things_are_drawn_and_named(packed, tmp_path):
    icons = {icon.key: icon for icon in draw(read_set(package(tmp_path / "p", packed=packed)))}
    assert {key: icon.subject for key, icon in icons.items()} == {
        "potato": "potato",
        "spoon": "",
        "taco": "taco",
        "watch": "clock",
        "one-oclock": "clock",
    }
    potato, spoon, taco = (icons[key].rgba for key in ("potato", "spoon", "taco"))
    assert potato.shape == (SIDE, SIDE, 4)
    assert potato[48, 48].tolist() == [0, 0, 255, 255]
    assert potato[2, 2, 3] == 0
    assert (potato[..., 3] > 0).mean() == pytest.approx(0.25)
    # Half transparent, and its colour is not premultiplied.
    assert spoon[24, 48].tolist() == pytest.approx([255, 0, 0, 153], abs=1)
    assert (taco[..., :3] == (0, 255, 0)).all(), "the size of an icon goes before that of the set"


def test_every_subject_has_icons_and_no_icon_two():
    assert set(SHOWN) == set(SUBJECT_NAMES)
    names = [name for one in SHOWN.values() for name in one]
    assert len(names) == len(set(names))


def test_training_reads_what_was_gathered(tmp_path):
    out = tmp_path / "out"
    paths = [package(tmp_path / "a"), package(tmp_path / "b", packed=True)]
    result = CliRunner().invoke(main, ["--out", str(out), *(f"--package={path}" for path in paths)])
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert told == json.loads((out / "sources.json").read_text())
    assert told[0] == {
        "name": "Squares",
        "package": "@x/icons",
        "version": "1.0.0",
        "licence": "MIT",
        "author": "Somebody",
        "url": "https://example.org/licence",
        "icons": 5,
        "subjects": {"clock": 2, "potato": 1, "taco": 1},
    }
    (tmp_path / "photos").mkdir()
    noise = np.random.default_rng(0).integers(0, 255, (50, 80, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / "photos/a.png")
    material = read_material(out / "icons.npz", [tmp_path / "photos"])
    assert [NAMES[n] for n in material.names[:5]] == ["potato", "other", "taco", "clock", "clock"]
    assert material.icons.shape == (10, 4, SIDE, SIDE)
    assert material.icons[0, :, 48, 48].tolist() == [0, 0, 255, 255]
    assert sources_of(out / "icons.npz") == "5 icons of Squares (MIT), 5 icons of Squares (MIT)"
    batch = composed(12, material, torch.Generator().manual_seed(0))
    assert {int(n) for n in batch.names.unique()} <= {-1, OTHER, *map(NAMES.index, SHOWN)}
    assert (batch.names >= 0).any()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda p: package(p, licence="CC-BY-SA-4.0"), "is under CC-BY-SA-4.0, which is none of"),
        (lambda p: package(p, {"spoon": ICONS["spoon"]}), "shows none of the subjects"),
        (lambda p: package(p, {"potato": {"body": "<path"}}), "cannot draw 'potato'"),
        (lambda p: (package(p) / "info.json").write_text("{}") and p, "is no package of icons"),
        (lambda p: (package(p) / "icons.json").write_text("[]") and p, "is no package of icons"),
        (lambda p: (package(p) / "icons.json").unlink() or p, "is no package of icons"),
        (lambda p: p.write_bytes(b"no archive") and p, "is no package of icons"),
    ],
    ids=["licence", "nothing", "svg", "info", "form", "missing", "archive"],
)
def test_package_that_cannot_be_used_is_one_line(make, words, tmp_path):
    path = make(tmp_path / "p")
    result = CliRunner().invoke(main, ["--out", str(tmp_path / "o"), "--package", str(path)])
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: ")
    assert words in result.stderr
    assert result.stderr.count("\n") == 1
    assert not (tmp_path / "o").exists()


@pytest.fixture
def npm(tmp_path, monkeypatch):
    """Something by the name of npm that packs a package which lies on this machine."""
    made = package(tmp_path / "p", packed=True)
    program = tmp_path / "bin/npm"
    program.parent.mkdir()
    program.write_text(
        f"#!{sys.executable}\n"
        "import shutil, sys\n"
        "_, pack, name, silent, option, folder = sys.argv\n"
        "if name != '@x/icons@1.0.0':\n"
        "    sys.exit('npm error 404 Not Found')\n"
        f"print(shutil.copy({str(made)!r}, folder).rpartition('/')[2])\n"
    )
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)


def test_package_by_name_is_fetched_with_npm(npm, tmp_path, monkeypatch):
    monkeypatch.setattr("reference_models.cutout.gather.PACKAGES", ["@x/icons@1.0.0"])
    result = CliRunner().invoke(main, ["--out", str(tmp_path / "o")])
    assert result.exit_code == 0, result.output
    assert sources_of(tmp_path / "o/icons.npz") == "5 icons of Squares (MIT)"


def test_npm_that_fails_or_is_not_there_is_told(npm, tmp_path, monkeypatch):
    with pytest.raises(ModelError, match="cannot fetch @x/none: npm error 404 Not Found"):
        fetch("@x/none", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ModelError, match="npm, which fetches @x/none, is not on this machine"):
        fetch("@x/none", tmp_path)


def test_without_the_library_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "resvg_py", None)
    with pytest.raises(ModelError, match=r"pip install 'binding-bench\[icons\]'"):
        next(icon_sets.draw(read_set(package(tmp_path / "p"))))
