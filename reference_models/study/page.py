"""The page of the study: findings, figures, and the tables behind them."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

from reference_models.study.answers import answers, joined
from reference_models.study.caption_shares import loose_share
from reference_models.study.comparisons import Arm, ComparedArms, Results, findings
from reference_models.study.drawings import PLACE_WORDS, Drawing
from reference_models.study.factors import CLEANED, CONDITIONS, GUIDANCE, LONG, SHORT
from reference_models.study.figures import READERS, REPAIRS, TAUGHT, repaired
from reference_models.study.makings import made_twice, missing_words
from reference_models.study.tables import compared, percent, shares, table

_MOST = ("bound", "leaked", "mixed", "kept", "absent")
_PAIRS = ("bound", "swapped", "leaked", "kept", "absent")


def page(results: Results, pictures: bool = False) -> str:
    """The whole of ``docs/study.md``; ``pictures`` where there is a sheet of them."""
    found, missing = findings(results), missing_words(results)
    doses = [Arm(name) for name in ("clean", "loose-10", "loose-25", "loose-50")]
    repairs = [repaired(dose, name) for dose in (25, 50) for name, _ in REPAIRS]
    repairs += [Arm("clean"), Arm("clean", "attention-0.1")]
    readers = [arm for arm, _ in READERS]
    held = [arm for arm, _ in TAUGHT]
    places = [f"leaked to {words}" for words in PLACE_WORDS.values()]
    sheet = [
        "The same prompts from the same noise, networks of seed 1:",
        "",
        "![the same prompts drawn by networks of nine conditions](images/study-pictures.png)",
        "",
    ]
    lines = [
        *_opening(results),
        "## What follows",
        "",
        *(f"- {line}" for line in answers(found)),
        f"- **What must be taught?** {_coverage(results)}",
        "",
        *(sheet if pictures else []),
        "## Leaks: loose captions",
        "",
        "In a share of the captions that name one subject and a colour, the colour is that of the "
        "wall, the table, the plate or the frame, and the subject has a colour of its nature, as "
        "captions of the web have it. Leaks grow faster than the share of such captions, and "
        "trainings differ most where they leak most. Of the captions that say a pair, "
        f"{joined(_loose_captions())} are loose with 10, 25 and 50% (means over pairs); of "
        "10 and 25%, U-Nets leak less often than that.",
        "",
        "![leakage by place against the share of loose captions](images/study-leak.svg)",
        "",
        *compared(found, "leak"),
        "## Swaps: what the reader of the prompt knows of word order",
        "",
        "The same network, pictures and captions, read by another text encoder. A bag of words is "
        "enough for one subject and one colour. With two colours in the prompt, each lands on the "
        "other thing nearly as often as on its own: in pairs, and on the scenery. CLIP's frozen "
        "vectors, one a token, know the order of words, but less well; its one vector for the "
        "prompt does not hold two pairs. A trained vector a word and one a place (`static`) are "
        "enough: pairs need no transformer over the words.",
        "",
        "![bound and swapped in pairs by text encoder](images/study-swap.svg)",
        "",
        *compared(found, "swap"),
        *compared(found, "reader"),
        "By kind of prompt: a colour and a subject (single); the same with scenery, half of it "
        "with a colour of its own (scene); subjects in pairs.",
        "",
        *_kinds(results, [*READERS, (Arm("loose-25"), ""), (Arm("loose-50"), "")]),
        "## Repairs",
        "",
        f"Guidance other than {GUIDANCE:g}; clean captions for the last {100 * CLEANED:.0f}% of "
        "the training; and guidance by attention at several strengths: while a picture is drawn, "
        "each colour word is made to look where its noun does (SynGen, Rassin et al. 2023; "
        "[`attention_guidance.py`](../reference_models/attention_guidance.py)). Less guidance "
        "leaks less where half of the captions are loose, and binds no more: more subjects keep "
        "their own colour.",
        "",
        "![bound and leaked by repair](images/study-repair.svg)",
        "",
        *compared(found, "repair"),
        "## Coverage: colours a subject",
        "",
        "Every colour and subject is taught, and 54 pairs never: how many are bound all the same, "
        "by the number of colours that a subject was taught in, spread over all subjects or lying "
        "on a few. With one colour a subject the word tells nothing that the noun does not.",
        "",
        "![never-taught pairs bound by colours a subject](images/study-coverage.svg)",
        "",
        *table(
            ["", "trainings", "bound, never taught"],
            shares(results, held, ["bound"], "held"),
        ),
        *compared(found, "coverage"),
        *_networks(found),
        *made_twice(results, found),
        "## Tables",
        "",
        "Percent of judged images: means over trainings, with 95% t-intervals of the mean log-odds "
        "over trainings, never narrower than the exact interval of the prompts of one.",
        "",
        "Where the colour went, prompts of one subject:",
        "",
        *table(["", "trainings", *places], shares(results, doses, places, "one")),
        "Repairs, prompts of one subject:",
        "",
        *table(["", "trainings", *_MOST], shares(results, repairs, _MOST, "one")),
        "Subjects in pairs:",
        "",
        *table(
            ["", "trainings", *_PAIRS],
            shares(results, [*readers, Arm("bag", "attention-0.1")], _PAIRS, "pair"),
        ),
        "All conditions, prompts of one subject:",
        "",
        *table(
            ["", "trainings", *_MOST, "not judged"],
            [
                [*row, f"{100 * _unjudged(results.arms[arm].values()):.1f}"]
                for arm in map(Arm, CONDITIONS)
                for row in shares(results, [arm], _MOST, "one")
            ],
        ),
        f"Of all bindings {100 * _unjudged(results.of_this_making()):.1f}% could not be judged; "
        "they are in no share.",
        "",
        *(["## What is missing", "", missing] if missing else []),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _coverage(results: Results) -> str:
    """The sentence on coverage, of the conditions that are there."""
    counts = (1, 2, 4, 8)
    told = [(k, results.share(Arm(f"colours-{k}"), "bound", "held")) for k in counts]
    parts = [
        f"{percent(share)} where each subject was taught in {number} colour{'s' * (number > 1)}"
        for number, share in told
        if share.interval is not None
    ]
    words = f"Of the pairs that were never taught these percent are bound: {', '.join(parts)}."
    few = results.share(Arm("concentrated-4"), "bound", "held")
    if few.counts:
        words += (
            " As many pairs as four colours a subject, but with all colours on ten subjects and "
            f"one on the others: {percent(few)}{' (one training)' * (len(few.counts) == 1)}."
        )
    return words if parts else "Not made yet."


def _kinds(results: Results, rows: Sequence[tuple[Arm, str]]) -> list[str]:
    shown = [("bound", "single"), ("bound", "scene"), ("leaked", "scene"), ("bound", "pair")]
    found = [
        [f"`{arm.name}`", *(percent(results.share(arm, *one)) for one in shown)]
        for arm, _ in rows
        if arm in results.arms
    ]
    return table(["", *(f"{metric}, {group}" for metric, group in shown)], found)


def _loose_captions() -> list[str]:
    doses = (CONDITIONS[f"loose-{dose}"].noise for dose in (10, 25, 50))
    return [f"{100 * loose_share(noise):.0f}%" for noise in doses]


_NETWORKS = [
    "![bound and leaked by network and number of pictures](images/study-networks.svg)",
    "",
]


def _networks(found: Sequence[ComparedArms]) -> list[str]:
    sections = {
        "network": (
            "## Networks",
            "In place of the U-Net, on the same pictures, captions and number of images: the "
            "transformer on patches (`dit`); the transformer over codes that draws one after the "
            "other (`tokens`), and the one that guesses all at once (`masked`), both with the "
            "quantiser of `local-tokens`, which reads no captions. With true captions all bind one "
            "subject, and the transformer fewer pairs. With loose ones U-Net and transformer leak "
            "alike, and models over codes several times as often: more often than their captions "
            "are loose.",
        ),
        "length": (
            "## Number of pictures",
            f"The same trainings with {SHORT:g} of the pictures (`short`) or {LONG:g} times as "
            "many (`long`), from the same pool. A quarter is too few to draw well: many subjects "
            "are not there, and of many pictures nothing can be told (see the last table), so that "
            "the shares are of the better ones.",
        ),
    }
    lines: list[str] = []
    for question, text in sections.items():
        rows = compared(found, question)
        figure = _NETWORKS if rows and not lines else []
        lines += [text[0], "", text[1], "", *figure, *rows] if rows else []
    return lines


def _unjudged(drawn: Collection[Drawing]) -> float:
    return sum(one.unjudged() for one in drawn) / len(drawn) if drawn else math.nan


def _opening(results: Results) -> list[str]:
    drawn = results.of_this_making()
    trained = {(one.condition, one.seed): one for one in drawn}
    usual = max((one.pictures for one in drawn if CONDITIONS[one.condition].length == 1), default=0)
    other = [
        words
        for length, words in ((SHORT, "`short`"), (LONG, "`long`"))
        if any(CONDITIONS[one.condition].length == length for one in drawn)
    ]
    revisions = sorted({str(one.facts["revision"]) for one in drawn if "revision" in one.facts})
    judge = f" (revision {joined(revisions)} of its code)" if revisions else ""
    return [
        "# Study: what makes colours leak, what makes them swap, what brings them back",
        "",
        f"{len(trained)} trainings of small networks from random weights, each of {usual:,} "
        f"pictures of the rendered world{f' (but for {joined(other)} ones)' if other else ''}, "
        f"drawn with {len(drawn)} times and judged by the suite{judge}: grid `default`, one image "
        "a prompt, and grid `pairs` where swaps are asked about. One thing is varied at a time; "
        "`clean` is the natural statistics of colours with captions that are true word for word.",
        "",
        "The training is the unit. Shares are compared as log-odds within a seed (the same first "
        "weights, scenes and noise), and all that is compared with one base shares one estimate of "
        "the spread. p-values are adjusted by Holm's method within each question; above 0.05 two "
        "conditions are said not to be told apart. The comparisons and the correction were fixed "
        "before the trainings of the first making, those of readers, lengths and hidden codes "
        "before the second. Log-odds and the common spread were chosen after a first look at the "
        "first: differences of shares, each with the spread of its own three trainings, had told "
        "only `bag` and `clip-tokens` from `clean`.",
        "",
        "```bash",
        "python -m reference_models.study.make --device cuda --out made   # train, draw, judge",
        "python -m reference_models.study --lines made/results.jsonl --sheets made/sheets.zip",
        "```",
        "",
        "What became of every binding is kept in [study/results.json](study/results.json), from "
        "which `python -m reference_models.study` writes this page.",
        "",
    ]
