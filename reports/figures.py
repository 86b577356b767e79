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
from reports.comparison import compared, whole
from reports.labels import DESTINATIONS, SCORE
from reports.reading import RunTables
from reports.tabulation import destinations, ordered_colours, share_by_pair

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
    "part": "|||",
    "both": "---",
    "neighbour": "ooo",
    "background": "////",
    "other": "xxxx",
    "nowhere": "",
    "missing": "....",
}


def write_figures(runs: Sequence[RunTables], folder: Path) -> list[Path]:
    """Write the figures of one run or several.

    Parameters
    ----------
    runs : sequence of RunTables
    folder : Path
        Made where it is missing.

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
                written += _save(_comparison(runs), folder / "comparison")
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


def _heatmap(run: RunTables) -> Figure:
    shares = share_by_pair(run, SCORE)
    colours = ordered_colours(run.verdicts["colour"])
    subjects = list(dict.fromkeys(run.verdicts["subject"].astype(str)))
    values = np.full((len(subjects), len(colours)), np.nan)
    for colour, subject, value in zip(
        shares["colour"], shares["subject"], shares["value"], strict=True
    ):
        values[subjects.index(str(subject)), colours.index(str(colour))] = value
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


def _leakage(run: RunTables) -> Figure:
    rows = destinations(run)
    figure, axes = _new(6.5, 0.9 + 0.26 * max(1, len(rows)))
    left = np.zeros(len(rows))
    names = [row.colour for row in rows]
    for number, place in enumerate(DESTINATIONS):
        shares = np.array([row.counts[number] / row.images for row in rows])
        if not shares.any():
            continue
        painted = place.name not in ("nowhere", "missing")
        inks = [colour_hex(name) if painted else "#ffffff" for name in names]
        hatch = _HATCHES.get(place.name, "..")
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
            hatch=_HATCHES.get(place.name, ".."),
            label=place.label,
        )
        for place in DESTINATIONS
    ]


def _comparison(runs: Sequence[RunTables]) -> Figure:
    rows = [
        (f"{run.name}: " if len(runs) > 2 else "", told)
        for run in runs[1:]
        for told in whole(compared(runs[0], run))
    ]
    figure, axes = _new(6.5, 1.0 + 0.28 * len(rows))
    for place, (_, told) in enumerate(rows):
        one = told.comparison
        if one.low is not None and one.high is not None:
            axes.plot([100 * one.low, 100 * one.high], [place, place], color="#8a8a8a", lw=4)
        axes.plot(100 * one.difference, place, "o", color="black", ms=4)
    axes.axvline(0, color="black", lw=0.6)
    axes.set_yticks(range(len(rows)), [prefix + told.label for prefix, told in rows])
    axes.invert_yaxis()
    score = runs[0].estimate(SCORE.name)
    base = f" ({100 * score.value:.1f}% bound)" if score is not None else ""
    axes.set_xlabel(f"difference from {runs[0].name}{base}, points, 95% interval")
    return figure
