"""The command: what is planned, what is run again, and what is taken from a real run."""

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner

from bench.registry import SAMPLERS
from reference_models.study import __main__ as command
from reference_models.study import runs
from reference_models.study.measures import measured
from reference_models.study.plan import Experiment, experiments, trainings
from reference_models.study.results import Result, read_results
from reference_models.study.tone import Captioned, captioned, tone_of, tone_of_member


def test_every_experiment_has_a_name_of_its_own_and_a_member_that_is_known():
    planned = experiments()
    assert len({one.name for one in planned}) == len(planned)
    assert {one.model for one in planned} - {"local-tokens"} <= set(SAMPLERS)
    needed = trainings(planned)
    assert len(set(needed)) == len(needed)
    assert {("local-atomic", None), ("local-atomic", 2), ("local-cov-100", 3)} <= set(needed)


def test_other_weights_get_another_folder_and_are_measured_again(tmp_path):
    one = Experiment("member-local", "local", ("--seeds", "1"))
    assert runs.folder_of(one, tmp_path, "a" * 64) != runs.folder_of(one, tmp_path, "b" * 64)
    facts = {"asked": "--model local --seeds 1", "weights": "a" * 64}
    kept = {"member-local": Result("member-local", "local", facts)}
    assert command.is_kept(one, kept, "a" * 64)
    assert not command.is_kept(one, kept, "b" * 64)
    assert not command.is_kept(replace(one, options=()), kept, "a" * 64)
    assert not command.is_kept(replace(one, name="other"), kept, "a" * 64)


def test_a_seed_is_looked_for_in_its_own_training(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert runs.weights_of("local-atomic", None)
    assert runs.weights_of("local-atomic", 2) is None
    folder = tmp_path / "training" / "local-atomic-seed2"
    folder.mkdir(parents=True)
    (folder / "local-atomic.safetensors").write_bytes(b"weights")
    assert runs.weights_of("local-atomic", 2)
    assert runs.weights_of("local-sd") == ""


def test_training_is_asked_for_what_is_missing_seeds_too(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    asked = []
    monkeypatch.setattr(command, "train", lambda *what: asked.append(what))
    options = ["--train", "--only-page", "--page", "docs/study.md"]
    (tmp_path / "docs").mkdir()
    result = CliRunner().invoke(command.main, options)
    assert result.exit_code == 0, result.output
    assert ("local-cov-50", None) in asked
    assert ("local-cov-100", 2) in asked
    assert ("local-teacher", None) not in asked
    assert "training local-cov-100, seed 2" in result.stderr
    assert (tmp_path / "docs" / "study.md").is_file()


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A real run of two colours on two subjects, with all frames."""
    out = tmp_path_factory.mktemp("runs")
    options = ("--colours", "blue,green", "--subjects", "potato,cup", "--seeds", "1")
    one = Experiment("frames-local", "local", (*options, "--trajectory"))
    folder = runs.folder_of(one, out, runs.weights_of("local"))
    runs.run(one, folder)
    return one, folder


def test_what_is_kept_of_a_run_is_what_the_suite_estimated(small):
    one, folder = small
    found = measured(one, folder, runs.record_of(folder))
    stored = json.loads((folder / "estimates.json").read_text())["estimates"]
    score = next(e for e in stored if (e["metric"], e["group"]) == ("binding_score", "all"))
    assert found.of("binding_score").triple == (score["value"], score["low"], score["high"])
    assert sum(b.value.scored for b in found.seen) == score["scored"]
    # Counts in the captions, octave by octave, hold the pairs that were asked for.
    assert all(b.first <= b.last < 2 * max(b.first, 1) for b in found.seen)
    assert len(found.noise) == 4
    assert {len(line) for line in found.curves.values()} == {4}
    last = found.curves["subject"][-1].value
    assert last > 0.5 > found.curves["control_subject"][-1].value
    assert found.facts["pairs"] > 200


def test_a_finished_run_is_taken_up_and_not_made_again(small, tmp_path, monkeypatch):
    one, folder = small
    monkeypatch.setattr(command, "run", lambda *_: pytest.fail("made again"))
    kept, saved = {}, []
    command.measure([one], kept, folder.parent, False, lambda: saved.append(1))
    command.measure([one], kept, folder.parent, False, lambda: saved.append(1))
    assert list(kept) == ["frames-local"]
    assert saved == [1]


def test_the_command_says_what_is_wrong_with_its_file(tmp_path):
    path = tmp_path / "results.json"
    path.write_text("{")
    line = [sys.executable, "-m", "reference_models.study", "--only-page", "--results", str(path)]
    done = subprocess.run(line, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith("Error: ")
    assert len(done.stderr.splitlines()) == 1
    assert read_results(tmp_path / "none.json") == ({}, {})


def test_lightness_of_known_pictures():
    gray = np.full((4, 64, 64, 3), 119, np.uint8)
    dark = gray.copy()
    dark[::2] = 0
    found = tone_of({"any": dark, "black": dark[:2], "white": gray})
    # 119 is L* 50.03; black is 0.
    assert found["lightness"].value == pytest.approx(25.0, abs=0.1)
    assert found["spread"].value == pytest.approx(25.0, abs=0.1)
    assert found["edge_chroma"].value == pytest.approx(0, abs=0.1)
    assert found["white_wall"].value == pytest.approx(50.0, abs=0.1)


def test_lightness_is_measured_on_captions_of_the_scenes():
    asked = captioned(512, 8)
    assert len(asked["any"].captions) == len(asked["any"].pictures) == 8
    assert asked["black"].captions
    assert all("black wall" in one for one in asked["black"].captions)
    few = {kind: Captioned(one.captions[:2], one.pictures[:2]) for kind, one in asked.items()}
    scenes = tone_of({kind: one.pictures for kind, one in few.items()})
    drawn = tone_of_member("local", few)
    assert set(drawn) == set(scenes)
    assert all(0 <= value.value <= 130 for value in drawn.values())
