"""``bench doctor``: what this machine has and lacks."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click


@click.command()
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("runs"),
    show_default=True,
    metavar="DIR",
    help="Folder of the runs.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(out: Path, as_json: bool) -> None:
    """Tell versions, devices, memory and disk, and which parts can run; exit 3 where one cannot."""
    from bench.machine import examine

    found = examine(out)
    if as_json:
        click.echo(json.dumps([asdict(one) for one in found], indent=1))
    else:
        topic = ""
        for one in found:
            if one.topic != topic:
                topic = one.topic
                click.echo(topic)
            click.echo(f"  {'ok ' if one.ok else 'NO '} {one.name:<16} {one.value}")
    lacking = [one.name for one in found if not one.ok]
    if lacking:
        from bench.errors import NotComparableError

        raise NotComparableError(f"this machine lacks: {', '.join(lacking)}")
