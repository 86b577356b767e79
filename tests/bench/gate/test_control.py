"""A judge that is broken is found out: in the summary, the report and the gate of its run."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from bench.cli.main import run as bench
from bench.judge.scorers.segmentation import SegmentationScorer
from bench.protocols import Usage
from bench.run.components import Components, build
from bench.run.record import close_run
from bench.run.self_check import is_due, self_check
from bench.store.lock import locked
from tests.bench.runs import go
from tests.bench.shapes import ShapeSampler


class ReversedChannels(SegmentationScorer):
    """The scorer, given its pictures in BGR: a mistake that people make."""

    def score(self, generations, regions):
        turned = [replace(g, image=g.image[..., ::-1].copy()) for g in generations]
        return super().score(turned, regions)


def made(folder, scorer):
    crew = Components(ShapeSampler(), build("segmenter", "clip", {}), {"segmentation": scorer})
    run, _ = go(folder, team=crew, seeds=1)
    assert is_due(run.manifest)
    with locked(folder):
        closed = close_run(run, Usage(), control=self_check(run.manifest, crew))
    assert not is_due(closed.manifest)
    return closed


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("control")
    return made(folder / "sound", SegmentationScorer()), made(folder / "broken", ReversedChannels())


def test_the_control_tells_a_broken_scorer_from_a_sound_one(runs):
    sound, broken = (run.manifest.control for run in runs)
    assert sound["passed"] is True
    assert broken["passed"] is False
    assert broken["macro_f1"] < 0.6 < sound["macro_f1"]


def test_the_summary_says_so(runs, capsys):
    for run, warned in zip(runs, (False, True), strict=True):
        assert bench(["show", str(run.folder)]) == 0
        assert ("failed their control check" in capsys.readouterr().out) is warned
        assert bench(["show", str(run.folder), "--json"]) == 0
        warnings = json.loads(capsys.readouterr().out)["warnings"]
        assert any("control" in line for line in warnings) is warned


def test_the_report_says_so(runs, tmp_path):
    for run, warned in zip(runs, (False, True), strict=True):
        page = tmp_path / f"{run.folder.name}.html"
        assert bench(["report", str(run.folder), "--out", str(page)]) == 0
        text = page.read_text()
        assert ("failed its control checks" in text) is warned


def test_the_gate_refuses_and_can_be_told_to_let_it_through(runs, tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    sound, broken = runs
    for run in runs:
        file = str(tmp_path / f"{run.folder.name}.json")
        assert bench(["baseline", str(run.folder), "--out", file]) == 0
    check = ["check", str(broken.folder), "--baseline", str(tmp_path / "broken.json")]
    capsys.readouterr()
    assert bench(check) == 3
    assert "failed their control" in capsys.readouterr().err
    assert bench([*check, "--allow", "control", "--json"]) == 0
    decision = json.loads(capsys.readouterr().out)
    assert any("control failed" in line for line in decision["warnings"])
    whole = ["check", str(sound.folder), "--baseline", str(tmp_path / "sound.json")]
    assert bench(whole) == 0
    assert bench([*whole, "--allow", "control"]) == 0
