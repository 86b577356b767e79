"""Every chart of the page, as inline SVG.

Widths are percentages and heights are pixels, so that a chart follows the width of the page while
its strokes and its text keep their size. What a chart shows is told in its label too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from markupsafe import Markup, escape

from prompts.colours import COLOURS
from reports.labels import DESTINATIONS, verdict_words

#: Paint of a place: whether the requested colour fills it, and the pattern laid over it.
_PLACE_PAINT: dict[str, tuple[bool, str]] = {
    "subject": (True, ""),
    "part": (True, "part"),
    "both": (True, "weave"),
    "neighbour": (True, "dots"),
    "background": (True, "lines"),
    "other": (True, "cross"),
    "nowhere": (False, ""),
    "missing": (False, "void"),
}
_UNPAINTED = (False, "void")


def colour_hex(name: str | None) -> str:
    """Drawing colour of a term; a neutral gray for a colour outside the vocabulary."""
    return COLOURS[name].hex if name in COLOURS else "#8a8a8a"


def _percent(value: float) -> str:
    return f"{100 * value:.3f}%"


def _svg(height: int, body: str, label: str, kind: str) -> Markup:
    return Markup(
        '<svg class="chart {}" width="100%" height="{}" role="img" aria-label="{}">{}</svg>'
    ).format(kind, height, label, Markup(body))


def interval(
    value: float | None,
    low: float | None,
    high: float | None,
    label: str,
    signed: bool = False,
    reach: float = 1.0,
    small: bool = False,
) -> Markup:
    """Draw a value and its interval on a scale from 0 to 1, or from -reach to reach if signed."""
    origin = -reach if signed else 0.0

    def at(x: float) -> str:
        share = (x + reach) / (2 * reach) if signed else x / reach
        return _percent(0.01 + 0.98 * min(1.0, max(0.0, share)))

    parts = [f'<line class="track" x1="{at(origin)}" x2="{at(reach)}" y1="10" y2="10"/>']
    ticks = (-reach, 0.0, reach) if signed else (0.0, 0.25, 0.5, 0.75, 1.0)
    for tick in ticks:
        kind = "zero" if signed and tick == 0 else "tick"
        parts.append(f'<line class="{kind}" x1="{at(tick)}" x2="{at(tick)}" y1="6" y2="14"/>')
    if low is not None and high is not None:
        parts.append(f'<line class="band" x1="{at(low)}" x2="{at(high)}" y1="10" y2="10"/>')
    if value is not None and value == value:
        parts.append(f'<line class="at" x1="{at(value)}" x2="{at(value)}" y1="1" y2="19"/>')
    return _svg(20, "".join(parts), label, "interval small" if small else "interval")


def axis(reach: float) -> Markup:
    """Write the ends and the middle of the axis of signed intervals, in points."""
    ends = (f"−{100 * reach:.0f}", "0", f"+{100 * reach:.0f}")
    return Markup(
        '<span class="ends" aria-hidden="true"><span>{}</span><span>{}</span><span>{}</span></span>'
    ).format(*ends)


def verdict_strip(counts: dict[str, int]) -> Markup:
    """All verdicts of a run in one bar."""
    total = sum(counts.values())
    parts, start = [], 0.0
    for name in counts:
        share = counts[name] / total if total else 0.0
        if share == 0:
            continue
        parts.append(
            f'<g class="part v-{name}" data-verdict="{name}">'
            f'<rect class="fill" x="{_percent(start)}" width="{_percent(share)}" height="28"/>'
            f'<rect class="over" x="{_percent(start)}" width="{_percent(share)}" height="28"/>'
            f"<title>{verdict_words(name).label}: {counts[name]:,} ({share:.1%})</title></g>"
        )
        start += share
        if start < 0.9999:
            parts.append(
                f'<line class="gap" x1="{_percent(start)}" x2="{_percent(start)}" y1="0" y2="28"/>'
            )
    told = ", ".join(
        f"{verdict_words(name).label} {counts[name] / total:.0%}"
        for name in counts
        if total and counts[name]
    )
    return _svg(28, "".join(parts), f"Verdicts: {told}", "strip")


def place_strip(colour: str, counts: Sequence[int]) -> Markup:
    """Where one requested colour went, in that colour."""
    total = sum(counts)
    ink = colour_hex(colour)
    parts, start, told = [], 0.0, []
    for place, count in zip(DESTINATIONS, counts, strict=True):
        share = count / total if total else 0.0
        if share == 0:
            continue
        told.append(f"{place.label} {share:.0%}")
        filled, pattern = _PLACE_PAINT.get(place.name, _UNPAINTED)
        x, width = _percent(start), _percent(share)
        paint = f'fill="{ink}"' if filled else 'class="mat-fill"'
        parts.append(f'<rect x="{x}" width="{width}" y="1" height="20" {paint}/>')
        if pattern:
            parts.append(
                f'<rect x="{x}" width="{width}" y="1" height="20" fill="url(#p-{pattern})"/>'
            )
        parts.append(f'<rect class="edge" x="{x}" width="{width}" y="1" height="20"/>')
        start += share
    label = f"{colour}: " + ", ".join(told)
    return _svg(22, "".join(parts), label, "went")


def place_key(name: str) -> Markup:
    """Draw the patch that stands for a place in the legend."""
    filled, pattern = _PLACE_PAINT.get(name, _UNPAINTED)
    body = f'<rect x="0" y="0" width="100%" height="14" class="{"ink" if filled else "mat-fill"}"/>'
    if pattern:
        body += f'<rect x="0" y="0" width="100%" height="14" fill="url(#p-{pattern})"/>'
    body += '<rect class="edge" x="0" y="0" width="100%" height="14"/>'
    return Markup(
        '<svg class="chart key" width="22" height="14" aria-hidden="true">{}</svg>'
    ).format(Markup(body))


def shift(control: float, prompt: float, label: str) -> Markup:
    """From the share without the colour word (ring) to the share with it (dot)."""

    def at(x: float) -> str:
        return _percent(0.01 + 0.98 * min(1.0, max(0.0, x)))

    body = f'<line class="track" x1="{at(0)}" x2="{at(1)}" y1="10" y2="10"/>'
    for tick in (0.0, 0.25, 0.5, 0.75, 1.0):
        body += f'<line class="tick" x1="{at(tick)}" x2="{at(tick)}" y1="6" y2="14"/>'
    body += (
        f'<line class="band" x1="{at(control)}" x2="{at(prompt)}" y1="10" y2="10"/>'
        f'<circle class="ring" cx="{at(control)}" cy="10" r="4.5"/>'
        f'<circle class="point" cx="{at(prompt)}" cy="10" r="5"/>'
    )
    return _svg(20, body, label, "interval")


def _mark(kind: str, x: str, y: float) -> str:
    """Draw the mark of one point of a curve."""
    if kind in _MARKS:
        return f'<svg x="{x}" y="{y:.1f}" class="dot {kind}"><path d="{_MARKS[kind]}"/></svg>'
    return f'<circle class="dot {kind}" cx="{x}" cy="{y:.1f}" r="{_RADII[kind]}"/>'


#: Marks around the origin; the others are discs and rings.
_SQUARE, _TRIANGLE, _DIAMOND = "M-4 -4h8v8h-8z", "M0 -5l5 9h-10z", "M0 -5l5 5l-5 5l-5 -5z"
_MARKS = {
    "leak_neighbour": _SQUARE,
    "leak_background": _TRIANGLE,
    "neighbour": _SQUARE,
    "wall": _TRIANGLE,
    "support": _DIAMOND,
}
_RADII = {"bind": 4, "prior": 3, "control": 4, "subject": 4, "subject_alone": 4}


def curves(
    table: Mapping[str, Sequence[float]],
    names: Mapping[str, str],
    height: int = 200,
    ticks: Sequence[float] = (0.0, 0.25, 0.5, 0.75, 1.0),
) -> Markup:
    """Draw shares by step, a curve each: line and marks differ, not only in tone.

    Parameters
    ----------
    table : mapping
        Values by step, NaN where there is none.
    ticks : sequence of float
        Lines of the scale, rising; values beyond the first and the last are drawn there.
    names : mapping
        What each curve is called, for the label.
    """
    top, bottom = 8.0, height - 8.0
    steps = max((len(values) for values in table.values()), default=0)

    def at(step: int) -> str:
        return _percent((step + 0.5) / steps)

    def up(value: float) -> float:
        share = (value - ticks[0]) / (ticks[-1] - ticks[0])
        return bottom - (bottom - top) * min(1.0, max(0.0, share))

    parts = [
        f'<line class="grid" x1="0%" x2="100%" y1="{up(tick):.1f}" y2="{up(tick):.1f}"/>'
        for tick in ticks
    ]
    told = []
    for kind, values in reversed(list(table.items())):
        known = [(step, value) for step, value in enumerate(values) if value == value]
        parts += [
            f'<line class="curve {kind}" x1="{at(a)}" y1="{up(v):.1f}" x2="{at(b)}"'
            f' y2="{up(w):.1f}"/>'
            for (a, v), (b, w) in pairwise(known)
        ]
        parts += [_mark(kind, at(step), up(value)) for step, value in known]
        by_step = ", ".join(f"step {step + 1} {v:.0%}" for step, v in known)
        told.append(f"{names[kind]}: " + by_step.replace("-", "−"))
    return _svg(height, "".join(parts), "; ".join(reversed(told)), "curves")


def curve_key(kind: str) -> Markup:
    """Draw the piece of line that stands for a curve in the legend."""
    body = f'<line class="curve {kind}" x1="0" x2="28" y1="8" y2="8"/>' + _mark(kind, "14", 8)
    return Markup(
        '<svg class="chart curves key" width="28" height="16" aria-hidden="true">{}</svg>'
    ).format(Markup(body))


def arrivals(counts: Sequence[int], total: int, height: int = 64) -> Markup:
    """Draw how many subjects have their colour for good from each step on, as bars."""
    most = max(counts, default=0) or 1
    parts = []
    for step, count in enumerate(counts):
        tall = (height - 18) * count / most
        parts.append(
            f'<rect class="bar-fill" x="{_percent((step + 0.2) / len(counts))}"'
            f' width="{_percent(0.6 / len(counts))}" y="{height - tall:.1f}" height="{tall:.1f}"/>'
            f'<text x="{_percent((step + 0.5) / len(counts))}" y="{height - tall - 5:.1f}"'
            f' text-anchor="middle">{count:,}</text>'
        )
    told = ", ".join(f"step {step + 1}: {count:,}" for step, count in enumerate(counts))
    return _svg(
        height,
        "".join(parts),
        f"Of {total:,} subjects that took the colour, from {told}",
        "arrived",
    )


def swatch(name: str | None) -> Markup:
    """Draw a small patch of a named colour; crossed where the colour has no known paint."""
    if name in COLOURS:
        return Markup('<i class="swatch" style="background:{}"></i>').format(colour_hex(name))
    return Markup('<i class="swatch unknown"></i>')


def plain(text: object) -> str:
    """Text for use in a label: escaped."""
    return str(escape(text))
