"""``bench report``: one self-contained HTML page of a run, or of several side by side."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bench.cli.place import Place

if TYPE_CHECKING:
    import numpy as np

    from reports.lent import Lent
    from reports.reading import Run


@click.command("report")
@click.argument("runs", nargs=-1, metavar="[RUN ...]", type=Place())
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="The page to write.  [default: report.html in the first run's folder]",
)
@click.option("--assets", is_flag=True, help="All pictures, in a folder beside the page.")
@click.option(
    "--figures",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Also write heatmap, leakage and comparison as SVG and PDF (needs matplotlib).",
)
@click.option(
    "--certificate",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Certificate of the scorers, from `bench validate --out FILE`.",
)
@click.option("--open", "opens", is_flag=True, help="Open the page in a browser when it is done.")
def command(
    runs: tuple[Path, ...],
    out: Path | None,
    assets: bool,
    figures: Path | None,
    certificate: Path | None,
    opens: bool,
) -> None:
    """Write one HTML page to look at: numbers, heatmap, where the colour went, pictures.

    RUN is a run folder, or its name in runs/; the latest run where none is given. With several
    runs the page shows them side by side and compares each with the first.
    """
    from bench.store.paths import is_remote
    from bench.store.run import find_run
    from reports.certificate import load_certificate
    from reports.page import write_report

    given = None if certificate is None else load_certificate(certificate)
    folders = [find_run(run, Path("runs")) for run in runs or (None,)]
    loaded = [_load(folder) for folder in folders]
    # A page is to be opened in a browser: that of a run in a remote store is written here.
    target = out or (Path() if is_remote(folders[0]) else folders[0]) / "report.html"
    lent = _lent()
    written = write_report(loaded, target, lent=lent, certificate=given, assets=assets)
    carried = "all" if written.embedded == written.images else f"{written.embedded:,} of"
    click.echo(
        f"{written.path}: {written.size / 1e6:.1f} MB, {carried} {written.images:,} images"
        + (f", pictures in {written.assets}" if written.assets else ""),
        err=True,
    )
    if figures is not None:
        from reports.figures import write_figures

        for path in write_figures(loaded, figures, lent.interval):
            click.echo(str(path), err=True)
    click.echo(str(written.path))
    if opens:
        click.launch(written.path.resolve().as_uri())


def write(folders: Sequence[Path], out: Path) -> None:
    """Write the page of some run folders, as the gate wants it."""
    from reports.page import write_report

    write_report([_load(folder) for folder in folders], out, lent=_lent())


def _lent() -> Lent:
    """Return what the page uses of the benchmark."""
    from reports.lent import Lent

    return Lent(_strongest_term, _interval)


def _load(folder: Path) -> Run:
    """Read a run, its verdicts and estimates made again where the parts have changed since."""
    from bench.run.derive import derive
    from bench.store import derived
    from bench.store.run import Run as Stored
    from reports.reading import read_run

    stored = Stored(folder)
    if not derived.are_current(stored):
        derive(stored)
    return read_run(folder)


def _strongest_term(pixels: np.ndarray) -> np.ndarray:
    """Index of the basic colour term with the largest membership."""
    from bench.judge.colour.naming import memberships

    index: np.ndarray = memberships(pixels, exact=True).argmax(axis=-1)
    return index


def _interval(
    differences: np.ndarray, name: str, level: float
) -> tuple[float | None, float | None]:
    """Return the interval that the gate gives for the same differences."""
    import zlib

    import numpy as np

    from bench.statistics.bootstrap import LEVEL, RESAMPLES
    from bench.statistics.paired import mean_interval

    rng = np.random.default_rng([0, zlib.crc32(name.encode())])
    # Enough draws that some tens of them lie beyond a narrower tail.
    resamples = round(RESAMPLES * min(10.0, (1 - LEVEL) / (1 - level)))
    return mean_interval(differences, rng, resamples=resamples, level=level)
