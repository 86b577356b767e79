"""The five figures of the study as SVG: the same results give the same bytes."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from reference_models.errors import ModelError
from reference_models.study.comparisons import Arm, ArmShare, Results

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
#: Arms of the figure on coverage, and what each was taught.
TAUGHT = tuple(
    (Arm(f"{kind}-{count}{short}"), words + (", a quarter of the pictures" if short else ""))
    for short in ("", "-short")
    for kind, count, words in (
        ("colours", 1, "one colour a subject"),
        ("colours", 2, "two colours a subject"),
        ("concentrated", 2, "as many pairs on few subjects"),
        ("colours", 4, "four colours a subject"),
        ("concentrated", 4, "as many pairs on few subjects"),
        ("colours", 8, "eight colours a subject"),
    )
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


#: Rows of the figure on networks: the arm with true captions, that with loose ones, and words.
NETWORKS = tuple(
    (Arm(clean), Arm(loose), words)
    for clean, loose, words in (
        ("clean", "loose-25", "U-Net"),
        ("clean-short", "loose-25-short", "U-Net, a quarter of the pictures"),
        ("clean-long", "loose-25-long", "U-Net, three times the pictures"),
        ("dit-clean", "dit-loose-25", "transformer on patches"),
        ("dit-clean-long", "dit-loose-25-long", "transformer, three times the pictures"),
        ("tokens-clean", "tokens-loose-25", "codes, one after the other"),
        ("masked-clean", "masked-loose-25", "codes, all at once"),
    )
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
    makers = {
        "leak": _leak,
        "swap": _swap,
        "coverage": _coverage,
        "repair": _repair,
        "networks": _networks,
    }
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


def _ends(shares: Sequence[ArmShare]) -> tuple[list[float], list[float], list[float]]:
    """Means in percent, and how far their intervals reach below and above."""
    means = [100 * share.mean for share in shares]
    spans = [share.interval or (share.mean, share.mean) for share in shares]
    below = [max(0.0, mean - 100 * low) for mean, (low, _) in zip(means, spans, strict=True)]
    above = [max(0.0, 100 * high - mean) for mean, (_, high) in zip(means, spans, strict=True)]
    return means, below, above


def _line(
    axes: Any, x: Sequence[float], shares: Sequence[ArmShare], colour: str, label: str, aside: float
) -> None:
    """Means with their intervals, and each training as a dot; ``aside`` keeps series apart."""
    kept = [(at + aside, share) for at, share in zip(x, shares, strict=True) if share.counts]
    if not kept:
        return
    y, below, above = _ends([share for _, share in kept])
    look: Any = {"fmt": "o-", "ms": 4, "lw": 1.3, "elinewidth": 1, "capsize": 2}
    axes.errorbar([at for at, _ in kept], y, (below, above), color=colour, label=label, **look)
    for at, share in kept:
        dots = [100 * value for value in share.values]
        axes.plot([at] * len(dots), dots, "o", ms=2, color=colour, alpha=0.5)


def _legend(axes: Any, **where: Any) -> None:
    """A legend, where there is anything to name."""
    if axes.get_legend_handles_labels()[1]:
        axes.legend(**where)


def _leak(results: Results) -> Figure:
    figure, (left, right) = _new(2, 7.2, 3.2)
    doses = (0, 10, 25, 50)
    arms = [Arm(f"loose-{dose}" if dose else "clean") for dose in doses]
    shown: dict[Any, Any] = {
        left: (
            ("leaked to wall", _ORANGE, "wall"),
            ("leaked to table", _PINK, "table"),
            ("leaked to plate", _GREEN, "plate"),
            ("leaked to frame", _SKY, "picture frame"),
        ),
        right: (
            ("bound", _BLUE, "bound"),
            ("leaked", _ORANGE, "leaked"),
            ("kept", _GRAY, "kept its own colour"),
            ("mixed", _PINK, "mixed"),
        ),
    }
    for axes, metrics in shown.items():
        for k, (metric, colour, label) in enumerate(metrics):
            shares = [results.share(arm, metric, "one") for arm in arms]
            _line(axes, doses, shares, colour, label, 0.7 * (k - 1.5))
    for axes, title in ((left, "where the colour went"), (right, "what became of the subject")):
        axes.set(xlabel="loose captions, percent", title=title, xticks=doses)
        axes.set_ylim(bottom=0)
        _legend(axes, loc="upper left" if axes is left else "center left")
    left.set_ylabel("percent of judged images")
    return figure


def _bars(
    axes: Any, results: Results, arms: Sequence[Arm], group: str, shown: Sequence[tuple[Any, ...]]
) -> None:
    """A row an arm, a mark a metric."""
    for metric, colour, label, shift in shown:
        shares = [results.share(arm, metric, group) for arm in arms]
        rows = [k + shift for k, share in enumerate(shares) if share.counts]
        kept = [share for share in shares if share.counts]
        x, below, above = _ends(kept)
        look: Any = {"fmt": "o", "ms": 4, "elinewidth": 1, "capsize": 2}
        axes.errorbar(x, rows, xerr=(below, above), color=colour, label=label, **look)
        for row, share in zip(rows, kept, strict=True):
            dots = [100 * value for value in share.values]
            axes.plot(dots, [row] * len(dots), "o", ms=2, color=colour, alpha=0.5)


def _swap(results: Results) -> Figure:
    shown = (
        ("bound", _BLUE, "bound", -0.12),
        ("swapped", _ORANGE, "swapped", 0.12),
    )
    rows = [(arm, words) for arm, words in READERS if arm in results.arms]
    rows.append((Arm("bag", "attention-0.1"), "bag of words, guided by attention"))
    figure, (axes,) = _new(1, 6.5, 0.9 + 0.4 * len(rows))
    _bars(axes, results, [arm for arm, _ in rows], "pair", shown)
    axes.set_yticks(range(len(rows)), [words for _, words in rows])
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set(xlim=(-2, 102), xlabel="percent of judged subjects in pairs")
    _legend(axes, loc="lower left", bbox_to_anchor=(0, 1), ncols=2)
    return figure


def _coverage(results: Results) -> Figure:
    rows = [(arm, words) for arm, words in TAUGHT if arm in results.arms]
    figure, (axes,) = _new(1, 6.5, 0.9 + 0.4 * max(1, len(rows)))
    arms = [arm for arm, _ in rows]
    _bars(axes, results, arms, "natural", (("bound", _GREEN, "natural colours", -0.12),))
    _bars(axes, results, arms, "held", (("bound", _BLUE, "pairs never taught", 0.12),))
    axes.set_yticks(range(len(rows)), [words for _, words in rows])
    axes.set_ylim(max(1, len(rows)) - 0.5, -0.5)
    axes.set(xlim=(-2, 102), xlabel="bound, percent of judged images")
    _legend(axes, loc="lower left", bbox_to_anchor=(0, 1), ncols=2)
    return figure


def _repair(results: Results) -> Figure:
    figure, grid = _new(2, 7.2, 3.6, sharey=True)
    rows = [row for row in REPAIRS if any(repaired(d, row[0]) in results.arms for d in (25, 50))]
    shown = (
        ("bound", _BLUE, "bound", -0.15),
        ("leaked", _ORANGE, "leaked", 0.15),
    )
    for axes, dose in zip(grid, (25, 50), strict=True):
        arms = [repaired(dose, name) for name, _ in rows]
        _bars(axes, results, arms, "one", shown)
        axes.set(xlim=(-2, 102), xlabel="percent of judged images", title=f"{dose}% loose captions")
    older = [any(repaired(dose, name) in results.older for dose in (25, 50)) for name, _ in rows]
    labels = [words + "\n(first making)" * old for (_, words), old in zip(rows, older, strict=True)]
    grid[0].set_yticks(range(len(rows)), labels)
    grid[0].set_ylim(max(1, len(rows)) - 0.5, -0.5)
    _legend(grid[0], loc="center left", bbox_to_anchor=(0.2, 0.3))
    return figure


def _networks(results: Results) -> Figure:
    rows = [row for row in NETWORKS if row[0] in results.arms or row[1] in results.arms]
    figure, grid = _new(2, 7.2, 0.9 + 0.36 * max(1, len(rows)), sharey=True)
    one, leaked = ("bound", _BLUE, "bound, one subject", -0.15), ("leaked", _ORANGE, "leaked", 0.15)
    clean, loose = [row[0] for row in rows], [row[1] for row in rows]
    _bars(grid[0], results, clean, "one", (one,))
    _bars(grid[0], results, clean, "pair", (("bound", _GREEN, "bound, subjects in pairs", 0.15),))
    _bars(grid[1], results, loose, "one", (one, leaked))
    for axes, title in zip(grid, ("true captions", "25% loose captions"), strict=True):
        axes.set(xlim=(-2, 102), xlabel="percent of judged images", title=title)
        _legend(axes, loc="upper center", bbox_to_anchor=(0.5, -0.22), ncols=1)
    grid[0].set_yticks(range(len(rows)), [words for *_, words in rows])
    grid[0].set_ylim(max(1, len(rows)) - 0.5, -0.5)
    return figure
