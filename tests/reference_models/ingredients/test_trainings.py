"""The command behind the figures: its parts, and its deadline."""

from dataclasses import replace

from click.testing import CliRunner

from reference_models.ingredients import normalisation, trainings


def test_the_part_with_norms_makes_a_curve_of_each(tmp_path, monkeypatch):
    monkeypatch.setattr(normalisation, "RATES", (1.0,))
    tiny = replace(normalisation.PRESET, width=20, depth=1, batch=4)
    monkeypatch.setattr(normalisation, "PRESET", tiny)
    monkeypatch.setattr(normalisation.train, "__defaults__", (tiny,))
    command = ["--out", str(tmp_path), "--part", "norm", "--norm-images", "8", "--pool", "32"]
    result = CliRunner().invoke(trainings.main, command, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    both = sorted(path.parent.name for path in tmp_path.glob("*/curve.csv"))
    assert both == ["norm-with-1-seed1", "norm-without-1-seed1"]


def test_nothing_is_begun_after_the_deadline(tmp_path):
    command = ["--out", str(tmp_path), "--part", "norm", "--seconds", "0", "--pool", "32"]
    assert CliRunner().invoke(trainings.main, command).exit_code == 0
    assert not list(tmp_path.iterdir())
