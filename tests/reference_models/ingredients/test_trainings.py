"""The command behind the figures: its parts, and its deadline."""

import csv

import pytest
from click.testing import CliRunner

from reference_models.data import ScenePool
from reference_models.ingredients import normalisation, trainings


@pytest.fixture
def invoke(tmp_path, monkeypatch):
    monkeypatch.setattr(
        normalisation, "ScenePool", lambda *a, size: ScenePool(*a, size=64, block=64)
    )

    def run(part, *more):
        command = ["--out", str(tmp_path / "out"), "--part", part, "--alone", "--seconds", "120"]
        result = CliRunner().invoke(trainings.main, [*command, *more], catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return tmp_path / "out"

    return run


def test_curves_with_and_without_stand_side_by_side(invoke, monkeypatch):
    monkeypatch.setattr(trainings, "RATES", (1.0,))
    out = invoke("norm", "--norm-images", "32", "--norm-seeds", "1")
    both = sorted(path.parent.name for path in out.glob("*/curve.csv"))
    assert both == ["norm-with-1-seed1", "norm-without-1-seed1"]
    first = [
        next(csv.DictReader((out / name / "curve.csv").read_text().splitlines())) for name in both
    ]
    assert first[0]["loss"] != first[1]["loss"]


def test_nothing_is_begun_after_the_deadline(tmp_path):
    command = ["--out", str(tmp_path), "--part", "schedule-2", "--alone", "--seconds", "0"]
    assert CliRunner().invoke(trainings.main, command).exit_code == 0
    assert not list(tmp_path.iterdir())
