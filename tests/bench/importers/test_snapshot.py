"""Pictures in the cache of the hub's client, laid out as it does: blobs, refs and snapshots."""

import hashlib
import os
import shutil

import huggingface_hub
import numpy as np
import pytest

from bench.cli.main import run
from bench.errors import UsageError
from bench.importers.layouts import open_set
from bench.importers.snapshot import hub_id, is_blob, repository
from bench.store.run import Run
from tests.bench.importers import sets
from tests.bench.runs import make_run, table_of

COMMIT = "0123456789abcdef0123456789abcdef01234567"
SHARED_MARKER = ".huggingface-shared-blobs"


def link(path, target) -> None:
    """A relative link, as the client makes it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(os.path.relpath(target, path.parent))


def into_cache(cache, folder, *, shared: bool = False, name: str = "datasets--org--shapes"):
    """Lay a folder out as a snapshot; return the snapshot."""
    root = cache / name
    (root / "blobs").mkdir(parents=True)
    (root / "refs").mkdir()
    (root / "refs/main").write_text(COMMIT)
    for path in sorted(folder.rglob("*")):
        if not path.is_file():
            continue
        content = path.read_bytes()
        blob = root / "blobs" / hashlib.sha1(content).hexdigest()
        if shared and path.suffix != ".csv":
            store = cache / "blobs"
            key = hashlib.sha256(content).hexdigest()
            held = store / key[:2] / key
            held.parent.mkdir(parents=True, exist_ok=True)
            (store / SHARED_MARKER).write_text("1\n")
            held.write_bytes(content)
            if not blob.is_symlink():
                link(blob, held)
        else:
            blob.write_bytes(content)
        link(root / "snapshots" / COMMIT / path.relative_to(folder), blob)
    return root / "snapshots" / COMMIT


WRITERS = {
    "imagefolder": lambda root: sets.imagefolder(root, sets.named(sets.samples())),
    "imagefolder in a split": lambda root: (
        sets.imagefolder(root / "train", sets.named(sets.samples())).parent
    ),
    "parquet": lambda root: sets.parquet(root, sets.named(sets.samples())),
    "webdataset": lambda root: sets.webdataset(root, sets.named(sets.samples())).parent,
    "geneval": lambda root: sets.geneval(root, sets.samples()),
}


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("kind", WRITERS)
def test_snapshot_gives_the_pictures_of_the_folder(kind, shared, tmp_path):
    folder = WRITERS[kind](tmp_path / "set")
    snapshot = into_cache(tmp_path / "hub", folder, shared=shared)
    told = huggingface_hub.scan_cache_dir(tmp_path / "hub")
    assert [repo.repo_id for repo in told.repos] == ["org/shapes"], "the client reads it as its own"
    assert not told.warnings
    found = [(one.place, one.said, one.read()) for one in open_set(snapshot).pictures()]
    assert found == [(one.place, one.said, one.read()) for one in open_set(folder).pictures()]
    assert sum(one.is_sample for one in open_set(folder).pictures()) == 16


def test_snapshot_scored_from_the_command_line(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    folder = WRITERS["imagefolder"](tmp_path / "set")
    snapshot = into_cache(tmp_path / "hub", folder)
    assert run(["score", str(snapshot), *sets.PARTS]) == 0
    assert "16 matched to 8 cells" in capsys.readouterr().err
    scored = Run(tmp_path / "runs/score-org-shapes")
    assert scored.manifest.sampler.name == "org/shapes"
    drawn = make_run(tmp_path / "drawn")
    assert table_of(scored, f"scores/{sets.SCORER}").equals(table_of(drawn, "scores/mean"))


def test_list_within_a_snapshot(tmp_path):
    path = sets.listing(tmp_path / "set", sets.named(sets.samples()))
    snapshot = into_cache(tmp_path / "hub", tmp_path / "set")
    pictures = list(open_set(snapshot / path.name).pictures())
    assert [one.read()[:4] for one in pictures] == [b"\x89PNG"] * 16


def swap(path, target) -> None:
    path.unlink()
    path.symlink_to(target)


@pytest.fixture
def snapshot(tmp_path):
    """A snapshot, a secret beside the cache, and another repository in the cache."""
    folder = sets.imagefolder(tmp_path / "set", sets.named(sets.samples()))
    (tmp_path / "secret.png").write_bytes(sets.png(np.zeros((9, 9, 3), np.uint8)))
    into_cache(tmp_path / "hub", folder, name="models--org--other")
    return into_cache(tmp_path / "hub", folder)


ESCAPES = {
    "a system file": lambda s, t: swap(s / "00003.png", "/etc/passwd"),
    "a file beside the cache": lambda s, t: swap(s / "00003.png", t / "secret.png"),
    "by a blob": lambda s, t: swap((s / "00003.png").resolve(), t / "secret.png"),
    "a ref": lambda s, t: swap(s / "00003.png", "../../refs/main"),
    "blobs of another repository": lambda s, t: swap(
        s / "00003.png", next((t / "hub/models--org--other/blobs").iterdir())
    ),
    "a folder in the blobs": lambda s, t: (
        (s.parents[1] / "blobs/in").mkdir(),
        shutil.copy(t / "secret.png", s.parents[1] / "blobs/in/a"),
        swap(s / "00003.png", "../../blobs/in/a"),
    ),
    "a loop": lambda s, t: swap(s / "00003.png", "00003.png"),
    "blobs that lie elsewhere": lambda s, t: (
        (s.parents[1] / "blobs").rename(t / "moved"),
        (s.parents[1] / "blobs").symlink_to(t / "moved"),
    ),
    "no name of a shared blob": lambda s, t: (
        (t / "hub/blobs/ab").mkdir(parents=True),
        shutil.copy(t / "secret.png", t / "hub/blobs/ab/secret"),
        swap(s / "00003.png", t / "hub/blobs/ab/secret"),
    ),
    "metadata": lambda s, t: (
        shutil.copy(s / "metadata.csv", t / "m.csv"),
        swap(s / "metadata.csv", t / "m.csv"),
    ),
}


@pytest.mark.parametrize("kind", ESCAPES)
def test_link_to_anything_else_is_refused(kind, snapshot, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    ESCAPES[kind](snapshot, tmp_path)
    assert run(["score", str(snapshot), *sets.PARTS]) == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert " is refused: " in last
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("path", ["../../blobs/{}", "../../../datasets--org--shapes/blobs/{}"])
def test_metadata_may_not_name_a_blob(path, snapshot):
    name = (snapshot / "00003.png").resolve().name
    (snapshot / "metadata.csv").unlink()
    (snapshot / "metadata.csv").write_text(f"file_name,text\n{path.format(name)},a red cup\n")
    with pytest.raises(UsageError, match="is refused: it leads out of"):
        list(open_set(snapshot).pictures())


def test_a_folder_that_only_looks_alike_has_no_blobs(snapshot, tmp_path):
    """Without the name of a repository and the folder ``snapshots``, nothing is let out."""
    root = snapshot.parents[1]
    blob = (snapshot / "00003.png").resolve()
    assert is_blob(blob, snapshot)
    assert is_blob(blob, snapshot / "train")
    assert not is_blob(blob, root / "refs")
    assert not is_blob(blob, root / "snapshots")
    renamed = root.rename(tmp_path / "hub/shapes")
    with pytest.raises(UsageError, match="metadata.csv.* is refused: a symbolic link leads out of"):
        list(open_set(renamed / "snapshots" / COMMIT).pictures())


def test_name_of_a_snapshot(snapshot, tmp_path):
    assert hub_id(snapshot) == "org/shapes"
    (tmp_path / "short").symlink_to(snapshot)
    assert hub_id(tmp_path / "short") == "org/shapes"
    assert repository(tmp_path / "short") == snapshot.parents[1]
    assert hub_id(snapshot / "train") is None
    assert hub_id(tmp_path) is None
    assert hub_id(tmp_path / "models--gpt2" / "snapshots" / COMMIT) == "gpt2"
