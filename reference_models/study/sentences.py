"""Sentences that follow from intervals: what the numbers do not tell apart, the words do not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bench.statistics.intervals import difference
from reference_models.study.plan import COMPARED, COVERAGE
from reference_models.study.results import Result, Results, Value, seeds_of
from reference_models.study.seeds import Pooled, pooled

#: Binding that each member is to reach on what it was taught.
GOAL = 0.85


def plain(value: Value, signed: bool = False, scale: float = 1) -> str:
    """Value and interval in their own unit, or multiplied; a dash where there is none."""
    if value.value is None:
        return "-"
    sign = "+" if signed else ""
    told = f"{scale * value.value:{sign}.1f}"
    if value.low is None or value.high is None:
        return told
    return f"{told} ({scale * value.low:{sign}.1f} to {scale * value.high:{sign}.1f})"


def percent(value: Value, signed: bool = False) -> str:
    """Value and interval of a share in percent."""
    return plain(value, signed, 100)


def minus(first: Value, second: Value) -> Value:
    """Difference with its interval, as of independent estimates; without a value where one lacks.

    The same prompts and noises on both sides make the true interval narrower, if anything.
    """
    if not (first.measured and second.measured):
        return Value(None)
    low, high = difference(first.triple, second.triple)
    return Value(first.triple[0] - second.triple[0], low, high)


def told_apart(value: Value) -> int:
    """1 or -1 where a difference's interval lies above or below zero; 0 where it includes it."""
    if not value.measured:
        return 0
    _, low, high = value.triple
    return 1 if low > 0 else -1 if high < 0 else 0


def compared(first: str, one: Value, second: str, other: Value, what: str) -> str:
    """One sentence on two values of a share; empty where one was not measured."""
    gap = minus(one, other)
    if gap.value is None:
        return ""
    numbers = (
        f"{what}: {first} {percent(one)}, {second} {percent(other)}, "
        f"difference {percent(gap, signed=True)} points"
    )
    verdict = {
        1: f"{first} is higher",
        -1: f"{first} is lower",
        0: "the interval includes zero: these runs do not tell the two apart",
    }
    return f"{numbers}; {verdict[told_apart(gap)]}."


def listed(names: Sequence[str]) -> str:
    """Names as code, with an ``and`` before the last."""
    marked = [f"`{name}`" for name in names]
    return " and ".join(filter(None, [", ".join(marked[:-1]), *marked[-1:]]))


def over_seeds(results: Results, model: str, metric: str, group: str) -> Pooled | None:
    """A metric over the trainings of a member; None where there is none."""
    values = [one.of(metric, group).value for one in seeds_of(results, model)]
    kept = [value for value in values if value is not None]
    return pooled(kept) if kept else None


def as_value(one: Pooled) -> Value:
    """The mean over trainings with its interval over trainings."""
    return Value(one.mean, one.low, one.high, len(one.values), len(one.values))


def relation(results: Results) -> list[str]:
    """Was it learnt as a relation: the members of the first comparison, over their trainings."""
    atomic, whole = COMPARED[:2]
    lines = []
    for group, words in (
        ("natural", "On the natural colours of the subjects"),
        ("unnatural", "On all other pairs, none of which was taught to `local-atomic`"),
    ):
        one, other = (over_seeds(results, name, "binding_score", group) for name in (atomic, whole))
        if one is None or other is None:
            continue
        if one.low is not None and other.low is not None:
            told = compared(f"`{atomic}`", as_value(one), f"`{whole}`", as_value(other), words)
            lines.append(f"{told} (Means and 95% t-intervals over trainings, not over prompts.)")
            continue
        first, second = (
            results[f"member-{name}"].of("binding_score", group) for name in (atomic, whole)
        )
        if not (first.measured and second.measured):
            continue
        told = compared(f"`{atomic}`", first, f"`{whole}`", second, words)
        lines.append(f"{told} (One training each: the intervals are over prompts alone.)")
    own = results.get(f"member-{atomic}")
    kept = Value(None) if own is None else own.of("kept_prior")
    if kept.measured:
        lines.append(
            f"What `{atomic}` paints instead: in {percent(kept)} percent of all images the subject "
            "keeps its natural colour."
        )
    return lines


def covering(results: Results) -> list[str]:
    """How much of the grid must be seen: the gap between taught and never-taught pairs."""
    apart: list[tuple[str, Value]] = []
    together: list[tuple[str, Value]] = []
    lines = []
    for name in COVERAGE:
        one = results.get(f"member-{name}")
        gap = Value(None) if one is None else one.of("gap_seen_novel")
        if gap.measured:
            (apart if told_apart(gap) else together).append((name, gap))
    if apart:
        told = ", ".join(f"`{name}` {percent(gap, signed=True)}" for name, gap in apart)
        lines.append(
            f"Taught pairs against never-taught ones within one model, in points: {told}; these "
            "intervals leave zero out."
        )
    if together:
        told = ", ".join(f"`{name}` {percent(gap, signed=True)}" for name, gap in together)
        lines.append(
            f"For {told} the interval includes zero: these runs find no gap, and would not see one "
            "within the interval."
        )
    known = [name for name in COVERAGE if f"member-{name}" in results]
    for less, more in zip(known, known[1:], strict=False):
        lines.append(
            compared(
                f"`{less}`",
                results[f"member-{less}"].of("binding_score", "held"),
                f"`{more}`",
                results[f"member-{more}"].of("binding_score", "held"),
                "On the quarter of the pairs that only `local-cov-100` was taught",
            )
        )
    return [line for line in lines if line]


#: Members that are compared with another: what is different about the first.
_VARIED = (
    ("local-capped", "local-cov-75", "Training that never reaches full noise"),
    ("local-ddpm", "local-teacher", "Noise on a discrete schedule in place of the velocity"),
    ("local-ddpm-ancestral", "local-ddpm", "Ancestral sampling in place of Euler's method"),
)


def variations(results: Results) -> list[str]:
    """Members against what they were varied from."""
    lines = []
    for name, base, words in _VARIED:
        one, other = results.get(f"member-{name}"), results.get(f"member-{base}")
        if one is None or other is None:
            continue
        for metric, what in (("binding_score", "bound"), ("leakage_rate", "leaked")):
            lines.append(
                compared(
                    f"`{name}`",
                    one.of(metric),
                    f"`{base}`",
                    other.of(metric),
                    f"{words}, percent {what}",
                )
            )
    return [line for line in lines if line]


def by_guidance(results: Results) -> list[str]:
    """Where more guidance binds, and where it burns colour into the wall."""
    runs = [one for one in results.values() if one.name.startswith("guidance-")]
    runs.sort(key=lambda one: float(one.name.rpartition("-")[2]))
    if len(runs) < 2:
        return []
    best = max(runs, key=lambda one: one.of("binding_score").value or 0.0)
    lines = []
    for end in (runs[0], runs[-1]):
        if end is best:
            continue
        for metric, what in (
            ("binding_score", "Bound"),
            ("leak_excess", "Colour elsewhere beyond the control"),
        ):
            scale, other = (one.name.rpartition("-")[2] for one in (end, best))
            lines.append(
                compared(
                    f"guidance {scale}",
                    end.of(metric),
                    f"guidance {other}",
                    best.of(metric),
                    f"{what}, `local-teacher`",
                )
            )
    return [line for line in lines if line]


def by_frequency(results: Results) -> list[str]:
    """Binding on never-seen and rarest pairs against the most frequent ones."""
    lines = []
    for name in ("local-teacher", "local-sd"):
        one = results.get(f"member-{name}")
        taught = [] if one is None else [b for b in one.seen if b.first and b.value.measured]
        if one is None or len(taught) < 2:
            continue
        most, least = taught[-1], taught[0]
        never = [b for b in one.seen if not b.first]
        for b, words in [(least, f"seen {least.first:,} to {least.last:,} times")] + [
            (b, "never seen") for b in never
        ]:
            lines.append(
                compared(
                    f"pairs {words}",
                    b.value,
                    f"pairs seen {most.first:,} times and more",
                    most.value,
                    f"`{name}`",
                )
            )
    return [line for line in lines if line]


def on_the_way(results: Results) -> list[str]:
    """When the colour came, against the teacher."""
    base = results.get("frames-local-teacher")
    if base is None:
        return []
    first, last = base.curves.get("background", ()), base.curves.get("control_background", ())
    lines = []
    peaks = [
        (minus(here, there), noise)
        for here, there, noise in zip(first, last, base.noise, strict=True)
        if here.measured and there.measured
    ]
    if peaks:
        peak, noise = max(peaks, key=lambda row: row[0].value or 0.0)
        words = {1: "more than", -1: "less than", 0: "not told apart from"}[told_apart(peak)]
        lines.append(
            "Before it is on the subject: the share of the background in the asked colour differs "
            f"most from the control's at noise {noise:.2f}, by {percent(peak, signed=True)} points "
            f"({words} the control)."
        )
    for one in results.values():
        if one.name.startswith("frames-") and one.name != base.name:
            lines.append(
                compared(
                    f"`{one.model}`",
                    one.of("arrival_noise"),
                    "`local-teacher`",
                    base.of("arrival_noise"),
                    "Noise left when half of the colour has come, percent",
                )
            )
    return [line for line in lines if line]


def toned(tone: Mapping[str, Mapping[str, Value]]) -> list[str]:
    """Lightness of the capped member against the uncapped one and against the scenes."""
    lines = []
    one = tone.get("local-capped", {})
    for name, title in (("local-cov-75", "`local-cov-75`"), ("rendered", "the scenes")):
        base = tone.get(name, {})
        for measure, words in (
            ("lightness", "mean L*"),
            ("spread", "spread of a picture's L* over pictures"),
            ("black_wall", "L* of a wall said to be black"),
            ("white_wall", "L* of a wall said to be white"),
            ("edge_chroma", "chroma of the background"),
        ):
            if measure not in one or measure not in base:
                continue
            gap = minus(one[measure], base[measure])
            said = {1: "higher", -1: "lower", 0: "not told apart"}[told_apart(gap)]
            lines.append(
                f"`local-capped` against {title}, {words}: {plain(one[measure])} and "
                f"{plain(base[measure])}, difference {plain(gap, signed=True)}: {said}."
            )
    return lines


def goal(results: Results) -> list[str]:
    """Which members reach the goal on what they were taught, by their intervals."""
    sure: list[Result] = []
    near: list[Result] = []
    short: list[Result] = []
    for one in results.values():
        taught = one.of("binding_score", "tag:seen")
        if not one.is_own or not taught.measured:
            continue
        value, low, _ = taught.triple
        (sure if low >= GOAL else near if value >= GOAL else short).append(one)
    lines = []
    if sure:
        lines.append(
            f"At least {GOAL:.0%} bound on taught pairs, with the whole interval above: "
            f"{listed([one.model for one in sure])}."
        )
    for words, found in (
        (f"Above {GOAL:.0%}, but the interval reaches below", near),
        (f"Below {GOAL:.0%}", short),
    ):
        if found:
            told = ", ".join(
                f"`{one.model}` {percent(one.of('binding_score', 'tag:seen'))}" for one in found
            )
            lines.append(f"{words}: {told}.")
    return lines
