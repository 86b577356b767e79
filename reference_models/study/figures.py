"""The four figures of the study as SVG: the same results give the same bytes."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from reference_models.errors import ModelError
from reference_models.study.comparisons import Arm, Mean, Results

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
_BLUE, _ORANGE, _GREEN, _PINK, _SKY, _GRAY = (
    "#0072b2",
    "#d55e00",
    "#009e73",
    "#cc79a7",
    "#56b4e9",
    "#707070",
)
#: Arms of the figure on swaps, in its order, and what each reads.
READERS = (
    (Arm("clean"), "transformer, trained along"),
    (Arm("static"), "a vector a word and place"),
    (Arm("clip-tokens"), "frozen CLIP, tokens"),
    (Arm("clip-pooled"), "frozen CLIP, one vector"),
    (Arm("bag"), "bag of words"),
    (Arm("shuffled"), "transformer, shuffled captions"),
    (Arm("exchanged-25"), "transformer, 25% exchanged"),
)
#: Arms of the figure on repair, for a share of loose captions.
REPAIRS = (
    ("plain", "guidance 3"),
    ("guidance-1", "guidance 1"),
    ("guidance-2", "guidance 2"),
    ("guidance-8", "guidance 8"),
    ("attention-0.05", "attention 0.05"),
    ("attention-0.1", "attention 0.1"),
    ("attention-0.2", "attention 0.2"),
    ("cleaned", "last fifth clean"),
)


def repaired(dose: int, name: str) -> Arm:
    """Arm of a repair of the networks with a share of loose captions."""
    condition = f"loose-{dose}"
    return Arm(f"{condition}-cleaned") if name == "cleaned" else Arm(condition, name)


def figures(results: Results) -> dict[str, bytes]:
    """SVG files by name.

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
    makers = {"leak": _leak, "swap": _swap, "coverage": _coverage, "repair": _repair}
    with matplotlib.rc_context(_STYLE):
        return {f"study-{name}.svg": _svg(make(results)) for name, make in makers.items()}


def _svg(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    # matplotlib leaves blanks at the ends of lines.
    lines = buffer.getvalue().decode().splitlines()
    return "".join(f"{line.rstrip()}\n" for line in lines).encode()


def _new(columns: int, width: float, height: float, **more: Any) -> tuple[Figure, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots(1, columns, squeeze=False, **more)[0]


def _line(
    axes: Any, x: Sequence[float], means: Sequence[Mean], colour: str, label: str, **style: Any
) -> None:
    """Means in percent with their intervals, and each training as a dot."""
    kept = [(at, mean) for at, mean in zip(x, means, strict=True) if mean.values]
    if not kept:
        return
    y = [100 * mean.mean for _, mean in kept]
    half = [100 * (mean.half or 0.0) for _, mean in kept]
    # Shares stay on their scale.
    below = [min(h, v) for h, v in zip(half, y, strict=True)]
    above = [min(h, 100 - v) for h, v in zip(half, y, strict=True)]
    look = {"fmt": "o-", "ms": 4, "lw": 1.3, "elinewidth": 1, "capsize": 2} | style
    axes.errorbar([at for at, _ in kept], y, (below, above), color=colour, label=label, **look)
    for at, mean in kept:
        dots = [100 * value for value in mean.values]
        axes.plot([at] * len(dots), dots, "o", ms=2, color=colour, alpha=0.5)


def _legend(axes: Any, **where: Any) -> None:
    """A legend, where there is anything to name."""
    if axes.get_legend_handles_labels()[1]:
        axes.legend(**where)


def _leak(results: Results) -> Figure:
    figure, (left, right) = _new(2, 7.2, 3.0)
    doses = (0, 10, 25, 50)
    arms = [Arm(f"loose-{dose}" if dose else "clean") for dose in doses]
    for metric, colour, label in (
        ("leaked to wall", _ORANGE, "wall"),
        ("leaked to table", _PINK, "table"),
        ("leaked to plate", _GREEN, "plate"),
        ("leaked to frame", _SKY, "picture frame"),
    ):
        _line(left, doses, [results.mean(arm, metric, "one") for arm in arms], colour, label)
    for metric, colour, label in (
        ("bound", _BLUE, "bound"),
        ("leaked", _ORANGE, "leaked"),
        ("kept", _GRAY, "kept its own colour"),
        ("mixed", _PINK, "mixed"),
    ):
        _line(right, doses, [results.mean(arm, metric, "one") for arm in arms], colour, label)
    for axes, title in ((left, "where the colour went"), (right, "what became of the subject")):
        axes.set(xlabel="loose captions, percent", title=title, xticks=doses)
        axes.set_ylim(bottom=0)
        _legend(axes)
    left.set_ylabel("percent of judged images")
    return figure


def _bars(
    axes: Any, results: Results, arms: Sequence[Arm], group: str, shown: Sequence[tuple[Any, ...]]
) -> None:
    """A row an arm, a mark a metric."""
    for metric, colour, label, shift in shown:
        means = [results.mean(arm, metric, group) for arm in arms]
        rows = [k + shift for k, mean in enumerate(means) if mean.values]
        kept = [mean for mean in means if mean.values]
        x = [100 * mean.mean for mean in kept]
        half = [100 * (mean.half or 0.0) for mean in kept]
        ends = (
            [min(h, v) for h, v in zip(half, x, strict=True)],
            [min(h, 100 - v) for h, v in zip(half, x, strict=True)],
        )
        look = {"fmt": "o", "ms": 4, "elinewidth": 1, "capsize": 2}
        axes.errorbar(x, rows, xerr=ends, color=colour, label=label, **look)
        for row, mean in zip(rows, kept, strict=True):
            dots = [100 * value for value in mean.values]
            axes.plot(dots, [row] * len(dots), "o", ms=2, color=colour, alpha=0.5)


def _swap(results: Results) -> Figure:
    figure, (axes,) = _new(1, 6.5, 3.2)
    shown = (
        ("bound", _BLUE, "bound", -0.15),
        ("swapped", _ORANGE, "swapped", 0.15),
    )
    _bars(axes, results, [arm for arm, _ in READERS], "pair", shown)
    axes.set_yticks(range(len(READERS)), [words for _, words in READERS])
    axes.invert_yaxis()
    axes.set(xlim=(-2, 102), xlabel="percent of judged subjects in pairs")
    _legend(axes, loc="lower left", bbox_to_anchor=(0, 1), ncols=2)
    return figure


def _coverage(results: Results) -> Figure:
    figure, grid = _new(2, 7.2, 3.0, sharey=True)
    for axes, short, title in (
        (grid[0], "-short", "a quarter of the pictures"),
        (grid[1], "", "all pictures"),
    ):
        for kind, counts, colour, label in (
            ("colours", (1, 2, 4, 8), _BLUE, "as many colours on every subject"),
            ("concentrated", (2, 4), _ORANGE, "all colours on a few subjects"),
        ):
            means = [results.mean(Arm(f"{kind}-{k}{short}"), "bound", "held") for k in counts]
            _line(axes, counts, means, colour, label)
        axes.set_xscale("log", base=2)
        axes.set_xticks([1, 2, 4, 8], ["1", "2", "4", "8"])
        axes.set(xlabel="colours a subject, mean", title=title, ylim=(-3, 103))
    grid[0].set_ylabel("never-taught pairs bound, percent")
    _legend(grid[1], loc="lower right")
    return figure


def _repair(results: Results) -> Figure:
    figure, grid = _new(2, 7.2, 3.4, sharey=True)
    shown = (
        ("bound", _BLUE, "bound", -0.15),
        ("leaked", _ORANGE, "leaked", 0.15),
    )
    for axes, dose in zip(grid, (25, 50), strict=True):
        arms = [repaired(dose, name) for name, _ in REPAIRS]
        _bars(axes, results, arms, "one", shown)
        axes.set(xlim=(-2, 102), xlabel="percent of judged images", title=f"{dose}% loose captions")
    grid[0].set_yticks(range(len(REPAIRS)), [words for _, words in REPAIRS])
    grid[0].invert_yaxis()
    _legend(grid[1], loc="lower right")
    return figure
