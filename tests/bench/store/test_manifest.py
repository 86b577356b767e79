"""The record of a run: the command that began it, and records of other releases."""

from __future__ import annotations

import json
import math
import re
import sys
from dataclasses import replace

import pytest

from bench.cli.main import run as bench
from bench.errors import StoreError
from bench.records import Estimate
from bench.run.progress import Silent
from bench.run.run import run
from bench.statistics.metrics import OUTSIDE
from bench.store.manifest import command_line, outside, read_manifest
from tests.bench.run.test_process_pool import spec_in


@pytest.mark.parametrize(
    ("argv", "shown"),
    [
        (["/usr/bin/bench", "run", "--model", "a b"], "bench run --model 'a b'"),
        (["/x/bench/__main__.py", "score", "list.csv"], "bench score list.csv"),
        (
            ["/usr/bin/bench", "score", "F", "--vqa-url", "http://gpu7.lab:80/v1", "--resume"],
            "bench score F --vqa-url URL --resume",
        ),
        (["/usr/bin/bench", "score", "--vqa-url=http://gpu7.lab/v1"], "bench score --vqa-url=URL"),
        (["/usr/bin/pytest", "-q"], ""),
        ([""], ""),
    ],
)
def test_command_is_kept_only_of_the_command_line(argv, shown, monkeypatch):
    monkeypatch.setattr(sys, "argv", argv)
    assert command_line() == shown


def test_a_run_folder_of_another_format_is_refused_by_its_version(tmp_path, capsys):
    folder = run(spec_in(tmp_path, seeds=1), Silent()).run.folder
    record = json.loads((folder / "run.json").read_text())
    for other in (0, 2):
        (folder / "run.json").write_text(json.dumps({**record, "format": other}))
        told = f"run.json has format {other}, and this release reads format 1; read it with the"
        with pytest.raises(StoreError, match=re.escape(told)):
            read_manifest(folder)
        for command in (["show"], ["baseline", "--out", str(tmp_path / "b.json")]):
            assert bench([command[0], str(folder), *command[1:]]) != 0
            assert told in " ".join(capsys.readouterr().err.split())


def test_a_run_folder_without_the_newer_fields_is_read(tmp_path, capsys):
    done = run(spec_in(tmp_path, seeds=1), Silent())
    path = done.run.folder / "run.json"
    record = json.loads(path.read_text())
    for field in ("format", "command", "control"):
        record.pop(field)
    path.write_text(json.dumps(record))
    assert bench(["show", str(done.run.folder)]) == 0
    assert "8 of 8 images" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("value", "scored", "told"),
    [(0.0, 100, False), (0.05, 1000, False), (0.08, 500, False), (0.12, 25, False),
     (0.12, 500, True), (1.0, 1, True), (math.nan, 0, False)],
)  # fmt: skip
def test_more_images_outside_than_by_chance_are_told(value, scored, told):
    share = Estimate(OUTSIDE, "all", value, None, None, scored, scored, scored)
    line = outside([replace(share, group="tag:single", value=1.0), share])
    assert (line is not None) == told
    if line is not None:
        assert f"{value:.1%} of {scored:,} images" in line
        assert "bench validate --labels" in line
    assert outside([]) is None
