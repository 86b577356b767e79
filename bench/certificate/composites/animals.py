"""Animals, drawn from a few curves."""

from __future__ import annotations

from bench.certificate.composites.pen import DARK, WHITE, Drawing, Pen


def _pig(p: Pen) -> None:
    for x in (0.26, 0.4, 0.62, 0.76):
        p.polygon(((x, 0.66), (x + 0.09, 0.66), (x + 0.09, 0.88), (x, 0.88)), None, 176)
    p.ellipse(0.54, 0.54, 0.36, 0.24)
    p.ellipse(0.24, 0.44, 0.19, 0.18)
    p.polygon(((0.14, 0.32), (0.16, 0.16), (0.28, 0.28)), None, 176)
    p.polygon(((0.3, 0.28), (0.4, 0.16), (0.4, 0.34)), None, 176)
    p.ellipse(0.14, 0.5, 0.08, 0.06, None, 168)
    p.ellipse(0.2, 0.39, 0.02, 0.02, DARK)


def _elephant(p: Pen) -> None:
    for x in (0.38, 0.52, 0.68, 0.8):
        p.polygon(((x, 0.6), (x + 0.11, 0.6), (x + 0.11, 0.9), (x, 0.9)), None, 180)
    p.ellipse(0.62, 0.5, 0.33, 0.25)
    p.ellipse(0.28, 0.4, 0.2, 0.2)
    p.line(((0.16, 0.44), (0.1, 0.62), (0.12, 0.8), (0.2, 0.84)), 0.1)
    p.ellipse(0.4, 0.38, 0.14, 0.18, None, 172)
    p.ellipse(0.2, 0.35, 0.022, 0.022, DARK)


def _frog(p: Pen) -> None:
    for x in (0.2, 0.8):
        p.ellipse(x, 0.74, 0.16, 0.13, None, 180)
    p.ellipse(0.5, 0.62, 0.35, 0.27)
    for x in (0.32, 0.68):
        p.ellipse(x, 0.34, 0.12, 0.12)
        p.ellipse(x, 0.33, 0.065, 0.065, WHITE)
        p.ellipse(x, 0.34, 0.035, 0.035, DARK)
    p.line(((0.3, 0.62), (0.42, 0.7), (0.58, 0.7), (0.7, 0.62)), 0.02, None, 120)


def _fish(p: Pen) -> None:
    p.polygon(((0.7, 0.52), (0.94, 0.28), (0.9, 0.52), (0.94, 0.78)), None, 176)
    p.curve(
        (
            (0.06, 0.54),
            (0.2, 0.34),
            (0.46, 0.27),
            (0.74, 0.46),
            (0.76, 0.58),
            (0.48, 0.79),
            (0.2, 0.72),
        )
    )
    p.polygon(((0.36, 0.3), (0.54, 0.14), (0.6, 0.34)), None, 176)
    p.ellipse(0.22, 0.47, 0.05, 0.05, WHITE)
    p.ellipse(0.21, 0.47, 0.026, 0.026, DARK)


def _whale(p: Pen) -> None:
    p.curve(
        (
            (0.06, 0.56),
            (0.14, 0.38),
            (0.4, 0.32),
            (0.66, 0.44),
            (0.84, 0.4),
            (0.86, 0.22),
            (0.98, 0.26),
            (0.94, 0.5),
            (0.76, 0.74),
            (0.4, 0.82),
            (0.12, 0.74),
        )
    )
    p.ellipse(0.22, 0.54, 0.025, 0.025, DARK)
    p.line(((0.08, 0.66), (0.3, 0.7), (0.5, 0.68)), 0.016, None, 140)


DRAWINGS: dict[str, Drawing] = {
    "pig": _pig,
    "elephant": _elephant,
    "frog": _frog,
    "fish": _fish,
    "whale": _whale,
}
