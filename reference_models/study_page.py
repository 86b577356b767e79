"""The page of the study: tables from the estimates of its runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reference_models.presets import PRESETS


@dataclass(frozen=True, slots=True)
class Found:
    """Estimates of one finished run, by (metric, group)."""

    name: str
    model: str
    estimates: Mapping[tuple[str, str], Mapping[str, Any]]


def cell(result: Found, metric: str, group: str = "all", signed: bool = False) -> str:
    """Value and interval of an estimate as they stand in a table; a dash where there is none."""
    one = result.estimates.get((metric, group))
    if one is None or one["value"] is None:
        return "-"
    sign = "+" if signed else ""
    value = f"{100 * one['value']:{sign}.1f}"
    if one["low"] is None or one["high"] is None:
        return value
    return f"{value} ({100 * one['low']:{sign}.1f} to {100 * one['high']:{sign}.1f})"


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A Markdown table, numbers to the right."""
    lines = ["| " + " | ".join(heads) + " |", "|---" + "|---:" * (len(heads) - 1) + "|"]
    return [*lines, *("| " + " | ".join(row) + " |" for row in rows), ""]


def section(
    title: str, words: str, heads: Sequence[str], rows: Sequence[Sequence[str]]
) -> list[str]:
    """A headed table; nothing where there are no rows."""
    return [f"## {title}", "", words, "", *table(heads, rows)] if rows else []


def _column(metric: str, signed: bool = False) -> Callable[[Found], str]:
    return lambda one: cell(one, metric, signed=signed)


def _rows(
    results: Sequence[Found], prefix: str, columns: Sequence[Callable[[Found], str]]
) -> list[list[str]]:
    chosen = [one for one in results if one.name.startswith(prefix)]
    return [[one.name.removeprefix(prefix), *(make(one) for make in columns)] for one in chosen]


_SEEN, _NOVEL = ("binding_score", "tag:seen"), ("binding_score", "tag:novel")


def members(results: Sequence[Found]) -> list[str]:
    """Binding by model on all cells, seen and novel, canonical and anti-canonical."""
    groups = ("all", "tag:seen", "tag:novel", "tag:canonical", "tag:anti-canonical")
    rows = [
        [f"`{one.model}`", *(cell(one, "binding_score", group) for group in groups)]
        for one in results
        if one.name == f"study-{one.model}"
    ]
    heads = ["model", "all", "seen", "novel", "canonical", "anti-canonical"]
    words = (
        "Binding score in percent with its 95% interval, grid `default`, regions by `auto`. Seen "
        "and novel are by the captions of each model's own training; canonical and anti-canonical "
        "are the same prompts for all."
    )
    return section("Binding by model", words, heads, rows)


def leakage(results: Sequence[Found]) -> list[str]:
    """Where the colour went instead."""
    places = ("spilled", "neighbour", "background", "mixed", "swapped")
    rows = [
        [
            f"`{one.model}`",
            cell(one, "leakage_rate"),
            *(cell(one, f"leakage_{place}") for place in places),
            cell(one, "kept_prior"),
            cell(one, "drawn"),
        ]
        for one in results
        if one.name == f"study-{one.model}"
    ]
    heads = ["model", "leakage", *places, "kept its colour", "drawn"]
    return section("Leakage by place", "Percent of valid images, the same runs.", heads, rows)


def sweeps(results: Sequence[Found]) -> list[str]:
    """Guidance and steps of the teacher."""
    metrics = ("binding_score", "drawn", "leakage_rate", "leakage_spilled", "leakage_background")
    columns = [*map(_column, metrics), _column("leak_excess", signed=True)]
    heads = ["binding", "drawn", "leakage", "spilled", "background", "leak beyond the control"]
    return [
        *section(
            "Guidance scale",
            "`local-teacher`, 8 steps, grid `quick`. Does more guidance bind, and does it burn "
            "colour into the wall?",
            ["scale", *heads],
            _rows(results, "study-guidance-", columns),
        ),
        *section(
            "Steps",
            "`local-teacher`, guidance 4, grid `quick`.",
            ["steps", *heads],
            _rows(results, "study-steps-", columns),
        ),
    ]


def arrivals(results: Sequence[Found]) -> list[str]:
    """When the colour came."""
    metrics = ("arrival_noise", "before_background", "before_neighbour", "stood_elsewhere")
    columns = list(map(_column, (*metrics, "stayed_elsewhere")))
    words = (
        "Grid `quick`, all frames ([the trajectory](trajectory.md)). Noise left, in percent, when "
        "half of the final share of the colour is on the subject; share of the colour on "
        "background and on a neighbour before that, beyond the control; share of images where it "
        "once stood elsewhere, and of those where it never left."
    )
    heads = ["model", "noise at arrival", "on background before", "on neighbour before"]
    heads += ["stood elsewhere", "stayed there"]
    return section("When the colour came", words, heads, _rows(results, "study-frames-", columns))


def conclusions(results: Sequence[Found]) -> list[str]:
    """What follows from the intervals, said only where they do."""
    by_name = {one.name: one for one in results}
    whole, atomic = by_name.get("study-local-teacher"), by_name.get("study-local-atomic")
    if whole is None or atomic is None:
        return []
    novel = [
        one.estimates.get(("binding_score", "tag:novel"), {"value": None})
        for one in (whole, atomic)
    ]
    lines = [
        "## What follows",
        "",
        "![a blue potato from both models, step by step](images/story.png)",
        "",
        "`python -m reference_models.story` draws this picture.",
        "",
        f"On pairs that it was taught `local-atomic` binds {cell(atomic, *_SEEN)} percent, and "
        f"`local-teacher` {cell(whole, *_SEEN)}. On pairs that each was never taught: "
        f"`local-atomic` {cell(atomic, *_NOVEL)}, `local-teacher` {cell(whole, *_NOVEL)}.",
        "",
    ]
    if None not in (novel[0]["value"], novel[1]["value"], novel[0]["low"], novel[1]["high"]):
        if novel[0]["low"] > novel[1]["high"]:
            lines += [
                "The intervals do not touch: with the same network, a model that saw most pairs "
                "learnt colour and subject as a relation; one that saw each subject in its "
                "natural colours alone learnt atoms: the blue potato is brown.",
                "",
            ]
        else:
            lines += ["The intervals touch: these runs do not tell the two apart.", ""]
    return [
        *lines,
        "The two also differ in the number of training pictures (their cards tell it), so "
        "the height of each score is no measure of the method; the gap between taught and novel "
        "pairs within one model is. Each rests on one training seed so far.",
        "",
    ]


def page(results: Sequence[Found], absent: Sequence[str]) -> str:
    """The study as Markdown.

    Parameters
    ----------
    results : sequence of Found
        Finished runs.
    absent : sequence of str
        Members that are neither bundled nor trained here.
    """
    lines = [
        "# Study: was `<COLOR> <SUBJECT>` learnt as a relation, or as atoms?",
        "",
        "Written by `python -m reference_models.study`, which runs the suite on every member of",
        "the family whose weights are there and goes on where it was stopped; with `--train` it",
        "trains the others first.",
        "",
        *conclusions(results),
        *members(results),
        *leakage(results),
        *sweeps(results),
        *arrivals(results),
    ]
    if absent:
        lines += [
            "## Not trained yet",
            "",
            "These members have a preset and no weights here. Nothing is said of them above.",
            "",
            *(
                f"- `{name}`: `python -m reference_models.train --preset {name}` "
                f"({PRESETS[name].images:,} pictures)"
                for name in absent
            ),
            "",
            "Other seeds are made by `--seed 2` and `--seed 3` of the trainer.",
            "",
        ]
    return "\n".join(lines)
