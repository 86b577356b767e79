"""The page of the study: tables, figures and sentences from the results that are kept."""

from __future__ import annotations

from collections.abc import Collection

from reference_models.presets import PRESETS
from reference_models.study import sampled, sentences, taught
from reference_models.study.markdown import section
from reference_models.study.plan import MEMBERS
from reference_models.study.results import Results
from reference_models.study.sampled import Tone


def provenance(results: Results) -> list[str]:
    """Which runs and trainings are behind the page."""
    rows = []
    for one in results.values():
        facts = one.facts
        pictures = f"{facts['pictures']:,}" if "pictures" in facts else "-"
        minutes = f"{facts['seconds'] / 60:.0f}" if "seconds" in facts else "-"
        rows.append(
            [
                f"`{facts['asked']}`",
                str(facts.get("seed", "-")),
                pictures,
                minutes,
                f"{facts['images']:,}",
                f"`{facts['weights'][:12]}`",
                facts["finished"][:10],
            ]
        )
    return section(
        "The runs",
        "All of `bench run --segmenter auto --scorer segmentation`; their numbers are kept in "
        "[study/results.json](study/results.json). Pictures and minutes are of the training: a "
        "shared core of a CPU; for `local` the steps of its distillation. The height of two scores "
        "is a measure of a method only where the pictures seen are as many.",
        ["run", "seed", "pictures", "minutes", "images", "weights", "day"],
        rows,
    )


def conclusions(results: Results) -> list[str]:
    """What follows from the intervals, said only where they do."""
    told = sentences.relation(results)
    if not told:
        return []
    return [
        "## What follows",
        "",
        "![a blue potato from both models, step by step](images/story.png)",
        "",
        "`python -m reference_models.story` draws this picture.",
        "",
        *(f"- {line}" for line in told),
        "",
        "Every sentence of this page is written from the intervals beside it: a difference whose "
        "interval includes zero is said to be none that these runs can tell.",
        "",
    ]


def missing(results: Results) -> list[str]:
    """Members of which nothing is said."""
    absent = [name for name in MEMBERS if f"member-{name}" not in results]
    if not absent:
        return []
    return [
        "## Not measured yet",
        "",
        "Nothing is said of these members above. `python -m reference_models.study --train` trains "
        "and measures them.",
        "",
        *(
            f"- `{name}`: `python -m reference_models.train --preset {name}` "
            f"({PRESETS[name].images:,} pictures)"
            for name in absent
        ),
        "",
    ]


def page(results: Results, tone: Tone | None = None, drawn: Collection[str] = ()) -> str:
    """The study as Markdown.

    Parameters
    ----------
    results : mapping of str to Result
        By name of the experiment, in the order of the plan.
    tone : mapping, optional
        Lightness by member, the rendered scenes first.
    drawn : collection of str
        Files of the figures.
    """
    lines = [
        "# Study: was `<COLOR> <SUBJECT>` learnt as a relation, or as atoms?",
        "",
        "Written by `python -m reference_models.study`, which runs the suite on every member of",
        "the family whose weights are there, goes on where it was stopped, and draws the figures;",
        "with `--train` it trains the others first, other seeds too. The numbers of every run are",
        "kept: `--only-page` writes this page from them without weights.",
        "",
        *conclusions(results),
        *taught.members(results, drawn),
        *taught.over_trainings(results),
        *taught.coverage(results, drawn),
        *taught.leakage(results),
        *taught.varied(results),
        *sampled.lightness(tone or {}),
        *taught.frequency(results, drawn),
        *sampled.sweeps(results, drawn),
        *sampled.arrivals(results, drawn),
        *provenance(results),
        *missing(results),
    ]
    return "\n".join(lines)
