"""Tables of what the members learned: by what each was taught, and what was varied in it."""

from __future__ import annotations

from collections.abc import Collection

from reference_models.presets import PRESETS
from reference_models.study import sentences
from reference_models.study.markdown import figure_of, section
from reference_models.study.plan import COMPARED, COVERAGE, PAIRS, SEEDS
from reference_models.study.results import Result, Results, Value, seeds_of
from reference_models.study.sentences import percent

_PLACES = ("spilled", "neighbour", "background", "swapped")


def own_members(results: Results) -> list[Result]:
    """Default runs of the members' own trainings, in the order of the plan."""
    return [one for one in results.values() if one.is_own]


def members(results: Results, drawn: Collection[str]) -> list[str]:
    """Binding by model on all cells, taught and never taught, canonical and anti-canonical."""
    groups = ("all", "tag:seen", "tag:novel", "tag:canonical", "tag:anti-canonical")
    rows = [
        [f"`{one.model}`", *(percent(one.of("binding_score", group)) for group in groups)]
        for one in own_members(results)
    ]
    return section(
        "Binding by model",
        "Binding score in percent with its 95% interval over prompts; grid `default`, one image a "
        "prompt, regions by `auto`. Taught and never taught are by the captions of each model's "
        "own training; canonical and anti-canonical are the same prompts for all.",
        ["model", "all", "taught", "never taught", "canonical", "anti-canonical"],
        rows,
        sentences.goal(results),
        figure_of(drawn, "members", "binding of every member on taught and on never-taught pairs"),
    )


def over_trainings(results: Results) -> list[str]:
    """The compared members, training by training."""
    rows, lacking = [], []
    for model in COMPARED:
        runs = seeds_of(results, model)
        if not runs:
            continue
        if len(runs) < len(SEEDS):
            lacking.append(model)
        for group, words in (
            ("tag:seen", "taught"),
            ("tag:novel", "never taught"),
            ("natural", "natural colours"),
            ("unnatural", "all other pairs"),
        ):
            one = sentences.over_seeds(results, model, "binding_score", group)
            if one is None:
                continue
            seeds = ", ".join(
                f"{100 * value:.1f}" if (value := run.of("binding_score", group).value) is not None
                else "-"
                for run in runs
            )  # fmt: skip
            spread = f"{100 * min(one.values):.1f} to {100 * max(one.values):.1f}"
            rows.append([f"`{model}`", words, seeds, spread, percent(sentences.as_value(one))])
    words = (
        "The same preset trained again from other random weights on other pictures (`--seed`). The "
        "last column is the mean with a 95% t-interval over trainings; the intervals of all other "
        "tables are over prompts, within one training. A mean of one training has none."
    )
    told = []
    if lacking:
        told.append(
            f"Fewer than {len(SEEDS)} trainings so far: {sentences.listed(lacking)}. A t-interval "
            "of two trainings is wide, of one there is none."
        )
    heads = ["model", "pairs", "each training", "range", "mean over trainings"]
    return section("Several trainings", words, heads, rows, told)


def coverage(results: Results, drawn: Collection[str]) -> list[str]:
    """How much of the grid must be seen."""
    rows = []
    for name in ("local-atomic", *COVERAGE):
        one = results.get(f"member-{name}")
        if one is None:
            continue
        groups = ("tag:seen", "tag:novel", "held")
        rows.append(
            [
                f"`{name}`",
                f"{one.facts['pairs']} of {PAIRS}",
                *(percent(one.of("binding_score", group)) for group in groups),
                percent(one.of("gap_seen_novel"), signed=True),
            ]
        )
    return section(
        "How much of the grid must be seen",
        "Members that differ in the share of pairs that they were shown and in nothing else: the "
        "same network, number of pictures, batch and random start. `local-atomic` has the natural "
        "colours alone and, unlike the series, never hears the colour of a plate or a wall. The "
        "held quarter are the same prompts for all: pairs that only `local-cov-100` was taught. "
        "Every subject is in each of them, in at least one colour.",
        ["model", "pairs taught", "taught", "never taught", "held quarter", "gap"],
        rows,
        sentences.covering(results),
        figure_of(drawn, "coverage", "binding against the share of pairs taught"),
    )


def leakage(results: Results) -> list[str]:
    """Where the colour went instead."""
    rows = [
        [
            f"`{one.model}`",
            percent(one.of("leakage_rate")),
            *(percent(one.of(f"leakage_{place}")) for place in _PLACES),
            percent(one.of("mixed")),
            percent(one.of("kept_prior")),
            percent(one.of("other_colour")),
            percent(one.of("drawn")),
        ]
        for one in own_members(results)
    ]
    heads = ["model", "leakage", *_PLACES, "mixed", "kept its colour", "another colour", "drawn"]
    crossed = [
        [
            f"`{one.model}`",
            *(
                percent(one.of(metric, f"tag:{tag}"))
                for metric in ("leakage_rate", "kept_prior", "other_colour")
                for tag in ("canonical", "anti-canonical")
            ),
        ]
        for one in own_members(results)
    ]
    both = [
        f"{name}, {kind}"
        for name in ("leakage", "kept its colour", "another colour")
        for kind in ("canonical", "anti-canonical")
    ]
    return [
        *section("Leakage by place", "Percent of valid images, the same runs.", heads, rows),
        *section(
            "Natural and unnatural colours",
            "What happened where the natural colour was asked for, and where the least natural one "
            "was. Percent of valid images.",
            ["model", *both],
            crossed,
        ),
    ]


def varied(results: Results) -> list[str]:
    """What one difference did."""
    told = sentences.variations(results)
    if not told:
        return []
    return [
        "## Varied from another",
        "",
        "`local-capped` is `local-cov-75` but for the earliest time of its training, where its "
        "sampling begins too: the same pairs, number of pictures, batch and random start. "
        "`local-ddpm` differs from `local-teacher` in more than its target: it begins with the "
        f"teacher's weights, sees {PRESETS['local-ddpm'].images:,} pictures more, and is sampled "
        f"in {PRESETS['local-ddpm'].steps} steps with guidance "
        f"{PRESETS['local-ddpm'].guidance_scale:g} in place of {PRESETS['local-teacher'].steps} "
        f"with {PRESETS['local-teacher'].guidance_scale:g}; what of the difference is the target's "
        "is not told apart.",
        "",
        *(f"- {line}" for line in told),
        "",
    ]


def frequency(results: Results, drawn: Collection[str]) -> list[str]:
    """Binding by the number of times a pair was seen."""
    found = [
        one
        for name in ("local-teacher", "local-sd")
        if (one := results.get(f"member-{name}")) is not None
    ]
    bins = sorted({(b.first, b.last) for one in found for b in one.seen})
    by_bin = [{(b.first, b.last): b.value for b in one.seen} for one in found]
    rows = [
        [
            f"{first:,} to {last:,}" if first else "never",
            *(percent(one.get((first, last), Value(None))) for one in by_bin),
            *(str(one[first, last].cells) if (first, last) in one else "-" for one in by_bin),
        ]
        for first, last in bins
    ]
    names = [one.model for one in found]
    return section(
        "Binding against what was seen",
        "Both were shown colours with natural priors and a long tail. Pairs by the number of "
        "training captions that said them (`NAME.manifest.json`), in octaves; binding score of the "
        "grid `default`. The most frequent pairs are the natural colours, so that frequency and "
        "nature cannot be told apart here.",
        ["captions", *(f"`{n}`" for n in names), *(f"prompts, `{n}`" for n in names)],
        rows,
        sentences.by_frequency(results),
        figure_of(drawn, "seen", "binding against the number of captions that said the pair"),
    )
