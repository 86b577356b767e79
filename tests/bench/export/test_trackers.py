"""Results in experiment trackers: the real ones, without a network."""

from __future__ import annotations

import importlib.util
import json

import pytest

from bench.cli.main import run as bench
from bench.errors import UsageError
from bench.export.trackers import TRACKERS, log_run, numbers_of
from bench.records import Estimate
from bench.run.derive import current_estimates
from tests.bench.runs import make_run


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return make_run(tmp_path_factory.mktemp("trackers") / "runs" / "painter", seeds=2)


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_SILENT", "true")
    monkeypatch.setenv("WANDB_DIR", str(tmp_path))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", (tmp_path / "mlruns").as_uri())
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.setenv("TENSORBOARD_LOGDIR", str(tmp_path / "tb"))


def score_of(run):
    return next(
        one.value
        for one in current_estimates(run)
        if (one.metric, one.group) == ("binding_score", "all")
    )


def test_numbers_are_those_that_were_measured():
    made = Estimate("binding_score", "all", 0.5, 0.4, 0.6, 10, 10, 5)
    part = Estimate("binding_score", "tag:pair", 0.25, None, None, 4, 4, 2)
    none = Estimate("leakage_rate", "all", float("nan"), None, None, 10, 0, 0)
    assert numbers_of([made, part, none]) == {
        "binding_score": 0.5,
        "binding_score_low": 0.4,
        "binding_score_high": 0.6,
        "binding_score_pair": 0.25,
    }


def test_tensorboard_has_numbers_words_and_pictures(run, tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    log_run(run, current_estimates(run), "tensorboard")
    events = EventAccumulator(str(tmp_path / "tb" / "painter"), {"images": 0, "tensors": 0})
    events.Reload()
    (one,) = events.Scalars("binding/binding_score")
    assert one.value == pytest.approx(score_of(run))
    assert any(":" in tag for tag in events.Tags()["images"])
    assert "verdicts/text_summary" in events.Tags()["tensors"]


def test_mlflow_has_numbers_settings_table_and_pictures(run, tmp_path):
    from mlflow.tracking import MlflowClient

    log_run(run, current_estimates(run), "mlflow")
    client = MlflowClient()
    experiment = client.get_experiment_by_name("binding-bench")
    (logged,) = client.search_runs([experiment.experiment_id])
    assert logged.data.metrics["binding_score"] == pytest.approx(score_of(run))
    assert logged.data.params["run_id"] == run.manifest.id
    names = {one.path for one in client.list_artifacts(logged.info.run_id)}
    assert names == {"verdicts.csv", "captions.tsv", "pictures"}
    assert client.list_artifacts(logged.info.run_id, "pictures")


def test_wandb_has_table_and_pictures_offline(run, tmp_path):
    log_run(run, current_estimates(run), "wandb")
    (folder,) = tmp_path.glob("wandb/offline-run-*")
    (table,) = folder.glob("files/media/table/*.table.json")
    rows = json.loads(table.read_text())
    assert rows["columns"][4] == "verdict"
    assert rows["data"]
    assert list(folder.glob("files/media/images/*.png"))


def test_a_tracker_that_does_not_take_it_leaves_the_run(run, monkeypatch):
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "false")
    with pytest.raises(UsageError, match=r"mlflow does not take.*the run is stored.*--log mlflow"):
        log_run(run, current_estimates(run), "mlflow")


def test_mlflow_without_a_server_or_a_database_has_the_remedy(run, monkeypatch):
    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name, *a: None if name == "sqlalchemy" else real(name, *a),
    )
    monkeypatch.setattr("mlflow.get_tracking_uri", lambda: "sqlite:///mlflow.db")
    with pytest.raises(UsageError, match=r"set MLFLOW_TRACKING_URI.*`pip install mlflow`"):
        log_run(run, current_estimates(run), "mlflow")


def test_one_that_is_not_installed_is_refused_before_the_run(tmp_path, monkeypatch, capsys):
    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *more: None if name == "wandb" else real(name)
    )
    arguments = ["run", "--model", "local", "--preset", "quick", "--runs", str(tmp_path / "r")]
    assert bench([*arguments, "--log", "wandb"]) == 2
    assert "pip install 'binding-bench[wandb]'" in capsys.readouterr().err
    assert not (tmp_path / "r").exists()


def test_a_stored_run_can_be_logged_later(run, tmp_path, capsys):
    assert bench(["show", str(run.folder), "--log", "tensorboard"]) == 0
    assert list((tmp_path / "tb" / "painter").iterdir())
    assert set(TRACKERS) == {"wandb", "mlflow", "tensorboard"}
