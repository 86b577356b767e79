"""The page of the study: findings, figures, and the tables behind them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from reference_models.study.comparisons import Arm, ArmShare, ComparedArms, Results, findings
from reference_models.study.drawings import PLACE_WORDS
from reference_models.study.factors import CLEANED, CONDITIONS, GUIDANCE, SEEDS, SHORT, trainings
from reference_models.study.figures import READERS, REPAIRS, repaired

_GROUPS = {
    "one": "prompts of one subject",
    "pair": "subjects in pairs",
    "held": "pairs never taught",
}
#: What a reader is told of conditions and samplings in the answers.
_TOLD = {
    "clean": "true captions",
    "bag": "a reader that knows no word order",
    "shuffled": "captions in any word order",
    "exchanged-25": "a quarter of the pairs named the wrong way round",
    "static": "a fixed vector a word",
    "clip-tokens": "CLIP's frozen vectors, one a token",
    "clip-pooled": "CLIP's one vector for the prompt",
    "guidance-1": "no guidance",
    "guidance-8": "guidance 8",
    "attention-0.1": "guidance by attention",
}


def percent(share: ArmShare) -> str:
    """A share in percent with its interval over trainings."""
    if not share.counts:
        return "-"
    text = f"{100 * share.mean:.1f}"
    if share.interval is None:
        return text
    low, high = share.interval
    return f"{text} ({100 * low:.1f} to {100 * high:.1f})"


def verdict(one: ComparedArms) -> str:
    """What a comparison says, from its p."""
    if not one.is_told:
        return "not told apart"
    return "higher" if one.odds > 1 else "lower"


def answers(found: Sequence[ComparedArms]) -> list[str]:
    """One sentence a question, from the comparisons that told two conditions apart."""
    return [
        "**What makes colours leak onto surroundings?** " + _did(found, "leak", {"leaked": True}),
        "**What makes them swap?** " + _did(found, "swap", {"swapped": True}),
        "**What brings them back?** "
        + _did(found, "repair", {"bound": True, "leaked": False, "swapped": False}),
    ]


def _did(found: Sequence[ComparedArms], question: str, wanted: Mapping[str, bool]) -> str:
    """What moved a metric of a question as is wanted (up or down), and what was not seen to."""
    by_arm: dict[str, list[str]] = {}
    for one in found:
        plan = one.planned
        if plan.question != question:
            continue
        moved = by_arm.setdefault(_words(plan.arm), [])
        if one.is_told and (one.odds > 1) == wanted[plan.metric]:
            moved.append(f"{plan.metric} {_from_to(one)}")
    did = [f"{words} ({', '.join(moved)})" for words, moved in by_arm.items() if moved]
    rest = [words for words, moved in by_arm.items() if not moved]
    text = f"{_joined(did)}." if did else "Nothing that was tried was seen to."
    if rest:
        text += f" Not seen to: {_joined(rest)}."
    return text[0].upper() + text[1:]


def _from_to(one: ComparedArms) -> str:
    return f"{100 * one.base.mean:.1f}% to {100 * one.arm.mean:.1f}%"


def _joined(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def _words(arm: Arm) -> str:
    kind, _, rest = arm.condition.partition("-")
    words = _TOLD.get(arm.condition, f"`{arm.condition}`")
    if kind == "loose":
        dose, _, cleaned = rest.partition("-")
        words = f"{dose}% loose captions"
        words = f"a clean last fifth of the training with {words}" if cleaned else words
    if arm.sampling == "plain":
        return words
    return f"{_TOLD.get(arm.sampling, arm.sampling)} with {words}"


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A Markdown table, numbers to the right; nothing where there are no rows."""
    if not rows:
        return []
    lines = ["| " + " | ".join(heads) + " |", "|---" + "|---:" * (len(heads) - 1) + "|"]
    return [*lines, *("| " + " | ".join(row) + " |" for row in rows), ""]


def compared(found: Sequence[ComparedArms], question: str) -> list[str]:
    """Table of the planned comparisons of a question."""
    rows = [
        [
            f"`{one.planned.arm.name}` against `{one.planned.base.name}`",
            f"{one.planned.metric}, {_GROUPS[one.planned.group]}",
            f"{100 * one.base.mean:.1f}",
            f"{100 * one.arm.mean:.1f}",
            f"{_short(one.odds)} ({_short(one.low)} to {_short(one.high)})",
            "< 0.001" if one.p < 0.001 else f"{one.p:.3f}",
            verdict(one),
        ]
        for one in found
        if one.planned.question == question
    ]
    return table(["", "percent", "from", "to", "odds times", "p", ""], rows)


def _short(number: float) -> str:
    """A ratio to two or three places that count."""
    return f"{number:.0f}" if number >= 10 else f"{number:.2g}"


def _shares(
    results: Results, arms: Sequence[Arm], metrics: Sequence[str], group: str
) -> list[list[str]]:
    rows = []
    for arm in arms:
        drawn = results.arms.get(arm, {})
        if drawn:
            shares = [percent(results.share(arm, metric, group)) for metric in metrics]
            rows.append([f"`{arm.name}`", str(len(drawn)), *shares])
    return rows


def _missing(results: Results) -> str:
    """Which conditions have fewer trainings than were planned."""
    made = {name: len(results.arms.get(Arm(name), {})) for name in CONDITIONS}
    none = [f"`{name}`" for name, count in made.items() if not count]
    few = [f"`{name}` {count}" for name, count in made.items() if 0 < count < len(SEEDS)]
    whole, planned = sum(made.values()), sum(1 for _ in trainings())
    if whole == planned:
        return ""
    words = f"{whole} of {planned} planned trainings are made: the time on the GPU was over."
    if few:
        words += f" Fewer than {len(SEEDS)} trainings: {_joined(few)}."
    if none:
        words += f" None yet, and nothing said of them: {_joined(none)}."
    return f"{words} The first command above makes what is missing."


_MOST = ("bound", "leaked", "mixed", "kept", "absent")
_PAIRS = ("bound", "swapped", "leaked", "kept", "absent")


def page(results: Results, pictures: bool = False) -> str:
    """The whole of ``docs/study.md``; ``pictures`` where there is a sheet of them."""
    found, missing = findings(results), _missing(results)
    doses = [Arm(name) for name in ("clean", "loose-10", "loose-25", "loose-50")]
    repairs = [repaired(dose, name) for dose in (25, 50) for name, _ in REPAIRS]
    repairs += [Arm("clean"), Arm("clean", "attention-0.1")]
    readers = [arm for arm, _ in READERS]
    held = [Arm(name) for name in CONDITIONS if name.startswith(("colours", "concentrated"))]
    places = [f"leaked to {words}" for words in PLACE_WORDS.values()]
    sheet = [
        "The same prompts from the same noise, networks of seed 1:",
        "",
        "![the same prompts drawn by networks of seven conditions](images/study-pictures.png)",
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
        "trainings differ most where they leak most.",
        "",
        "![leakage by place against the share of loose captions](images/study-leak.svg)",
        "",
        *compared(found, "leak"),
        "## Swaps: what the reader of the prompt knows of word order",
        "",
        "The same network, pictures and captions, read by another text encoder. A bag of words is "
        "enough for one subject and one colour. With two colours in the prompt, each lands on the "
        "other thing nearly as often as on its own: in pairs, and on the scenery. CLIP's frozen "
        "vectors know the order of words, but less well.",
        "",
        "![bound and swapped in pairs by text encoder](images/study-swap.svg)",
        "",
        *compared(found, "swap"),
        "By kind of prompt: a colour and a subject (single); the same with scenery, half of it "
        "with a colour of its own (scene); subjects in pairs.",
        "",
        *_kinds(results, ("clean", "bag", "clip-tokens", "loose-25", "loose-50")),
        "## Repairs",
        "",
        f"Guidance other than {GUIDANCE:g}; clean captions for the last {100 * CLEANED:.0f}% of "
        "the training; and guidance by attention at several strengths: while a picture is drawn, "
        "each colour word is made to look where its noun does (SynGen, Rassin et al. 2023; "
        "[`attention_guidance.py`](../reference_models/attention_guidance.py)). Neither more nor "
        "less guidance was seen to bring a colour back.",
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
            _shares(results, held, ["bound"], "held"),
        ),
        *compared(found, "coverage"),
        *_networks(results, found),
        "## Tables",
        "",
        "Percent of judged images: means over trainings, with 95% t-intervals of the mean log-odds "
        "over trainings, never narrower than the exact interval of the prompts of one.",
        "",
        "Where the colour went, prompts of one subject:",
        "",
        *table(["", "trainings", *places], _shares(results, doses, places, "one")),
        "Repairs, prompts of one subject:",
        "",
        *table(["", "trainings", *_MOST], _shares(results, repairs, _MOST, "one")),
        "Subjects in pairs:",
        "",
        *table(
            ["", "trainings", *_PAIRS],
            _shares(results, [*readers, Arm("bag", "attention-0.1")], _PAIRS, "pair"),
        ),
        "All conditions, prompts of one subject:",
        "",
        *table(
            ["", "trainings", *_MOST],
            _shares(results, [Arm(name) for name in CONDITIONS], _MOST, "one"),
        ),
        f"Of all bindings {100 * _unjudged(results):.1f}% could not be judged; they are in no "
        "share.",
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


def _kinds(results: Results, names: Sequence[str]) -> list[str]:
    shown = [("bound", "single"), ("bound", "scene"), ("leaked", "scene"), ("bound", "pair")]
    rows = [
        [f"`{name}`", *(percent(results.share(Arm(name), *one)) for one in shown)]
        for name in names
        if Arm(name) in results.arms
    ]
    return table(["", *(f"{metric}, {group}" for metric, group in shown)], rows)


def _networks(results: Results, found: Sequence[ComparedArms]) -> list[str]:
    rows = compared(found, "network")
    if not rows:
        return []
    return [
        "## Networks",
        "",
        "The transformer on patches (`dit`) in place of the U-Net, on the same pictures, captions "
        "and number of images"
        + (
            "; and the transformer over codes (`tokens`), whose quantiser is that of `local-tokens`"
            if Arm("tokens-clean") in results.arms
            else ""
        )
        + ".",
        "",
        *rows,
    ]


def _unjudged(results: Results) -> float:
    drawn = [one for by_seed in results.arms.values() for one in by_seed.values()]
    return sum(one.unjudged() for one in drawn) / len(drawn) if drawn else math.nan


def _opening(results: Results) -> list[str]:
    drawn = [one for by_seed in results.arms.values() for one in by_seed.values()]
    trained = {(one.condition, one.seed): one for one in drawn}
    most = max((one.pictures for one in drawn), default=0)
    short = any(one.pictures < most for one in drawn)
    return [
        "# Study: what makes colours leak, what makes them swap, what brings them back",
        "",
        f"{len(trained)} trainings of small networks from random weights, each of {most:,} "
        f"pictures of the rendered world{f' ({SHORT:g} of that where it says `short`)' * short}, "
        f"drawn with {len(drawn)} times and judged by the suite: grid `default`, one image a "
        "prompt, and grid `pairs` where swaps are asked about. One thing is varied at a time; "
        "`clean` is the natural statistics of colours with captions that are true word for word.",
        "",
        "The training is the unit. Shares are compared as log-odds within a seed (the same first "
        "weights, scenes and noise), and all that is compared with one base shares one estimate of "
        "the spread. p-values are adjusted by Holm's method within each question; above 0.05 two "
        "conditions are said not to be told apart. The comparisons and the correction were fixed "
        "before the trainings. Log-odds and the common spread were chosen after a first look: "
        "differences of shares, each with the spread of its own three trainings, had told only "
        "`bag` and `clip-tokens` from `clean`.",
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
