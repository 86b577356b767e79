"""``python -m bench.cli.fit``: the constants of the judge made again, with what each choice costs.

The constants stand in `bench.judge.verdict`, `bench.judge.local_light`, `bench.judge.paints`,
`bench.judge.white_balance` and `bench.judge.regions.photo_evidence`; usual parts of things in
``bench/judge/parts.json``.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click


@click.command()
@click.argument("what", type=click.Choice(["verdict", "light", "parts", "presence"]))
@click.option("--scenes", default=220, show_default=True, help="Of a trial.")
@click.option(
    "--photoreal",
    type=click.Path(exists=True, path_type=Path),
    multiple=True,
    help="Training scenes of reference_models.photoreal, never the test set; repeat for several.",
)
@click.option(
    "--labels",
    type=click.Path(exists=True, path_type=Path),
    help="Labelled pictures with masks by hand, as bench validate reads them.",
)
@click.option("--only", multiple=True, help="Constants of light to fit; repeat for several.")
@click.option("--rounds", default=2, show_default=True, help="Over all constants of light.")
def main(
    what: str, scenes: int, photoreal: tuple[Path, ...], labels: Path | None, only: tuple[str, ...],
    rounds: int,
) -> None:  # fmt: skip
    """Fit thresholds, constants of light and paints, usual parts of things, or presence."""
    from bench.annotations.labelled_pictures import load_labelled
    from bench.certificate.fit import fit_set, fit_surfaces, fit_table

    if what == "parts":
        from bench.certificate.parts import usual_parts

        click.echo(json.dumps(usual_parts(photoreal), indent=1))
        return
    if what == "presence":
        from bench.certificate.presence import fit_presence

        known = fit_set(scenes, photoreal).known
        kinds = [known[kind] for kind in ("composites", "photoreal") if kind in known]
        click.echo(json.dumps(fit_presence(kinds), indent=1))
        return
    pictures = fit_set(scenes, photoreal, load_labelled(labels) if labels else ())
    if what == "verdict":
        click.echo(json.dumps(fit_table(pictures), indent=1))
        return
    best, rows = fit_surfaces(
        pictures, rounds, only, lambda row: click.echo(json.dumps(row, default=asdict), err=True)
    )
    click.echo(json.dumps({"best": asdict(best), "tried": rows}, default=asdict, indent=1))


if __name__ == "__main__":
    main()
