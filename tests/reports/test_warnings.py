"""Warnings that belong before any number."""

from __future__ import annotations

from bench.store.run import Run
from reports.certificate import read_certificate
from reports.headline import judged_of
from reports.reading import RunTables
from reports.tabulation import (
    unjudged_reasons,
)
from reports.warnings import comparison_cautions, run_warnings
from tests.reports.helpers import changed, with_verdict


def told(run: RunTables):
    return run_warnings(run, read_certificate(run.record))


def test_what_was_not_judged_is_told_first_with_its_reasons(first):
    few = with_verdict(first, first.verdicts.index[:1], "unjudged")
    assert not any("were judged" in one.text for one in told(few))
    many = with_verdict(first, first.verdicts.index[: len(first.verdicts) // 4], "unjudged")
    many.verdicts.loc[many.verdicts["verdict"] == "unjudged", "rule"] = "ambiguous"
    assert "were judged" in told(many)[0].text
    judged, total = judged_of(many)
    assert f"{judged:,} of {total:,}" in told(many)[0].text
    reason = "two things look alike, and nothing tells which of them is the subject"
    assert unjudged_reasons(many) == [(reason, total - judged)]
    many.verdicts.loc[many.verdicts["verdict"] == "unjudged", "rule"] = "some_rule"
    assert unjudged_reasons(many) == [("unjudged: some rule", total - judged)]


def test_cautions_come_grave_first(first):
    verdicts = first.verdicts.copy()
    verdicts.loc[verdicts.index[: len(verdicts) // 2], "verdict"] = "invalid"
    control = {"passed": False, "accuracy": 0.4}
    record = first.record | {"control": control, "images": 10_000, "limit": 3}
    found = told(changed(first, verdicts=verdicts, record=record))
    texts = " ".join(caution.text for caution in found)
    assert "failed its control" in texts
    assert "not complete" in texts
    assert "invalid" in texts
    assert "--limit" in texts
    graves = [caution.grave for caution in found]
    assert graves == sorted(graves, reverse=True)
    few = changed(first, verdicts=verdicts[verdicts["cell_id"] == verdicts["cell_id"].iloc[0]])
    assert any("Only 1 cell:" in caution.text for caution in told(few))
    empty = changed(first, verdicts=verdicts.iloc[:0])
    assert any("No image" in caution.text for caution in told(empty))


def test_a_clean_run_has_no_caution(first):
    assert told(first) == []


def test_unlike_runs_are_told(first, second):
    assert comparison_cautions([first, second], ["a", "b"]) == []
    manifest = first.stored.manifest

    def remade(**parts) -> RunTables:
        return changed(first, stored=Run(first.stored.folder, manifest.model_copy(update=parts)))

    saliency = manifest.segmenter.model_copy(update={"name": "saliency"})
    grid = manifest.grid.model_copy(update={"hash": "x"})
    other = remade(segmenter=saliency, grid=grid)
    words = [one.text for one in comparison_cautions([first, other], "ab")]
    assert any("prompts" in text for text in words)
    assert any("segmenters" in text for text in words)
    device = manifest.segmenter.model_copy(update={"options": {"device": "cuda"}})
    assert comparison_cautions([first, remade(segmenter=device)], "ab") == []
