"""What the page says of the makings of the study: what is missing, and what came out twice."""

from __future__ import annotations

from collections.abc import Sequence

from reference_models.study.answers import joined
from reference_models.study.comparisons import Arm, ComparedArms, Results, findings
from reference_models.study.factors import CONDITIONS, SEEDS, trainings
from reference_models.study.tables import GROUPS, odds, table, verdict


def missing_words(results: Results) -> str:
    """Which conditions have fewer trainings than were planned."""
    arms = {name: Arm(name) for name in CONDITIONS}
    made = {
        name: len(results.arms.get(arm, {})) * (arm not in results.older)
        for name, arm in arms.items()
    }
    older = [f"`{name}`" for name, arm in arms.items() if arm in results.older]
    none = [f"`{n}`" for n, count in made.items() if not count and arms[n] not in results.older]
    few = [f"`{name}` {count}" for name, count in made.items() if 0 < count < len(SEEDS)]
    whole, planned = sum(made.values()), sum(1 for _ in trainings())
    if whole == planned:
        return ""
    words = f"{whole} of {planned} planned trainings are made: the time on the GPU was over."
    if few:
        words += f" Fewer than {len(SEEDS)} trainings: {joined(few)}."
    if older:
        words += f" Of the first making alone, and compared within it: {joined(older)}."
    if none:
        words += f" None yet, and nothing said of them: {joined(none)}."
    return f"{words} The first command above makes all of them."


def made_twice(results: Results, found: Sequence[ComparedArms]) -> list[str]:
    """What the first making of the study said of the same comparisons."""
    if results.first is None:
        return []
    before = {one.planned: one for one in findings(results.first)}
    both = [
        (before[one.planned], one)
        for one in found
        if one.planned in before and not {one.planned.arm, one.planned.base} & results.older
    ]
    if not both:
        return []
    same = sum(verdict(old) == verdict(new) for old, new in both)
    rows = [
        [
            f"`{new.planned.arm.name}` against `{new.planned.base.name}`, {new.planned.metric}, "
            f"{GROUPS[new.planned.group]}",
            *(text for one in (old, new) for text in (odds(one), verdict(one))),
        ]
        for old, new in both
    ]
    return [
        "## Made twice",
        "",
        "The first making, of fewer trainings, is kept in [study/first.json](study/first.json). It "
        "was judged by earlier code: commit c7416dc gives the same verdict as today's on "
        "94.9 to 98.5% of the bindings of 786 pictures of each of `local`, `local-clean`, "
        f"`local-dit` and `local-atomic`. Of its {len(both)} comparisons {same} come out the same:",
        "",
        *table(["", "odds times, first", "", "odds times, now", ""], rows),
    ]
