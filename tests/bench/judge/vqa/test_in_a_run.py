"""A second opinion in a whole run: from the command line to the list of disagreements."""

from __future__ import annotations

import csv
import io
import json

import pytest

from bench.cli.main import run as bench
from tests.bench.judge.vqa.chat_server import Chat


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    with Chat() as chat:
        arguments = [
            "run", "--model", "local", "--preset", "quick", "--limit", "8", "--name", "a",
            "--runs", str(folder), "--scorer", "segmentation", "--scorer", "vqa-api:org/judge",
            "--vqa-url", chat.url, "--vqa-concurrency", "8",
        ]  # fmt: skip
        assert bench(arguments) == 0
    return folder


def test_the_summary_has_agreement_and_the_list_its_images(runs, capsys):
    assert bench(["show", "a", "--runs", str(runs), "--json"]) == 0
    summary = json.loads(capsys.readouterr().out)
    (opinion,) = summary["second_opinions"]
    assert opinion["scorer"] == "vqa"
    assert opinion["bindings"] > 0
    assert bench(["show", "a", "--runs", str(runs), "--disagreements"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert len(rows) == opinion["disagree"]
    assert len({row["sample_id"] for row in rows}) == opinion["images"]
    assert {row["scorer"] for row in rows} == {"vqa"}
    assert bench(["show", "a", "--runs", str(runs)]) == 0
    assert f"disagree on {opinion['images']} image" in capsys.readouterr().out


def test_of_the_server_the_record_has_the_name_of_its_model_alone(runs):
    record = json.loads((runs / "a" / "run.json").read_text())
    scorer = record["scorers"]["vqa-api"]
    assert scorer["options"]["model"] == "org/judge"
    assert "127.0.0.1" not in json.dumps(record["scorers"])


def test_three_forms_exclude_each_other(runs, capsys):
    assert bench(["show", "a", "--runs", str(runs), "--json", "--disagreements"]) == 2
    assert "three forms" in capsys.readouterr().err
