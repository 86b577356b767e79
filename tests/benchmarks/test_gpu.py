"""The script for a GPU runs in small on a CPU, and one part that fails leaves the others."""

import json
import time

import pytest

from benchmarks import gpu


def test_all_parts_run_in_small(tmp_path, capsys):
    assert gpu.main(["--tiny", "--device", "cpu", "--out", str(tmp_path)]) == 0
    found = json.loads((tmp_path / "gpu.json").read_text())
    assert found["noise_local"] is True
    assert found["noise_pipeline"] is True
    assert found["same_verdicts"] == 1.0
    assert not found["failed"]
    assert found["sdxl_ratio"] > 0
    lines = (tmp_path / "gpu.md").read_text().splitlines()
    assert len(lines) == 2 + len(found["rows"])
    assert lines[2].startswith("| machine | cpu")
    assert "not judged" not in capsys.readouterr().out


def test_a_part_that_fails_is_told_and_the_next_one_runs(tmp_path, monkeypatch):
    def broken(bench):
        raise ValueError("no such kernel")

    known = {"broken": (5, broken), "slow": (0.2, lambda b: time.sleep(5)), **gpu.parts(True, 8)}
    monkeypatch.setattr(gpu, "parts", lambda tiny, count: known)
    given = ["--tiny", "--device", "cpu", "--out", str(tmp_path)]
    assert gpu.main([*given, "--parts", "broken", "slow", "machine"]) == 1
    found = json.loads((tmp_path / "gpu.json").read_text())
    assert found["failed"]["broken"] == "ValueError: no such kernel"
    assert found["failed"]["slow"].startswith("TimeoutError")
    assert found["peak"] > 0


def test_no_part_begins_without_time():
    def endless():
        with gpu.limited(1):
            while True:
                time.sleep(0.01)

    with pytest.raises(TimeoutError, match="more than 1 s"):
        endless()
