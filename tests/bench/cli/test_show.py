"""``bench show``: one run in full, several as a table, and a reader that goes away."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench.cli.main import run as bench
from tests.reports import synthetic


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Three made-up runs."""
    root = tmp_path_factory.mktemp("shown")
    for seed, name in enumerate("abc"):
        small = {"colours": ("red", "blue"), "subjects": ("frog", "cup"), "pairs": 1}
        synthetic.write_run(root / name, seed=seed, seeds=2, **small)
    return root


@pytest.mark.parametrize("option", ["--runs", "--out"])
def test_one_run_keeps_kinds_of_prompt_apart(folder, capsys, option):
    assert bench(["show", "a", option, str(folder)]) == 0
    printed = capsys.readouterr().out
    for words in ("Binding score", "Singles", "Pairs", "Leakage rate", "this list"):
        assert words in printed


def test_several_runs_are_a_row_each(folder, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    assert bench(["show", "a", "b", "c", "--runs", str(folder)]) == 0
    printed = capsys.readouterr().out
    for words in ("Binding score", "Singles", "Pairs", "95% interval"):
        assert words in printed
    assert [line[0] for line in printed.splitlines() if line[:2] in ("a ", "b ", "c ")] == [*"abc"]


def test_several_runs_as_csv_and_json(folder, capsys):
    assert bench(["show", "a", "b", "--runs", str(folder), "--csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert {row["run"] for row in rows} == {"a", "b"}
    assert bench(["show", "a", "b", "--runs", str(folder), "--json"]) == 0
    both = json.loads(capsys.readouterr().out)
    assert [one["run"]["name"] for one in both] == ["a", "b"]
    alone = next(row for row in rows if row["run"] == "a")
    assert float(alone["value"]) == both[0]["estimates"][0]["value"]
    assert bench(["show", "a", "--runs", str(folder), "--csv"]) == 0
    assert "run" not in next(csv.reader(io.StringIO(capsys.readouterr().out)))


@pytest.mark.parametrize("more", [["--csv"], ["--json"], []])
def test_a_closed_pipe_is_no_error(folder, more):
    names = "a b c a b c a b c".split()
    command = [sys.executable, "-m", "bench", "show", *names, "--runs", str(folder), *more]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        error = process.stderr.read()
        assert process.wait() == 0
    assert error == b""
