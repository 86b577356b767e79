"""The figures of the study as SVG: the same results give the same bytes."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from reference_models.errors import ModelError
from reference_models.study.plan import COVERAGE, PAIRS
from reference_models.study.results import Results, Value, seeds_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_STYLE: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 8.5,
    "axes.titlesize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#e6e6e6",
    "grid.linewidth": 0.6,
    "axes.axisbelow": True,
    "legend.frameon": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "binding-bench",
    "text.parse_math": False,
}
#: Colours that people with any colour vision can tell apart (Okabe and Ito 2008).
_BLUE, _ORANGE, _GREEN, _PINK, _GRAY = "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#707070"
_PLACES = (("subject", _BLUE), ("background", _ORANGE), ("neighbour", _GREEN))


def figures(results: Results) -> dict[str, bytes]:
    """SVG files by name; a figure without a single point is left out.

    Raises
    ------
    ModelError
        matplotlib is not installed.
    """
    try:
        import matplotlib
    except ModuleNotFoundError as error:
        raise ModelError(
            "the study's figures need matplotlib; install it with "
            "pip install 'binding-bench[figures]'"
        ) from error
    makers: dict[str, Callable[[Results], Figure | None]] = {
        "members": _members,
        "coverage": _coverage,
        "seen": _seen,
        "sweeps": _sweeps,
        "trajectory": _trajectory,
    }
    found = {}
    with matplotlib.rc_context(_STYLE):
        for name, make in makers.items():
            figure = make(results)
            if figure is not None:
                buffer = io.BytesIO()
                figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
                # matplotlib leaves blanks at the ends of lines.
                lines = buffer.getvalue().decode().splitlines()
                found[f"study-{name}.svg"] = "".join(
                    f"{line.rstrip()}\n" for line in lines
                ).encode()
    return found


def _new(columns: int, rows: int, width: float, height: float, **more: Any) -> tuple[Figure, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots(rows, columns, squeeze=False, **more)


def _points(
    axes: Any, x: Sequence[float], values: Sequence[Value], colour: str, label: str, **style: Any
) -> None:
    """Values in percent with their intervals, at the x that were measured."""
    kept = [(at, value) for at, value in zip(x, values, strict=True) if value.value is not None]
    if not kept:
        return
    y = [100 * (value.value or 0.0) for _, value in kept]
    ends = [value.triple if value.measured else (value.value,) * 3 for _, value in kept]
    below = [max(0.0, 100 * (v - low)) for v, low, _ in ends]  # type: ignore[operator]
    above = [max(0.0, 100 * (high - v)) for v, _, high in ends]  # type: ignore[operator]
    look = {"fmt": "o-", "ms": 4, "lw": 1.3, "elinewidth": 1, "capsize": 2} | style
    axes.errorbar([at for at, _ in kept], y, (below, above), color=colour, label=label, **look)


def _members(results: Results) -> Figure | None:
    shown = [one for one in results.values() if one.is_own]
    if not shown:
        return None
    figure, grid = _new(1, 1, 6.5, 0.9 + 0.27 * len(shown))
    axes = grid[0][0]
    rows = range(len(shown))
    for shift, tag, label, colour in (
        (-0.13, "seen", "pairs that it was taught", _BLUE),
        (0.13, "novel", "pairs that it was never taught", _ORANGE),
    ):
        kept = [(row, one.of("binding_score", f"tag:{tag}")) for row, one in zip(rows, shown)]  # noqa: B905
        kept = [(row, value) for row, value in kept if value.measured]
        points = [value.triple for _, value in kept]
        x = [100 * value for value, _, _ in points]
        spans = (
            [100 * (value - low) for value, low, _ in points],
            [100 * (high - value) for value, _, high in points],
        )
        y = [row + shift for row, _ in kept]
        axes.errorbar(x, y, xerr=spans, fmt="o", ms=4, capsize=2, color=colour, label=label)
    axes.set_yticks(list(rows), [one.model for one in shown])
    axes.invert_yaxis()
    axes.set(xlim=(-2, 102), xlabel="bound, percent of images (95% intervals over cells)")
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2)
    return figure


def _coverage(results: Results) -> Figure | None:
    series = [results[f"member-{name}"] for name in COVERAGE if f"member-{name}" in results]
    if not series:
        return None
    figure, grid = _new(1, 1, 6.5, 3.6)
    axes = grid[0][0]
    share = [float(one.model.rpartition("-")[2]) for one in series]
    for group, colour, label in (
        ("tag:seen", _BLUE, "pairs that each was taught"),
        ("tag:novel", _ORANGE, "pairs that each was never taught"),
        ("held", _GREEN, "pairs that only local-cov-100 was taught"),
    ):
        # Side by side, so that equal values can be told apart.
        aside = {"tag:seen": -0.6, "tag:novel": 0.0, "held": 0.6}[group]
        _points(
            axes,
            [x + aside for x in share],
            [one.of("binding_score", group) for one in series],
            colour,
            label,
        )
    for one in [extra for model in COVERAGE for extra in seeds_of(results, model)[1:]]:
        for group, colour in (("tag:seen", _BLUE), ("tag:novel", _ORANGE), ("held", _GREEN)):
            share_bound = one.of("binding_score", group).value
            if share_bound is not None:
                at = float(one.model.rpartition("-")[2]) + 1.2
                axes.plot(at, 100 * share_bound, "o", mfc="none", color=colour, ms=4, lw=0)
    for number, one in enumerate(seeds_of(results, "local-atomic")):
        at = 100 * one.facts["pairs"] / PAIRS + 1.2 * min(number, 1)
        for group, colour in (("tag:seen", _BLUE), ("tag:novel", _ORANGE)):
            value = one.of("binding_score", group)
            look = {"fmt": "D", "mfc": "white" if number else colour, "ms": 4.5}
            _points(axes, [at], [Value(value.value) if number else value], colour, "", **look)
    axes.plot([], [], "D", color=_GRAY, ms=4.5, label="local-atomic (natural colours alone)")
    axes.plot([], [], "o", mfc="none", color=_GRAY, ms=4, label="another training seed")
    axes.set(xlim=(0, 104), ylim=(-3, 103), xlabel=f"pairs taught, percent of all {PAIRS}")
    axes.set_ylabel("bound, percent of images")
    axes.set_xticks([0, 10, 25, 50, 75, 100])
    figure.legend(loc="outside upper center", ncols=2)
    return figure


def _seen(results: Results) -> Figure | None:
    shown = [
        (results[f"member-{name}"], colour, shift)
        for name, colour, shift in (("local-teacher", _BLUE, 0.97), ("local-sd", _ORANGE, 1.03))
        if f"member-{name}" in results and results[f"member-{name}"].seen
    ]
    if not shown:
        return None
    figure, grid = _new(1, 1, 6.5, 3.0)
    axes = grid[0][0]
    least = min((b.first for one, _, _ in shown for b in one.seen if b.first), default=1)
    never = least / 4
    for one, colour, shift in shown:
        taught = [b for b in one.seen if b.first]
        x = [shift * (b.first * (b.last + 1)) ** 0.5 for b in taught]
        _points(axes, x, [b.value for b in taught], colour, one.model)
        zero = [b.value for b in one.seen if not b.first]
        _points(axes, [never * shift] * len(zero), zero, colour, "", fmt="D")
    axes.set_xscale("log")
    axes.axvline(least / 2, color="#bdbdbd", lw=0.8, ls=":")
    most = max(b.last + 1 for one, _, _ in shown for b in one.seen)
    ticks = [10**k for k in range(7) if least / 2 < 10**k <= most]
    axes.set_xticks([never, *ticks], ["never", *(f"{tick:,}" for tick in ticks)])
    axes.minorticks_off()
    axes.set(xlim=(never * 0.8, most * 1.2), ylim=(None, 101.5))
    axes.set(xlabel="captions that said the pair in training", ylabel="bound, percent of images")
    axes.legend(loc="lower right")
    return figure


_SWEPT = (
    ("binding_score", _BLUE, "bound"),
    ("leakage_rate", _ORANGE, "leaked"),
    ("kept_prior", _GREEN, "kept its own colour"),
    ("leak_excess", _PINK, "colour elsewhere, beyond the control"),
)


def _sweeps(results: Results) -> Figure | None:
    found = []
    for kind, words in (("guidance", "guidance scale"), ("steps", "steps")):
        runs = [one for one in results.values() if one.name.startswith(f"{kind}-")]
        runs.sort(key=lambda one: float(one.name.rpartition("-")[2]))
        if runs:
            found.append((words, [float(one.name.rpartition("-")[2]) for one in runs], runs))
    if not found:
        return None
    figure, grid = _new(len(found), 1, 6.5, 3.0, sharey=True)
    for axes, (words, x, runs) in zip(grid[0], found, strict=True):
        for metric, colour, label in _SWEPT:
            _points(axes, x, [one.of(metric) for one in runs], colour, label)
        if words == "steps":
            axes.set_xscale("log", base=2)
        axes.set_xticks(x, [f"{at:g}" for at in x])
        axes.minorticks_off()
        axes.set_xlabel(words)
    grid[0][0].set_ylabel("percent")
    handles, labels = grid[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=4)
    return figure


def _trajectory(results: Results) -> Figure | None:
    shown = [one for one in results.values() if one.name.startswith("frames-") and one.curves]
    if not shown:
        return None
    columns = min(3, len(shown))
    rows = -(-len(shown) // columns)
    figure, grid = _new(columns, rows, 6.5, 0.6 + 1.75 * rows, sharex=True, sharey=True)
    for axes, one in zip_longest(grid.ravel(), shown):
        if one is None:
            axes.set_axis_off()
            continue
        for place, colour in _PLACES:
            for prefix, dash in (("", "-"), ("control_", ":")):
                line = one.curves.get(prefix + place, ())
                kept = [(x, v.triple) for x, v in zip(one.noise, line, strict=True) if v.measured]
                if not kept:
                    continue
                x = [at for at, _ in kept]
                look = {"color": colour, "ls": dash, "lw": 1.4 if dash == "-" else 1}
                axes.plot(x, [100 * v for _, (v, _, _) in kept], **look)
                if dash == "-":
                    low = [100 * v for _, (_, v, _) in kept]
                    high = [100 * v for _, (_, _, v) in kept]
                    axes.fill_between(x, low, high, color=colour, alpha=0.18, lw=0)
        axes.set_title(one.model)
        axes.set(xlim=(1.02, -0.02), ylim=(-2, 102))
    for axes in grid[:, 0]:
        axes.set_ylabel("share in the\nasked colour, %")
    for column in range(columns):
        last = [row for row in range(rows) if row * columns + column < len(shown)][-1]
        grid[last, column].set_xlabel("noise left")
        grid[last, column].tick_params(labelbottom=True)
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], color=colour, label=place) for place, colour in _PLACES]
    handles.append(Line2D([], [], color=_GRAY, ls=":", label="control at the same place"))
    figure.legend(handles=handles, loc="outside upper center", ncols=4)
    return figure
