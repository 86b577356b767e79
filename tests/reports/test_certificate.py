"""The certificate of the scorer on the page."""

from __future__ import annotations

import pytest

from bench.errors import UsageError
from bench.records import VERDICTS
from reports.certificate import load_certificate, read_certificate
from reports.warnings import run_warnings


@pytest.mark.parametrize(
    "control", [None, {}, [], {"passed": "yes"}, {"accuracy": True}, {"confusion": 3}]
)
def test_a_certificate_may_lack_anything(control):
    found = read_certificate({"control": control})
    assert found.main is None
    assert found.passed is None
    assert found.sentence


def test_certificate_names_the_weakest(first):
    found = read_certificate(first.record)
    assert found.main.value == 0.96
    assert "mixed, 80%" in found.sentence
    assert found.main.colours[0] == ("pink", 0.9)
    assert dict(found.main.confusion)["mixed"][VERDICTS.index("bound")] == 10
    assert found.bar == 0.8


def test_a_given_certificate_is_the_headline_and_the_own_check_stays(first):
    row = {"masks": "exact", "accuracy": 0.99, "scenes": 330, "low": 0.97, "high": 1.0}
    own = {**row, "masks": "exact masks by hand", "accuracy": 0.9}
    given = {"segmenter": "exact", "trials": {"plain": {"exact": row, "own": own}}}
    found = read_certificate(first.record, given)
    assert [one.name for one in found.trials] == ["this run's own check", "plain", "plain"]
    assert found.main.value == 0.9
    assert "10.0%" in found.sentence
    assert found.passed is True
    assert found.doubt == ""
    other = read_certificate(first.record, given | {"segmenter": "saliency"})
    assert "saliency" in other.doubt
    assert run_warnings(first, other)[0].grave


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"trials": {"plain": 3}}', '{"trials": []}'])
def test_what_is_no_certificate_is_told_in_one_line(tmp_path, text):
    path = tmp_path / "certificate.json"
    path.write_text(text)
    with pytest.raises(UsageError, match="bench validate --out") as caught:
        load_certificate(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)
