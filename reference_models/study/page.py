"""The page of the study: tables, figures and sentences from the results that are kept."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from reference_models.presets import PRESETS
from reference_models.study import sentences
from reference_models.study.figures import COVERAGE, seeds_of
from reference_models.study.plan import COMPARED, MEMBERS, SEEDS
from reference_models.study.results import Result, Value
from reference_models.study.sentences import percent, plain

Results = Mapping[str, Result]
Tone = Mapping[str, Mapping[str, Value]]
_PLACES = ("spilled", "neighbour", "background", "mixed", "swapped")


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A Markdown table, numbers to the right."""
    lines = ["| " + " | ".join(heads) + " |", "|---" + "|---:" * (len(heads) - 1) + "|"]
    return [*lines, *("| " + " | ".join(row) + " |" for row in rows), ""]


def section(
    title: str,
    words: str,
    heads: Sequence[str],
    rows: Sequence[Sequence[str]],
    told: Sequence[str] = (),
    figure: tuple[str, str] | None = None,
) -> list[str]:
    """A headed table with its figure and what follows from it; nothing where there are no rows."""
    if not rows:
        return []
    lines = [f"## {title}", "", words, ""]
    if figure is not None:
        lines += [f"![{figure[1]}](images/{figure[0]})", ""]
    lines += table(heads, rows)
    return [*lines, *(f"- {line}" for line in told), *([""] if told else [])]


def own_members(results: Results) -> list[Result]:
    """Default runs of the members' own trainings, in the order of the plan."""
    return [one for one in results.values() if one.name == f"member-{one.model}"]


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
        _figure(drawn, "members", "binding of every member on taught and on never-taught pairs"),
    )


def _figure(drawn: Collection[str], name: str, words: str) -> tuple[str, str] | None:
    file = f"study-{name}.svg"
    return (file, words) if file in drawn else None


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
                f"{one.facts['pairs']} of 297",
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
        _figure(drawn, "coverage", "binding against the share of pairs taught"),
    )


def leakage(results: Results) -> list[str]:
    """Where the colour went instead."""
    rows = [
        [
            f"`{one.model}`",
            percent(one.of("leakage_rate")),
            *(percent(one.of(f"leakage_{place}")) for place in _PLACES),
            percent(one.of("kept_prior")),
            percent(one.of("other_colour")),
            percent(one.of("drawn")),
        ]
        for one in own_members(results)
    ]
    heads = ["model", "leakage", *_PLACES, "kept its colour", "another colour", "drawn"]
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
        "## One thing changed",
        "",
        "`local-capped` is `local-cov-75` but for the earliest time of its training: the same "
        "pairs, number of pictures, batch and random start. `local-ddpm` begins with the weights "
        "of `local-teacher` and learns the other target on 64,000 pictures more.",
        "",
        *(f"- {line}" for line in told),
        "",
    ]


_TONES: tuple[tuple[str, str], ...] = (
    ("lightness", "mean L*"),
    ("spread", "spread of L*"),
    ("edge_lightness", "background L*"),
    ("edge_spread", "its spread"),
    ("edge_chroma", "its chroma"),
    ("black_wall", "black wall L*"),
    ("white_wall", "white wall L*"),
)


def lightness(tone: Tone) -> list[str]:
    """Lightness and chroma against the rendered scenes."""
    rows = [
        [
            "rendered scenes" if name == "rendered" else f"`{name}`",
            *(plain(one.get(key, Value(None))) for key, _ in _TONES),
        ]
        for name, one in tone.items()
    ]
    return section(
        "Lightness",
        "A training that never reaches full noise leaves a signal at the noisy end: the picture's "
        "mean. Sampling begins without it, so pictures could be drawn towards the middle. Measured "
        "on captions of scenes as `local-cov-75` was shown them, the same noises for all: CIELAB "
        "L* and chroma of whole pictures, of their outermost six pixels (the background), and "
        "there where the caption has a black or a white wall. Spread is the mean distance from the "
        "mean over pictures. Intervals over pictures.",
        ["pictures", *(words for _, words in _TONES)],
        rows if len(rows) > 1 else [],
        sentences.toned(tone),
    )


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
        _figure(drawn, "seen", "binding against the number of captions that said the pair"),
    )


def sweeps(results: Results, drawn: Collection[str]) -> list[str]:
    """Guidance and steps of the teacher."""
    metrics = ("binding_score", "drawn", "leakage_rate", "leakage_spilled", "leakage_background")
    heads = ["binding", "drawn", "leakage", "spilled", "background", "leak beyond the control"]

    def rows(kind: str) -> list[list[str]]:
        chosen = [one for one in results.values() if one.name.startswith(f"{kind}-")]
        return [
            [
                one.name.rpartition("-")[2],
                *(percent(one.of(metric)) for metric in metrics),
                percent(one.of("leak_excess"), signed=True),
            ]
            for one in chosen
        ]

    return [
        *section(
            "Guidance scale",
            "`local-teacher`, 8 steps, grid `quick`. Does more guidance bind, and does it burn "
            "colour into the wall?",
            ["scale", *heads],
            rows("guidance"),
            sentences.by_guidance(results),
            _figure(drawn, "sweeps", "binding and leaks by guidance scale and by steps"),
        ),
        *section(
            "Steps", "`local-teacher`, guidance 4, grid `quick`.", ["steps", *heads], rows("steps")
        ),
    ]


def arrivals(results: Results, drawn: Collection[str]) -> list[str]:
    """When the colour came."""
    metrics = ("arrival_noise", "before_background", "before_neighbour", "stood_elsewhere")
    rows = [
        [f"`{one.model}`", *(percent(one.of(metric)) for metric in (*metrics, "stayed_elsewhere"))]
        for one in results.values()
        if one.name.startswith("frames-")
    ]
    heads = ["model", "noise at arrival", "on background before", "on neighbour before"]
    return section(
        "When the colour came",
        "Grid `quick`, all frames ([the trajectory](trajectory.md)). The curves: share of each "
        "place in the asked colour, frame by frame, with 95% bands over prompts, and dotted the "
        "share in the control of the same noise. The table: noise left, in percent, when half of "
        "the final share of the colour is on the subject; share of the colour on background and on "
        "a neighbour before that, beyond the control; share of images where it once stood "
        "elsewhere, and of those where it never left.",
        [*heads, "stood elsewhere", "stayed there"],
        rows,
        sentences.on_the_way(results),
        _figure(drawn, "trajectory", "share of the asked colour by place, from noise to picture"),
    )


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
        "shared core of a CPU; for `local` the steps of its distillation. `local-teacher` and "
        "`local-dit` saw other numbers of pictures than the members that are compared: between "
        "those the height of a score is no measure of the method.",
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
    parts: list[Callable[[], list[str]]] = [
        lambda: conclusions(results),
        lambda: members(results, drawn),
        lambda: over_trainings(results),
        lambda: coverage(results, drawn),
        lambda: leakage(results),
        lambda: varied(results),
        lambda: lightness(tone or {}),
        lambda: frequency(results, drawn),
        lambda: sweeps(results, drawn),
        lambda: arrivals(results, drawn),
        lambda: provenance(results),
        lambda: missing(results),
    ]
    lines = [
        "# Study: was `<COLOR> <SUBJECT>` learnt as a relation, or as atoms?",
        "",
        "Written by `python -m reference_models.study`, which runs the suite on every member of",
        "the family whose weights are there, goes on where it was stopped, and draws the figures;",
        "with `--train` it trains the others first, other seeds too. The numbers of every run are",
        "kept: `--only-page` writes this page from them without weights.",
        "",
    ]
    for part in parts:
        lines += part()
    return "\n".join(lines)
