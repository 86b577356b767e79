"""Gather the icons that the cutout network learns on: ``python -m reference_models.cutout.gather``.

Writes ``icons.npz``, which `reference_models.cutout.train` reads, and ``sources.json``, which names
the sets, their packages and their licences. Photographs are not gathered: any folder will do.
"""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import click
import numpy as np

from reference_models.cutout.icon_sets import PACKAGES, DrawnIcon, IconSet, draw, fetch, read_set
from reference_models.errors import ModelError

ICONS = "icons.npz"
SOURCES = "sources.json"


def gather(paths: Iterable[Path]) -> tuple[list[DrawnIcon], list[dict[str, object]]]:
    """Draw the icons of some packages.

    Returns
    -------
    tuple
        The icons, package by package; and a record of each package.

    Raises
    ------
    ModelError
        A package that is none, is not openly licensed, or holds nothing that is taken.
    """
    icons: list[DrawnIcon] = []
    sources: list[dict[str, object]] = []
    for path in paths:
        one = read_set(path)
        drawn = list(draw(one))
        if not any(icon.subject for icon in drawn):
            raise ModelError(f"{one.name} ({path}) shows none of the subjects")
        icons += drawn
        sources.append(_record(one, drawn))
    return icons, sources


def _record(one: IconSet, drawn: list[DrawnIcon]) -> dict[str, object]:
    shown = Counter(icon.subject for icon in drawn if icon.subject)
    return one.record() | {"icons": len(drawn), "subjects": dict(sorted(shown.items()))}


def sources_text(sources: Iterable[dict[str, object]]) -> str:
    """One line on what the icons are, for the header of the weights."""
    return ", ".join(f"{one['icons']:,} icons of {one['name']} ({one['licence']})"
                     for one in sources)  # fmt: skip


def write(folder: Path, icons: list[DrawnIcon], sources: list[dict[str, object]]) -> None:
    """Write both files.

    ``icons.npz`` holds ``rgba`` uint8 (I, S, S, 4), ``name`` (I,) with the subject or "", ``key``
    (I,) with the name in the set, and ``said``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(
        folder / ICONS,
        rgba=np.stack([icon.rgba for icon in icons]),
        name=np.array([icon.subject for icon in icons]),
        key=np.array([icon.key for icon in icons]),
        said=np.array(sources_text(sources)),
    )
    (folder / SOURCES).write_text(json.dumps(sources, indent=1) + "\n", encoding="utf-8")


@click.command()
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="Folder for icons.npz and sources.json.",
)
@click.option(
    "--package",
    "packages",
    multiple=True,
    metavar="NAME_OR_PATH",
    help="A package of npm, its archive, or the folder that it was unpacked to; repeat for several."
    f"  [default: {', '.join(PACKAGES)}]",
)
def main(out: Path, packages: tuple[str, ...]) -> None:
    """Gather icons, and print what they are and under which licences."""
    try:
        with tempfile.TemporaryDirectory() as folder:
            paths = []
            for package in packages or PACKAGES:
                local = Path(package)
                paths.append(local if local.exists() else fetch(package, Path(folder)))
            icons, sources = gather(paths)
        write(out, icons, sources)
    except (ModelError, OSError) as error:
        raise click.ClickException(" ".join(str(error).split())) from error
    click.echo(json.dumps(sources, indent=1))
    click.echo(f"{out / ICONS}: {sources_text(sources)}", err=True)


if __name__ == "__main__":
    main()
