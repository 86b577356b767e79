import errno
import os

import pytest

from bench.errors import StoreError
from bench.store import files


def test_file_appears_whole(tmp_path):
    files.write_text(tmp_path / "a" / "b.txt", "one")
    assert (tmp_path / "a" / "b.txt").read_text() == "one"
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["b.txt"]


def test_failed_write_keeps_the_old_file_and_leaves_nothing(tmp_path):
    path = tmp_path / "b.txt"
    files.write_text(path, "old")

    def half(file):
        file.write(b"ne")
        raise ValueError("half way")

    with pytest.raises(ValueError, match="half way"):
        files.write_whole(path, half)
    assert path.read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (errno.ENOSPC, "No space left on device; free some space and run again"),
        (errno.EROFS, "Read-only file system; choose another folder"),
        (errno.EACCES, "Permission denied; choose another folder"),
    ],
)
def test_errors_of_the_system_become_one_line(tmp_path, monkeypatch, code, words):
    def refuse(descriptor):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(StoreError, match=words) as caught:
        files.write_text(tmp_path / "x.txt", "x")
    assert str(tmp_path / "x.txt") in str(caught.value)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made():
    with pytest.raises(StoreError, match="cannot make the folder /proc/no"):
        files.make_folder(files.Path("/proc/no/such"))


def test_leftovers_of_a_killed_writer_are_removed(tmp_path):
    (tmp_path / "samples").mkdir()
    (tmp_path / "samples" / ".tmp-1-part-000001.parquet").write_bytes(b"half")
    (tmp_path / "samples" / "part-000001.parquet").write_bytes(b"whole")
    assert files.list_parts(tmp_path / "samples") == [tmp_path / "samples" / "part-000001.parquet"]
    assert files.remove_leftovers(tmp_path) == 1
    assert [path.name for path in (tmp_path / "samples").iterdir()] == ["part-000001.parquet"]
