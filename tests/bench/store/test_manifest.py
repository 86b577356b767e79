"""What a run records of the command that began it."""

from __future__ import annotations

import sys

import pytest

from bench.store.manifest import command_line


@pytest.mark.parametrize(
    ("argv", "shown"),
    [
        (["/usr/bin/bench", "run", "--model", "a b"], "bench run --model 'a b'"),
        (["/x/bench/__main__.py", "score", "list.csv"], "bench score list.csv"),
        (["/usr/bin/pytest", "-q"], ""),
        ([""], ""),
    ],
)
def test_command_is_kept_only_of_the_command_line(argv, shown, monkeypatch):
    monkeypatch.setattr(sys, "argv", argv)
    assert command_line() == shown
