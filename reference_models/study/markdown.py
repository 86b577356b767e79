"""The form of the page: a headed table with its figure and what follows from it."""

from __future__ import annotations

from collections.abc import Collection, Sequence


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A Markdown table, numbers to the right."""
    lines = ["| " + " | ".join(heads) + " |", "|---" + "|---:" * (len(heads) - 1) + "|"]
    return [*lines, *("| " + " | ".join(row) + " |" for row in rows), ""]


def section(
    title: str,
    words: str,
    heads: Sequence[str],
    rows: Sequence[Sequence[str]],
    notes: Sequence[str] = (),
    figure: tuple[str, str] | None = None,
) -> list[str]:
    """A headed table with its figure and what follows from it; nothing where there are no rows."""
    if not rows:
        return []
    lines = [f"## {title}", "", words, ""]
    if figure is not None:
        lines += [f"![{figure[1]}](images/{figure[0]})", ""]
    lines += table(heads, rows)
    return [*lines, *(f"- {line}" for line in notes), *([""] if notes else [])]


def figure_of(drawn: Collection[str], name: str, words: str) -> tuple[str, str] | None:
    """File of a figure and its words; None where it was not drawn."""
    file = f"study-{name}.svg"
    return (file, words) if file in drawn else None
