"""``python -m bench.cli.fit``: the constants of the judge made again, with what each choice costs.

The constants stand in `bench.judge.verdict`, `bench.judge.local_light`, `bench.judge.paints`,
`bench.judge.white_balance`, `bench.judge.regions.photo_evidence`, `bench.judge.places` and
`bench.judge.excess`; usual parts of things in ``bench/judge/parts.json``.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

#: What can be fitted.
WHAT = ("verdict", "light", "parts", "places", "presence", "ood")


@click.command()
@click.argument("what", type=click.Choice(WHAT))
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
@click.option("--only", multiple=True, help="Constants of light or places; repeat for several.")
@click.option("--rounds", default=2, show_default=True, help="Over all constants of light.")
def main(
    what: str, scenes: int, photoreal: tuple[Path, ...], labels: Path | None, only: tuple[str, ...],
    rounds: int,
) -> None:  # fmt: skip
    """Fit thresholds, constants of light and paints or of places, usual parts, presence, or `ood`.

    ``ood`` writes what certified pictures look like to the bundled networks, to be made again when
    those have other layers.
    """
    from bench.annotations.labelled_pictures import load_labelled
    from bench.certificate.fit import fit_set, fit_surfaces, fit_table

    if what == "ood":
        from bench.certificate.certified_pictures import fit_references
        from bench.judge.certified_kinds import PATH, write_references

        if not photoreal:
            raise click.UsageError("ood needs --photoreal FOLDER, scenes for training")
        references = fit_references(scenes, photoreal, lambda line: click.echo(line, err=True))
        write_references(PATH, references)
        click.echo(json.dumps({
            network: {name: round(kind.threshold, 3) for name, kind in one.kinds.items()}
            for network, one in references.items()
        }))  # fmt: skip
        return
    if what == "parts":
        from bench.certificate.parts import usual_parts

        click.echo(json.dumps(usual_parts(photoreal), indent=1))
        return
    if what == "places":
        from bench.certificate.place_fit import fit_places, place_pairs
        from bench.judge.regions.cutout import CutoutSegmenter

        pairs = place_pairs(scenes, CutoutSegmenter())
        found = fit_places(pairs, only, lambda row: click.echo(json.dumps(row), err=True))
        click.echo(json.dumps(found, indent=1))
        return
    if what == "presence":
        from bench.certificate.presence import fit_presence

        known = fit_set(scenes, photoreal, kinds=("composites",)).known
        click.echo(json.dumps(fit_presence(list(known.values())), indent=1))
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
