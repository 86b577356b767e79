"""Figures for a paper: heatmap, leakage and comparison, as SVG and PDF."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.errors import StoreError, UsageError
from prompts.subjects import SUBJECTS
from reports.charts import colour_hex
from reports.differences import differences
from reports.headline import headlines
from reports.labels import PLACES, RATES
from reports.lent import Interval, no_interval
from reports.payload import all_items
from reports.reading import Run
from reports.tabulation import counts_by_pair, ordered_colours, places, rate_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Settings of a figure that stands beside text: one size of letters, text kept as text.
_STYLE: Any = {
    "font.size": 8,
    "axes.titlesize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "binding-bench",
    "pdf.fonttype": 42,
    "hatch.linewidth": 0.6,
    "text.parse_math": False,
}

_HATCHES = {
    "subject": "",
    "both": "---",
    "neighbour": "ooo",
    "background": "////",
    "other": "xxxx",
    "nowhere": "",
    "missing": "....",
}


def write_figures(
    runs: Sequence[Run], folder: Path, interval: Interval = no_interval
) -> list[Path]:
    """Write the figures of one run or several.

    Parameters
    ----------
    runs : sequence of Run
    folder : Path
        Made where it is missing.
    interval : callable
        See `reports.lent.Lent`.

    Returns
    -------
    list of Path
        ``heatmap-K``, ``leakage-K`` for run K, and ``comparison`` where there are several; each
        as ``.svg`` and ``.pdf``.

    Raises
    ------
    bench.errors.UsageError
        matplotlib is not installed.
    bench.errors.StoreError
        The folder cannot be written.
    """
    try:
        import matplotlib  # noqa: F401
    except ModuleNotFoundError as error:
        raise UsageError(
            "--figures needs matplotlib; install it with pip install 'binding-bench[figures]'"
        ) from error
    written: list[Path] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _style():
            for number, run in enumerate(runs, start=1):
                written += _save(_heatmap(run), folder / f"heatmap-{number}")
                written += _save(_leakage(run), folder / f"leakage-{number}")
            if len(runs) > 1:
                written += _save(_comparison(runs, interval), folder / "comparison")
    except OSError as error:
        raise StoreError(f"cannot write figures to {folder}: {error.strerror}") from error
    return written


@contextmanager
def _style() -> Iterator[None]:
    import matplotlib

    with matplotlib.rc_context(_STYLE):
        yield


def _new(width: float, height: float) -> tuple[Figure, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.add_subplot()


def _save(figure: Figure, stem: Path) -> list[Path]:
    paths = [stem.with_name(stem.name + suffix) for suffix in (".svg", ".pdf")]
    for path in paths:
        dates: dict[str, Any] = {"Date": None} if path.suffix == ".svg" else {"CreationDate": None}
        figure.savefig(path, metadata=dates)
    return paths


def _heatmap(run: Run) -> Figure:
    counts = counts_by_pair(run)
    colours = ordered_colours(counts["colour"])
    subjects = list(dict.fromkeys(run.verdicts["subject"].astype(str)))
    values = np.full((len(subjects), len(colours)), np.nan)
    for _, row in counts.iterrows():
        hits, among = rate_of(row, RATES[0])
        if among:
            values[subjects.index(row["subject"]), colours.index(row["colour"])] = hits / among
    figure, axes = _new(1.6 + 0.42 * len(colours), 0.9 + 0.2 * len(subjects))
    from matplotlib.colors import LinearSegmentedColormap

    ramp = LinearSegmentedColormap.from_list("ink", ["#f0f0f0", "#303030"])
    image = axes.imshow(values, vmin=0, vmax=1, cmap=ramp, aspect="auto")
    # White gaps between the cells, and no frame.
    axes.set_xticks(np.arange(len(colours) + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(len(subjects) + 1) - 0.5, minor=True)
    axes.grid(which="minor", color="white", lw=1.2)
    axes.spines[:].set_visible(False)
    axes.tick_params(which="minor", length=0)
    for y, x in zip(*np.nonzero(np.isfinite(values)), strict=True):
        share = values[y, x]
        known = SUBJECTS.get(subjects[y])
        canonical = bool(known) and colours[x] in (known.canonical if known else ())
        axes.text(
            x,
            y,
            f"{100 * share:.0f}",
            ha="center",
            va="center",
            fontsize=6,
            color="white" if share > 0.55 else "black",
            fontweight="bold" if canonical else "normal",
        )
    axes.set_xticks(range(len(colours)), colours, rotation=45, ha="right")
    axes.set_yticks(range(len(subjects)), subjects)
    axes.tick_params(length=0)
    figure.colorbar(image, ax=axes, label="bound, share of pictures (bold: its own colour)")
    return figure


def _leakage(run: Run) -> Figure:
    rows = places(run)
    figure, axes = _new(6.5, 0.9 + 0.26 * max(1, len(rows)))
    left = np.zeros(len(rows))
    names = [row.colour for row in rows]
    for number, place in enumerate(PLACES):
        shares = np.array([row.counts[number] / row.images for row in rows])
        if not shares.any():
            continue
        painted = place.name not in ("nowhere", "missing")
        inks = [colour_hex(name) if painted else "#ffffff" for name in names]
        hatch = _HATCHES[place.name]
        bars = axes.barh(
            names, shares, left=left, color=inks, hatch=hatch, edgecolor="#707070", lw=0.5
        )
        bars[0].set_label(place.label)
        left += shares
    axes.invert_yaxis()
    axes.set_xlim(0, 1)
    axes.set_xlabel("where the requested colour went, share of pictures")
    handles = _legend_patches()
    axes.legend(handles=handles, ncols=4, loc="lower left", bbox_to_anchor=(0, 1), frameon=False)
    return figure


def _legend_patches() -> list[Any]:
    from matplotlib.patches import Patch

    return [
        Patch(
            facecolor="#ffffff" if place.name in ("nowhere", "missing") else "#b0b0b0",
            edgecolor="#707070",
            hatch=_HATCHES[place.name],
            label=place.label,
        )
        for place in PLACES
    ]


def _comparison(runs: Sequence[Run], interval: Interval) -> Figure:
    items = all_items(runs)
    figure, axes = _new(6.5, 1.0 + 0.28 * len(RATES) * (len(runs) - 1))
    labels, place = [], 0
    for number in range(1, len(runs)):
        for found in differences(items, 0, number, interval):
            if found.low is not None and found.high is not None:
                axes.plot(
                    [100 * found.low, 100 * found.high], [place, place], color="#8a8a8a", lw=4
                )
            axes.plot(100 * found.difference, place, "o", color="black", ms=4)
            prefix = f"{runs[number].name}: " if len(runs) > 2 else ""
            labels.append(prefix + found.label)
            place += 1
    axes.axvline(0, color="black", lw=0.6)
    axes.set_yticks(range(place), labels)
    axes.invert_yaxis()
    score = headlines(runs[0]).get("score")
    base = f" ({100 * score.value:.1f}% bound)" if score is not None and score.known else ""
    axes.set_xlabel(f"difference from {runs[0].name}{base}, points, 95% interval")
    return figure
