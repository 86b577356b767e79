"""The page of the study: findings, four figures, and the tables behind them."""

from __future__ import annotations

from collections.abc import Sequence

from reference_models.study.comparisons import Arm, Found, Mean, Results, findings
from reference_models.study.drawings import PLACE_WORDS
from reference_models.study.factors import CLEANED, CONDITIONS, GUIDANCE, SHORT
from reference_models.study.figures import READERS, REPAIRS, repaired

_GROUPS = {
    "one": "prompts of one subject",
    "pair": "subjects in pairs",
    "held": "pairs never taught",
}


def percent(mean: Mean, signed: bool = False) -> str:
    """A mean in percent with its interval over trainings."""
    if not mean.values:
        return "-"
    sign = "+" if signed else ""
    text, half = f"{100 * mean.mean:{sign}.1f}", mean.half
    if half is None:
        return text
    low, high = mean.mean - half, mean.mean + half
    if not signed:
        low, high = max(0.0, low), min(1.0, high)
    return f"{text} ({100 * low:{sign}.1f} to {100 * high:{sign}.1f})"


def sentence(one: Found) -> str:
    """What a comparison says, from its interval and p."""
    plan = one.planned
    verdict = "not told apart"
    if one.is_told:
        verdict = "higher" if one.difference.mean > 0 else "lower"
    return (
        f"{plan.metric}, {_GROUPS[plan.group]}: `{plan.arm.name}` {percent(one.arm)}, "
        f"`{plan.base.name}` {percent(one.base)}; difference within seeds "
        f"{percent(one.difference, signed=True)} points, p {_p(one.p)}: {verdict}"
    )


def _p(p: float | None) -> str:
    return "-" if p is None else "< 0.001" if p < 0.001 else f"{p:.3f}"


def answers(found: Sequence[Found]) -> list[str]:
    """One sentence a question, of the comparisons that told two conditions apart."""
    return [
        "**What makes colours leak onto surroundings?** "
        + _listed(found, "leak", "leaked", up=True, none="None of the conditions did."),
        "**What makes them swap?** "
        + _listed(found, "swap", "swapped", up=True, none="None of the conditions did."),
        "**What brings them back?** "
        + _listed(found, "repair", "bound", up=True, none="Nothing that was tried did."),
    ]


def _listed(found: Sequence[Found], question: str, metric: str, up: bool, none: str) -> str:
    rows = [one for one in found if one.planned.question == question]
    rows = [one for one in rows if one.planned.metric == metric]
    did = [one for one in rows if one.is_told and (one.difference.mean > 0) == up]
    rest = [one for one in rows if one not in did]
    parts = [
        f"{_words(one.planned.arm)} ({percent(one.base)} to {percent(one.arm)} {metric})"
        for one in did
    ]
    text = _joined(parts) + "." if parts else none
    if rest:
        text += f" Not told, or the other way: {_joined([_words(r.planned.arm) for r in rest])}."
    return text[0].upper() + text[1:]


def _joined(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


#: What a reader is told of conditions and samplings in the answers.
_TOLD = {
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


def _words(arm: Arm) -> str:
    kind, _, rest = arm.condition.partition("-")
    words = _TOLD.get(arm.condition, f"`{arm.condition}`")
    if kind == "loose":
        dose, _, cleaned = rest.partition("-")
        words = f"{dose}% loose captions"
        words += ", the last fifth of the training clean" if cleaned else ""
    if arm.sampling == "plain":
        return words
    return f"{_TOLD.get(arm.sampling, arm.sampling)} on {words}"


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A Markdown table, numbers to the right."""
    lines = ["| " + " | ".join(heads) + " |", "|---" + "|---:" * (len(heads) - 1) + "|"]
    return [*lines, *("| " + " | ".join(row) + " |" for row in rows), ""]


def _shares(
    results: Results, arms: Sequence[Arm], metrics: Sequence[str], group: str
) -> list[list[str]]:
    rows = []
    for arm in arms:
        drawn = results.arms.get(arm, {})
        if not drawn:
            continue
        shares = [percent(results.mean(arm, metric, group)) for metric in metrics]
        rows.append([f"`{arm.name}`", str(len(drawn)), *shares])
    return rows


def page(results: Results) -> str:
    """The whole of ``docs/study.md``."""
    found = findings(results)
    plain = [Arm(name) for name in CONDITIONS]
    doses = [Arm(name) for name in ("clean", "loose-10", "loose-25", "loose-50")]
    repairs = [repaired(dose, name) for dose in (25, 50) for name, _ in REPAIRS]
    repairs += [Arm("bag"), *(Arm("bag", f"attention-{s}") for s in ("0.05", "0.1", "0.2"))]
    networks = [Arm(f"{n}{c}") for c in ("clean", "loose-25") for n in ("", "dit-", "tokens-")]
    coverage = [Arm(name) for name in CONDITIONS if "colours" in name or "concentrated" in name]
    places = [f"leaked to {words}" for words in PLACE_WORDS.values()]
    lines = [
        *_opening(results),
        "## What follows",
        "",
        *(f"- {line}" for line in answers(found)),
        "",
        "## Leaks: loose captions",
        "",
        "In a share of the captions that name one subject and a colour, the colour is that of the "
        "wall, the table, the plate or the frame, and the subject has a colour of its nature, as "
        "captions of the web have it.",
        "",
        "![leakage by place against the share of loose captions](images/study-leak.svg)",
        "",
        *_said(found, "leak"),
        "## Swaps: what the reader of the prompt knows of word order",
        "",
        "The same network, pictures and captions, read by another text encoder; or captions whose "
        "words stand in any order (`shuffled`), or name two colours the wrong way round "
        "(`exchanged-25`, a quarter of them).",
        "",
        "![bound and swapped in pairs by text encoder](images/study-swap.svg)",
        "",
        *_said(found, "swap"),
        "## Repairs",
        "",
        f"Guidance away from {GUIDANCE:g}, clean captions for the last {100 * CLEANED:.0f}% of the "
        "training, and guidance by attention at its strengths (each colour word is made to look "
        "where its noun does while the picture is drawn; "
        "`reference_models/attention_guidance.py`).",
        "",
        "![bound and leaked by repair](images/study-repair.svg)",
        "",
        *_said(found, "repair"),
        "## Coverage: colours a subject",
        "",
        "Every colour and subject is taught, and 54 pairs are never: how many are bound all the "
        "same, by the number of colours that a subject was taught in, and by whether they were "
        "spread over all subjects or lay on a few. With one colour a subject the word tells "
        "nothing that the noun does not.",
        "",
        "![never-taught pairs bound by colours a subject](images/study-coverage.svg)",
        "",
        *_said(found, "coverage"),
        "## Networks",
        "",
        "U-Net, transformer on patches (`dit`), and transformer over codes (`tokens`, whose "
        "quantiser is that of `local-tokens` and read no captions), on the same pictures, captions "
        "and number of images.",
        "",
        *_said(found, "network"),
        "## Tables",
        "",
        "Percent of judged images, means over trainings with 95% t-intervals over trainings.",
        "",
        "Loose captions, prompts of one subject:",
        "",
        *table(["", "trainings", *places], _shares(results, doses, places, "one")),
        "Repairs, prompts of one subject (`bag`: subjects in pairs in the table below):",
        "",
        *table(["", "trainings", *_MOST], _shares(results, repairs, _MOST, "one")),
        "Subjects in pairs:",
        "",
        *table(
            ["", "trainings", *_PAIRS],
            _shares(results, [*(arm for arm, _ in READERS), *repairs[-3:]], _PAIRS, "pair"),
        ),
        "Coverage, pairs never taught:",
        "",
        *table(["", "trainings", "bound"], _shares(results, coverage, ["bound"], "held")),
        "Networks, prompts of one subject:",
        "",
        *table(["", "trainings", *_MOST], _shares(results, networks, _MOST, "one")),
        "All conditions, prompts of one subject; and what could not be judged:",
        "",
        *table(
            ["", "trainings", *_MOST, "unjudged"],
            [
                [*row, percent(Mean(tuple(d.unjudged() for d in results.arms[arm].values())))]
                for arm in plain
                if arm in results.arms
                for row in _shares(results, [arm], _MOST, "one")
            ],
        ),
    ]
    return "\n".join(lines).rstrip() + "\n"


_MOST = ("bound", "leaked", "mixed", "kept", "absent")
_PAIRS = ("bound", "swapped", "leaked", "kept", "absent")


def _said(found: Sequence[Found], question: str) -> list[str]:
    rows = [f"- {sentence(one)}" for one in found if one.planned.question == question]
    return [*rows, ""] if rows else []


def _opening(results: Results) -> list[str]:
    drawn = [one for by_seed in results.arms.values() for one in by_seed.values()]
    trained = {(one.condition, one.seed): one for one in drawn}
    most = max((one.pictures for one in drawn), default=0)
    seconds = sum(one.facts.get("train_seconds", 0.0) for one in trained.values())
    return [
        "# Study: what makes colours leak, what makes them swap, what brings them back",
        "",
        f"{len(trained)} trainings from random weights, each of {most:,} pictures of the rendered "
        f"world ({SHORT:g} of that where it says `short`), drawn with in {len(drawn)} ways and "
        "judged by the suite: grid `default`, one image a prompt, and grid `pairs` where swaps are "
        "asked about. One thing is varied at a time. The training is the unit: intervals are "
        "t-intervals over trainings, differences are taken within a seed (the same first weights, "
        "scenes and noise), p-values are adjusted by Holm's method within each question, and a "
        "difference with an adjusted p above 0.05 is said to be none that these trainings tell. "
        "`clean` is natural colour statistics with captions that are true word for word.",
        "",
        "```bash",
        "python -m reference_models.study.make --device cuda --out made   # train, draw, judge",
        "python -m reference_models.study --lines made/results.jsonl      # this page",
        "```",
        "",
        f"All trainings together took {seconds / 60:.0f} minutes of their own time, side by side "
        "on one GPU. What became of every binding is kept in "
        "[study/results.json](study/results.json); without `--lines` the page is made from it.",
        "",
    ]
