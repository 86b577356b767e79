import json
import os
import subprocess
import sys

import pytest

from bench.errors import StoreError
from bench.store.lock import HOLDER, locked


def test_second_holder_is_told_who_is_there(tmp_path):
    code = "import sys; from bench.store.lock import locked\n"
    code += f"with locked(__import__('pathlib').Path({str(tmp_path)!r})): print('in')"
    with locked(tmp_path):
        second = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=False
        )
    assert second.returncode == 1
    assert f"is in use by process {os.getpid()} on " in second.stderr
    with locked(tmp_path) as stale:
        assert stale is None


def test_lock_of_a_dead_process_is_taken_over_and_told(tmp_path):
    holder = {"pid": "4194304", "host": "elsewhere", "since": "2025-01-01T00:00:00+00:00"}
    (tmp_path / HOLDER).write_text(json.dumps(holder))
    with locked(tmp_path) as stale:
        assert stale == holder
        assert json.loads((tmp_path / HOLDER).read_text())["pid"] == str(os.getpid())
    assert not (tmp_path / HOLDER).exists()


def test_lock_is_let_go_after_an_error(tmp_path):
    with pytest.raises(RuntimeError), locked(tmp_path):
        raise RuntimeError
    with locked(tmp_path):
        pass


def test_in_one_process_too(tmp_path):
    with locked(tmp_path), pytest.raises(StoreError, match="in use"), locked(tmp_path):
        pass
