"""The experiment on the family of models: ``python -m reference_models.study``.

Every figure is a run of this suite. The command trains the members whose weights are not there
(with ``--train``), runs the suite where a run is not finished, keeps what it measured in
``docs/study/results.json``, and writes ``docs/study.md`` with its figures. Stopped at any moment it
goes on where it was. What was measured on the same weights before is not run again.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from reference_models.errors import ModelError
from reference_models.study.figures import figures
from reference_models.study.page import page
from reference_models.study.plan import TONED, Experiment, experiments, trainings
from reference_models.study.results import Result, Value, read_results, write_results
from reference_models.study.runs import folder_of, record_of, run, train, weights_of

_PATH = click.Path(path_type=Path)


def is_kept(experiment: Experiment, kept: Mapping[str, Result], weights: str) -> bool:
    """Whether the results have this experiment as it would be made now."""
    one = kept.get(experiment.name)
    if one is None:
        return False
    asked = " ".join(["--model", experiment.argument, *experiment.options])
    return one.facts["asked"] == asked and weights in ("", one.facts["weights"])


def measure(
    planned: Sequence[Experiment], kept: dict[str, Result], out: Path, again: bool, save: Any
) -> None:
    """Make the runs that are missing and take up what they measured, one after the other."""
    from reference_models.study.measures import measured

    due = []
    for one in planned:
        weights = weights_of(one.member, one.seed)
        if weights is not None and (again or not is_kept(one, kept, weights)):
            due.append((one, weights))
    started, made = time.monotonic(), 0
    for number, (one, weights) in enumerate(due, 1):
        folder = folder_of(one, out, weights)
        left = ""
        if made:
            each = (time.monotonic() - started) / made
            left = f", about {each * (len(due) - number + 1) / 60:.0f} min left"
        click.echo(f"{number} of {len(due)}: {one.name}{left}", err=True)
        if record_of(folder) is None:
            run(one, folder)
            made += 1
        record = record_of(folder)
        if record is None:
            raise ModelError(f"{folder} is not finished; run the same command again")
        kept[one.name] = measured(one, folder, record)
        save()


def measure_tone(tone: dict[str, Any], again: bool) -> None:
    """Measure the lightness of members whose weights are there, where it is not known."""
    due = [
        (name, weights)
        for name in TONED
        if (weights := weights_of(name)) and (again or tone.get(name, {}).get("weights") != weights)
    ]
    if not due:
        return
    from reference_models.study.tone import captioned, tone_of, tone_of_member

    asked = captioned()
    rendered = tone_of({kind: one.pictures for kind, one in asked.items()})
    tone["rendered"] = _plain_tone("", rendered)
    for name, weights in due:
        click.echo(f"lightness of {name}", err=True)
        tone[name] = _plain_tone(weights, tone_of_member(name, asked))


def _plain_tone(weights: str, found: Mapping[str, Value]) -> dict[str, Any]:
    rows = {name: [round(v, 4) for v in asdict(value).values()] for name, value in found.items()}
    return {"weights": weights, **rows}


def tone_values(tone: Mapping[str, Any]) -> dict[str, dict[str, Value]]:
    """Lightness by member as values, the rendered scenes first."""
    return {
        name: {key: Value(*row) for key, row in tone[name].items() if key != "weights"}
        for name in ("rendered", *TONED)
        if name in tone
    }


@click.command()
@click.option("--out", type=_PATH, default=Path("runs"), help="Run folders.")
@click.option("--page", "target", type=_PATH, default=Path("docs/study.md"))
@click.option(
    "--results",
    "store",
    type=_PATH,
    default=Path("docs/study/results.json"),
    help="What is kept of the runs.",
)
@click.option("--train", "with_training", is_flag=True, help="Train the members that are missing.")
@click.option("--only-page", is_flag=True, help="Write the page from the results that are kept.")
@click.option("--again", is_flag=True, help="Also measure what is kept already.")
def main(
    out: Path, target: Path, store: Path, with_training: bool, only_page: bool, again: bool
) -> None:
    """Train what is missing, run the suite on all, and write the page."""
    planned = experiments()
    try:
        kept, tone = read_results(store)
        if with_training:
            for member, seed in trainings(planned):
                if weights_of(member, seed) is None:
                    click.echo(f"training {member}, seed {seed or 'its own'}", err=True)
                    train(member, seed)
        if not only_page:

            def save() -> None:
                write_results(store, kept.values(), tone)

            measure(planned, kept, out, again, save)
            measure_tone(tone, again)
            save()
            # What is kept is rounded: the page is the same now and when it is made from the file.
            kept, tone = read_results(store)
        found = {one.name: kept[one.name] for one in planned if one.name in kept}
        drawn = figures(found)
        images = target.parent / "images"
        images.mkdir(parents=True, exist_ok=True)
        for name, content in drawn.items():
            (images / name).write_bytes(content)
        target.write_text(page(found, tone_values(tone), drawn), encoding="utf-8")
    except ModelError as error:
        raise click.ClickException(str(error)) from error
    click.echo(str(target))


if __name__ == "__main__":
    main()
