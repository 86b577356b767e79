"""``bench doctor``: what this machine has and lacks."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from textwrap import shorten
from typing import TYPE_CHECKING

import click

from bench.cli.place import runs_folder

if TYPE_CHECKING:
    from bench.cli.environment import Finding

#: Bundled models beside ``local`` begin so.
VARIANT = "local-"


@click.command()
@runs_folder("Folder of the runs.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(runs: Path, as_json: bool) -> None:
    """Tell versions, devices, memory and disk, and which parts can run.

    What is marked - is missing and not needed by default; exit 3 where something is that is.
    """
    from bench.cli.environment import examine

    found = examine(runs)
    if as_json:
        click.echo(json.dumps([asdict(one) for one in found], indent=1))
    else:
        topic = ""
        for one in _in_one_screen(found):
            if one.topic != topic:
                topic = one.topic
                click.echo(topic)
            mark = "ok" if one.ok else "NO" if one.needed else " -"
            click.echo(f"  {mark} {one.name:<15} {one.value}")
    lacking = [f"{one.topic} {one.name}" for one in found if one.needed and not one.ok]
    if lacking:
        from bench.errors import NotComparableError

        raise NotComparableError(f"this machine lacks: {', '.join(lacking)}")


def _in_one_screen(found: Sequence[Finding]) -> Iterator[Finding]:
    """Put what is alike into few lines; a library that is missing has a line of its own."""
    from bench.cli.environment import NOT_HERE

    there = [one for one in found if one.topic == "library" and one.ok]
    variants = [one for one in found if one.topic == "sampler" and one.name.startswith(VARIANT)]
    remote = [one for one in found if one.value.startswith(NOT_HERE)]
    for one in found:
        if one in remote:
            alike = [other for other in remote if other.topic == one.topic]
            if one is alike[0]:
                names = ", ".join(other.name for other in alike)
                yield replace(one, name="from the hub", value=names)
        elif one in there:
            place = there.index(one)
            if place % 3 == 0:
                yield _joined(there[place : place + 3])
        elif one in variants:
            alike = [other for other in variants if other.ok == one.ok]
            if one is alike[0]:
                names = ", ".join(other.name.removeprefix(VARIANT) for other in alike)
                value = f"bundled too: {names}" if one.ok else f"{names}: {one.value}"
                yield replace(one, name=f"{VARIANT}...", value=value)
        else:
            yield replace(one, value=shorten(one.value, 60, placeholder=" ...")) if one.ok else one


def _joined(several: Sequence[Finding]) -> Finding:
    first, *others = several
    value = ", ".join([first.value, *(f"{one.name} {one.value}" for one in others)])
    return replace(first, value=value)
