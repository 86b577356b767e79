"""Bad input through the command line: one line on stderr, nothing on stdout, the right exit code.

Names, other options, Ctrl-C and locks stand in tests/bench/cli/test_main.py; here is what is left.
"""

import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from bench.cli.main import run
from bench.store import files
from tests.bundled import ROOT

SHAPES = "tests.bench.shapes"
ARGUMENTS = [
    *("run", "--model", f"{SHAPES}:ShapeSampler", "--segmenter", f"{SHAPES}:ShapeSegmenter"),
    *("--scorer", f"{SHAPES}:MeanScorer", "--colours", "red,blue", "--subjects", "potato,cup"),
    *("--templates", "single,control", "--name", "r"),
]


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path, str(ROOT)])


def told(capsys, arguments, code):
    """Run, check code and form, and return the line."""
    assert run(arguments) == code
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("error: ")
    assert printed.err.count("\n") == 1, printed.err
    assert "Traceback" not in printed.err
    return printed.err


@pytest.mark.parametrize("command", ["run", "prompts"])
@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--templates", "singel"], "did you mean 'single'"),
        (["--scenery", "whit"], "did you mean 'white'"),
        (["--colours", " , "], "names nothing"),
        (["--colours", "red", "--subjects", "potatoes"], "did you mean 'potato'"),
        (["--preset", "pairs", "--templates", "single"], "nothing of preset pairs is left"),
        (["--preset", "quick", "--grid", "own.toml"], "two grids"),
        (["--grid", "nowhere.toml"], "nowhere.toml"),
        (["--grid", "own.docx"], "own.docx"),
        (["--grid", "."], "."),
        (["--captions", "nowhere.txt"], "nowhere.txt"),
    ],
)
def test_no_such_grid(command, options, words, capsys):
    model = ["--model", f"{SHAPES}:ShapeSampler"] if command == "run" else []
    assert words in told(capsys, [command, *model, *options], 2)
    assert not Path("runs").exists()


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("own.toml", 'colours = ["red"\nsubjects = 1', ("own.toml:2",)),
        ("own.toml", 'colours = ["red"]\nsubjcts = ["cup"]', ("own.toml:2", "'subjects'")),
        ("own.toml", 'colours = ["rde"]\nsubjects = ["cup"]', ("own.toml:1", "'red'")),
        ("own.toml", "", ("own.toml", "empty")),
        ("own.csv", "prompt,colour,subject\n", ("own.csv", "empty")),
        ("own.csv", "prompt,colour,subjct\na red cup,red,cup\n", ("own.csv:1", "'subject'")),
        ("own.jsonl", '{"prompt": "a red cup"}\n{"prompt": \n', ("own.jsonl:2",)),
    ],
)
def test_unreadable_grid_file_is_told_by_file_and_line(name, text, words, tmp_path, capsys):
    (tmp_path / name).write_text(text)
    line = told(capsys, ["run", "--model", f"{SHAPES}:ShapeSampler", "--grid", name], 2)
    for word in words:
        assert word in line
    assert not Path("runs").exists()


def own_model(tmp_path, weights):
    """A user's model that is the bundled one with other weights."""
    (tmp_path / "own_model.py").write_text(
        "from pathlib import Path\n"
        "from bench.samplers.local import LocalSampler\n"
        f"def make():\n    return LocalSampler(weights=Path({str(weights)!r}))\n"
    )
    sys.modules.pop("own_model", None)
    return ["run", "--model", "own_model:make", *ARGUMENTS[3:]]


def whole(path):
    save_file({"unet.x": torch.zeros(4096)}, path, {"facts": "{}"})
    return path.read_bytes()


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda path: None, "no weight file"),
        (lambda path: path.write_bytes(b""), "is damaged"),
        (lambda path: path.write_bytes(whole(path)[:-100]), "is damaged"),
        (lambda path: path.write_bytes(whole(path)[:5]), "is damaged"),
        (lambda path: path.write_bytes(b"\x80\x04" + bytes(500)), "is damaged"),
        (lambda path: path.write_bytes(b"PK\x03\x04" + os.urandom(500)), "is damaged"),
        (lambda path: path.write_bytes(whole(path)[:8] + b"[" + whole(path)[9:]), "is damaged"),
        (lambda path: path.mkdir(), "weight file"),
        (lambda path: whole(path), "does not say what model it holds"),
    ],
    ids=["missing", "empty", "cut", "header", "pickle", "zip", "json", "folder", "foreign"],
)
def test_weight_file_that_is_none(damage, words, tmp_path, capsys):
    path = tmp_path / "w.safetensors"
    damage(path)
    line = told(capsys, own_model(tmp_path, path), 2)
    assert words in line
    assert str(path) in line
    assert not Path("runs").exists()


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("ViT-B-61:openai", "ViT-B-61"),
        ("ViT-B-16:/nowhere/clip.safetensors", "/nowhere/clip.safetensors"),
    ],
)
def test_clip_that_is_none(spec, words, capsys):
    some = ["--colours", "red", "--segmenter", "cutout", "--clip", spec]
    line = told(capsys, [*ARGUMENTS[:3], *some], 2)
    assert words in line


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--scorer", "vqa:./nowhere"], "no such folder; expected a folder of save_pretrained"),
        (["--scorer", "blipvqa:tiny/elsewhere"], "not in the cache"),
        (["--scorer", "vqa-api"], "lacks the model"),
        (["--scorer", "vqa-api:m", "--vqa-url", "ftp://host"], "--vqa-url 'ftp://host' is no http"),
        (["--scorer", "vqa-api:m", "--vqa-url", "http://10.0.0.9/v1"], "--vqa-allow-http"),
        (["--scorer", "clip", "--scorer", "clip"], "one of each"),
        (["--scorer", "clip", "--clip", "tipsv2:./nowhere"], "no such folder"),
    ],
)
def test_second_opinions_that_cannot_be_had(options, words, capsys):
    some = ["--colours", "red", "--segmenter", "cutout", "--scorer", "segmentation"]
    line = told(capsys, [*ARGUMENTS[:3], *some, *options], 2)
    assert words in line
    assert not Path("runs").exists()


def test_device_that_is_not_there(capsys):
    assert "nowhere" in told(capsys, ["run", "--model", "local", "--device", "nowhere"], 2)


def test_disk_that_fills_up_keeps_what_is_finished(tmp_path, monkeypatch, capsys):
    """The third file that is flushed finds no room; then there is room again."""
    real, calls = os.fsync, []

    def full(descriptor):
        calls.append(descriptor)
        if len(calls) > 3:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(descriptor)

    monkeypatch.setattr(files.os, "fsync", full)
    assert run(ARGUMENTS) == 3
    printed = capsys.readouterr()
    assert printed.out == ""
    last = printed.err.splitlines()[-1]
    assert last.startswith("error: cannot write ")
    assert "No space left on device; free some space and run again" in last
    assert not list(tmp_path.rglob(f"{files.TEMPORARY}*"))
    monkeypatch.setattr(files.os, "fsync", real)
    assert run(ARGUMENTS) == 0


@pytest.fixture
def mounted(tmp_path):
    """Mount a small file system in memory; only root may."""
    made = []

    def mount(options):
        folder = tmp_path / f"disk{len(made)}"
        folder.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder]
        if shutil.which("mount") is None or subprocess.run(command, capture_output=True).returncode:
            pytest.skip("this user may not mount a file system; the test above stands in")
        made.append(folder)
        return folder

    yield mount
    for folder in made:
        subprocess.run(["umount", "-l", folder], check=True)


def test_really_full_disk(mounted, capsys):
    folder = mounted("size=160k")
    arguments = [*ARGUMENTS, "--out", str(folder), "--seeds", "40"]
    assert run(arguments) == 3
    last = capsys.readouterr().err.splitlines()[-1]
    assert "No space left on device; free some space and run again" in last
    assert not list(folder.rglob(f"{files.TEMPORARY}*"))
    subprocess.run(["mount", "-o", "remount,size=64m", folder], check=True)
    assert run(arguments) == 0
    assert "240 images" in capsys.readouterr().err


def test_read_only_disk(mounted, capsys):
    folder = mounted("size=1m,ro")
    assert "choose another folder" in told(capsys, [*ARGUMENTS, "--out", str(folder)], 3)


def test_disk_that_turns_read_only_keeps_what_is_there(mounted, capsys):
    folder = mounted("size=8m")
    arguments = [*ARGUMENTS, "--out", str(folder)]
    assert run([*arguments, "--limit", "3"]) == 0
    before = {path: path.read_bytes() for path in folder.rglob("part-*")}
    subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
    capsys.readouterr()
    assert "Read-only file system; choose another folder" in told(capsys, arguments, 3)
    subprocess.run(["mount", "-o", "remount,rw", folder], check=True)
    assert run(arguments) == 0
    assert {path: path.read_bytes() for path in before} == before


def test_file_that_may_not_grow_further(tmp_path):
    """A real limit of the system on the size of a file, in a process of its own."""
    code = (
        "import resource, sys\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (6000, 6000))\n"
        "from bench.cli.main import run\n"
        f"sys.exit(run({[*ARGUMENTS, '--seeds', '4']!r}))"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, env=environment
    )
    assert done.returncode == 3
    assert done.stderr.splitlines()[-1].startswith("error: cannot write ")
    assert "file size limit is reached; raise it and run again" in done.stderr
    assert not list(tmp_path.rglob(f"{files.TEMPORARY}*"))
    assert run([*ARGUMENTS, "--seeds", "4"]) == 0


def test_file_where_the_folder_of_runs_should_be(tmp_path, capsys):
    (tmp_path / "runs").write_text("a letter")
    assert "'runs' is a file" in told(capsys, ARGUMENTS, 2)
    assert (tmp_path / "runs").read_text() == "a letter"


@pytest.fixture
def costly(tmp_path):
    """Options of a model that leaves a mark when it is loaded."""
    (tmp_path / "costly.py").write_text(
        "from pathlib import Path\n"
        "from tests.bench.shapes import ShapeSampler\n"
        "def make():\n    Path('loaded').touch()\n    return ShapeSampler()\n"
    )
    sys.modules.pop("costly", None)
    return ["run", "--model", "costly:make", *ARGUMENTS[3:]]


def test_model_leaves_its_mark_where_all_is_well(costly, tmp_path):
    assert run(costly) == 0
    assert Path("loaded").exists()
    assert not list(tmp_path.rglob(f"{files.TEMPORARY}*"))


def refuse_in(monkeypatch, folder, code):
    """Have the system refuse new files in a folder, as it does where permissions are missing."""
    real = Path.open

    def opened(path, mode="r", *args, **kwargs):
        if path.parent == folder and mode != "r":
            raise OSError(code, os.strerror(code), str(path))
        return real(path, mode, *args, **kwargs)

    monkeypatch.setattr(Path, "open", opened)


SHUT = "new/runs/r: Permission denied; choose another folder, or change its permissions"
UNWRITABLE = {
    "a file on the way": (
        lambda p, m: (p / "a").write_text("x"),
        "a/runs",
        2,
        "a is a file; choose",
    ),
    "a file as run folder": (
        lambda p, m: ((p / "s").mkdir(), (p / "s/r").write_text("x")),
        "s",
        2,
        "r is a file; choose",
    ),
    "a link to nowhere": (
        lambda p, m: (p / "s").symlink_to(p / "gone"),
        "s",
        2,
        "s is a file; choo",
    ),
    "a loop": (
        lambda p, m: (p / "s").symlink_to("s"),
        "s/t",
        3,
        "Too many levels of symbolic links;",
    ),
    "no place for files": (
        lambda p, m: None,
        "/proc/no/such",
        3,
        "make the folder /proc/no/such/r: No such file",
    ),
    "too long a name": (lambda p, m: None, "n" * 300, 3, "File name too long; choose a shorter"),
    "no permission": (lambda p, m: refuse_in(m, p, errno.EACCES), "new/runs", 3, SHUT),
    "read-only": (
        lambda p, m: ((p / "s/r").mkdir(parents=True), refuse_in(m, p / "s/r", errno.EROFS)),
        "s",
        3,
        "s/r: Read-only file system; choose another folder",
    ),
    "a folder of other things": (
        lambda p, m: ((p / "s/r").mkdir(parents=True), (p / "s/r/letter").write_text("x")),
        "s",
        3,
        "'letter' in it but no run.json",
    ),
    "no such store": (lambda p, m: None, "nowhere://bucket", 2, "cannot be reached"),
}


@pytest.mark.parametrize("engine", [[], ["--devices", "cpu,cpu"]], ids=["alone", "team"])
@pytest.mark.parametrize("kind", UNWRITABLE)
def test_place_that_cannot_be_written_is_told_before_the_model_is_loaded(
    kind, engine, costly, tmp_path, monkeypatch, capsys
):
    arrange, out, code, words = UNWRITABLE[kind]
    arrange(tmp_path, monkeypatch)
    before = sorted(path for path in tmp_path.rglob("*") if "__pycache__" not in path.parts)
    assert words in told(capsys, [*costly, "--out", out, *engine], code)
    assert not Path("loaded").exists()
    after = sorted(path for path in tmp_path.rglob("*") if "__pycache__" not in path.parts)
    assert after == before


@pytest.mark.parametrize("kind", UNWRITABLE)
def test_place_that_cannot_be_written_is_told_before_the_pictures_are_read(
    kind, tmp_path, monkeypatch, capsys
):
    arrange, out, code, words = UNWRITABLE[kind]
    (tmp_path / "list.csv").write_text("path,prompt\n../never read,a red cup\n")
    arrange(tmp_path, monkeypatch)
    assert words in told(capsys, ["score", "list.csv", "--out", out, "--name", "r"], code)


def test_store_that_refuses_is_told_before_the_model_is_loaded(costly, monkeypatch, capsys):
    """A bucket that may be read and not written."""
    from fsspec.implementations.memory import MemoryFileSystem

    def refuse(*args, **kwargs):
        raise PermissionError(errno.EACCES, "Access Denied")

    monkeypatch.setattr(MemoryFileSystem, "pipe_file", refuse)
    line = told(capsys, [*costly, "--out", "memory://closed/runs"], 3)
    assert "cannot write to memory://closed/runs/r: Permission denied; choose another" in line
    assert not Path("loaded").exists()


def test_console_script_leaves_with_the_same_code_and_line(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "bench", "run", "--model", "locale"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: unknown sampler 'locale'; did you mean 'local'?")
    assert done.stderr.count("\n") == 1
