"""The numbers at the top, their sentences, and the weakest groups."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reports.headline import by_kind, headlines, highlights, in_ten
from tests.reports.helpers import changed


def test_highlights_have_the_lowest_groups_and_the_commonest_failure(first):
    found = highlights(first)
    values = {e.group: e.value for e in first.estimates if e.metric == "binding_score"}
    colours = sorted(value for group, value in values.items() if group.startswith("colour:"))
    assert [one.value for one in found.colours] == colours[: len(found.colours)]
    for one in found.subjects:
        assert one.value == values[f"subject:{one.name}"]
        assert one.below == (one.high < values["all"])
    failures = first.verdicts.loc[first.verdicts["verdict"] != "bound", "verdict"]
    commonest = failures.value_counts()
    assert f"({commonest.iloc[0]} of {len(failures)} failures)" in found.failure
    bound = changed(first, verdicts=first.verdicts.assign(verdict="bound"))
    assert highlights(bound).failure == "Not one failed."
    assert highlights(changed(first, verdicts=first.verdicts.iloc[:0])).failure == ""


def test_kinds_of_prompt_stand_apart(first):
    found = {tag: one.estimate for tag, _, one in by_kind(first)}
    assert set(found) == {"single", "pair"}
    assert found["pair"] == first.estimate("binding_score", "tag:pair")


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (0, "no pictures"),
        (1, "all pictures"),
        (0.5, "about half the pictures"),
        (0.98, "nearly all pictures"),
        (0.72, "7 in 10 pictures"),
        (0.1, "1 in 10 pictures"),
        (0.02, "1 in 50 pictures"),
        (0.0946, "1 in 11 pictures"),
        (0.004, "fewer than 1 in 100 pictures"),
    ],
)
def test_shares_in_words(share, words):
    assert in_ten(share) == words


def test_headline_sentences_follow_the_interval(first):
    found = headlines(first)
    assert found["binding_score"].sentence.endswith("and only there.")
    score = found["binding_score"].estimate
    assert score.scored <= score.images
    gap = found["gap_seen_novel"]
    assert gap.reach >= max(abs(gap.estimate.low), abs(gap.estimate.high))
    low, high = gap.estimate.low, gap.estimate.high
    clear = low is not None and not low <= 0 <= high
    assert ("No clear difference" in gap.sentence) == (not clear)


def test_any_and_all_of_k_are_shares_of_prompts(first):
    score = first.estimate("binding_score")
    kept = [one for one in first.estimates if "_of_" not in one.metric]
    extra = [replace(score, metric=f"{which}_of_2", value=0.7) for which in ("any", "all")]
    found = headlines(changed(first, estimates=(*kept, *extra)))
    assert found["any_of_2"].sentence == "7 in 10 prompts have at least one of 2 images bound."
    assert found["all_of_2"].sentence == "7 in 10 prompts have every one of 2 images bound."
