"""The plan of the study, and one training of it from pictures to a line of results."""

import json
import zipfile

import numpy as np
import pytest
from click.testing import CliRunner

from bench.judge.scorers.measured import REVISION
from prompts.subjects import SUBJECT_LIST
from reference_models.policies import colours_per_subject
from reference_models.study.evaluate import cells_of, verdicts_of
from reference_models.study.factors import BATCH, CONDITIONS, LONG, SEEDS, SHORT, trainings, waves
from reference_models.study.make import main
from reference_models.world.statistics import held_out_pairs


def test_every_condition_has_three_trainings_and_none_comes_twice():
    planned = list(trainings())
    assert len(set(planned)) == len(planned)
    for name in CONDITIONS:
        assert len([one for one, _ in planned if one.name == name]) >= len(SEEDS) >= 3


def test_conditions_see_as_many_pictures_as_their_length_says():
    for condition in CONDITIONS.values():
        preset = condition.preset(2, 6_400)
        assert condition.length in (SHORT, 1, LONG)
        assert preset.images == 6_400 * condition.length
        assert (preset.seed, preset.batch) == (2, BATCH)


@pytest.mark.parametrize("count", [1, 2, 4, 8])
def test_spread_and_concentrated_pairs_are_as_many_and_none_is_held_out(count):
    spread, few = (colours_per_subject(count, one) for one in (False, True))
    assert len(spread) == len(few) == count * len(SUBJECT_LIST)
    assert not (spread | few) & held_out_pairs()
    assert colours_per_subject(1) <= spread
    assert {sum(s == one.name for _, s in spread) for one in SUBJECT_LIST} == {count}
    assert min(sum(s == one.name for _, s in few) for one in SUBJECT_LIST) == 1


def test_a_picture_of_nothing_binds_nothing():
    cells = [cell for cell in cells_of(False) if "potato" in cell.id and cell.template != "pair"]
    gray = np.full((len(cells), 64, 64, 3), 128, np.uint8)
    found = verdicts_of(cells, gray)
    assert {cell.id for cell in cells if cell.bindings[0].colour} == set(found)
    assert not any(row[0] == "bound" for rows in found.values() for row in rows)


def test_a_study_of_two_trainings_is_made_and_not_made_again(tmp_path):
    asked = ["--out", str(tmp_path), "--only", "colours-1", "--seeds", "2", "--images", "64"]
    asked += ["--trainers", "1", "--together", "2", "--judges", "1", "--cells", "0.02"]
    result = CliRunner().invoke(main, asked)
    assert result.exit_code == 0, result.output
    lines = (tmp_path / "results.jsonl").read_text().splitlines()
    line, other = sorted(map(json.loads, lines), key=lambda one: one["seed"])
    assert (line["condition"], line["seed"], line["sampling"]) == ("colours-1", 1, "plain")
    assert (line["pictures"], line["graph"], line["revision"]) == (64, False, REVISION)
    assert other["loss"] != line["loss"]
    with zipfile.ZipFile(tmp_path / "sheets.zip") as sheets:
        assert sheets.namelist() == ["colours-1-seed1-plain.png"]
    assert all(len(row) == 2 for rows in line["cells"].values() for row in rows)
    with (tmp_path / "results.jsonl").open("a") as file:
        file.write(lines[0][:99])
    assert "nothing is missing" in CliRunner().invoke(main, asked).output
    assert (tmp_path / "results.jsonl").read_text().splitlines() == lines


def test_what_is_trained_in_one_step_is_of_one_kind_and_all_is_trained():
    due = list(trainings())
    made = list(waves(due, 5))
    assert sorted(due, key=str) == sorted((one for wave in made for one in wave), key=str)
    assert made[0][0] == due[0]
    for wave in made:
        assert len(wave) <= 5
        assert len({(c.network, c.text, c.length) for c, _ in wave}) == 1
