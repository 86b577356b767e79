"""The study and the story: what the page says, and what is run again."""

import json

import numpy as np
import pytest
from PIL import Image

from reference_models import study
from reference_models.story import rows_used, stacked
from reference_models.study_page import Found, cell, page


def estimate(value, low=None, high=None):
    return {"value": value, "low": low, "high": high}


def result(name, model, **values):
    table = {(metric, "all"): estimate(*numbers) for metric, numbers in values.items()}
    return Found(name, model, table)


def test_a_cell_has_value_and_interval_or_says_that_there_is_none():
    one = result("study-local", "local", a=(0.5, 0.25, 0.75), b=(0.5,), c=(None,))
    assert cell(one, "a") == "50.0 (25.0 to 75.0)"
    assert cell(one, "a", signed=True) == "+50.0 (+25.0 to +75.0)"
    assert cell(one, "b") == "50.0"
    assert cell(one, "c") == cell(one, "d") == "-"


def test_the_page_tells_what_is_there_and_what_is_not():
    results = [
        result("study-local", "local", binding_score=(0.9, 0.8, 1.0), leakage_rate=(0.1,)),
        result("study-guidance-2", "local-teacher", binding_score=(0.8,)),
        result("study-frames-local", "local", arrival_noise=(0.75, 0.7, 0.8)),
    ]
    text = page(results, ["local-dit"])
    assert "| `local` | 90.0 (80.0 to 100.0) |" in text
    assert "| 2 | 80.0 |" in text
    assert "| local | 75.0 (70.0 to 80.0) |" in text
    assert "## Steps" not in text
    assert "`python -m reference_models.train --preset local-dit` (120,000 pictures)" in text
    assert "Not trained yet" not in page(results, [])


def test_every_experiment_has_a_name_of_its_own_and_a_member_that_is_known():
    planned = study.experiments()
    assert len({one.name for one in planned}) == len(planned)
    from bench.tables import SAMPLERS

    assert {one.model for one in planned} <= set(SAMPLERS)


@pytest.mark.parametrize("finished", [None, "2026-11-24T00:00:00+00:00"])
def test_only_runs_that_are_not_finished_are_run(tmp_path, monkeypatch, finished):
    one = study.Experiment("study-x", "local", ("--preset", "quick"))
    (tmp_path / "study-x").mkdir()
    (tmp_path / "study-x" / "run.json").write_text(json.dumps({"finished": finished}))
    ran = []
    monkeypatch.setattr(study.subprocess, "run", lambda command, **_: ran.append(command))
    study.run(one, tmp_path)
    assert bool(ran) == (finished is None)
    assert study.found(one, tmp_path / "nowhere") is None
    if ran:
        assert ran[0][-2:] == ["--preset", "quick"]


def test_members_without_weights_are_told(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    absent = study.missing(study.experiments())
    assert "local-cov-10" in absent
    assert not {"local", "local-teacher", "local-ddpm-ancestral"} & set(absent)


def test_strips_are_stacked_under_their_titles_without_white_feet():
    strip = Image.new("RGB", (40, 100), (255, 255, 255))
    strip.paste((200, 0, 0), (0, 0, 40, 50))
    cut = rows_used(strip)
    assert cut.size == (40, 57)
    sheet = np.asarray(stacked([("one", cut), ("two", cut)]))
    assert sheet.shape == (2 * (57 + 22), 40, 3)
    assert (sheet[[30, 30 + 79], 20] == (200, 0, 0)).all()
