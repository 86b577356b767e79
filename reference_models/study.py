"""The experiment on the family of models: ``python -m reference_models.study``.

Every figure is a run of this suite. The command trains the members whose weights are not there
(with ``--train``), runs the suite where a run is not finished, and writes
``docs/study.md`` from the estimates. Stopped at any moment it goes on where it was.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from reference_models.errors import ModelError
from reference_models.presets import PRESETS
from reference_models.study_page import Found, page
from reference_models.weights import find_weights

#: Members that the study asks for.
MEMBERS = tuple(name for name in PRESETS if name.startswith("local-"))
GUIDANCE = (1.0, 2.0, 3.0, 4.0, 6.0, 8.0)
STEPS = (2, 4, 8, 16)


@dataclass(frozen=True, slots=True)
class Experiment:
    """One run of the suite.

    Attributes
    ----------
    name : str
        Of the run folder.
    model : str
        As ``--model``.
    options : tuple of str
        Of ``bench run`` beside the model.
    """

    name: str
    model: str
    options: tuple[str, ...] = ()


def experiments() -> list[Experiment]:
    """All runs of the study, the most telling first."""
    members = [
        Experiment(f"study-{name}", name)
        for name in ("local", *MEMBERS, "local-ddpm-ancestral", "local-sd")
    ]
    small = ("--preset", "quick")
    sweeps = [
        Experiment(
            f"study-guidance-{scale:g}", "local-teacher", (*small, "--guidance-scale", f"{scale:g}")
        )
        for scale in GUIDANCE
    ]
    sweeps += [
        Experiment(f"study-steps-{steps}", "local-teacher", (*small, "--steps", str(steps)))
        for steps in STEPS
    ]
    frames = [
        Experiment(f"study-frames-{name}", name, (*small, "--trajectory"))
        for name in ("local", "local-teacher", "local-atomic", "local-capped", "local-ddpm")
    ]
    return [*members, *sweeps, *frames]


def is_there(model: str) -> bool:
    """Whether a member's weights are bundled or trained."""
    name = model.removesuffix("-ancestral")
    if name == "local-sd":
        return True
    try:
        find_weights(name)
    except ModelError:
        return False
    return True


def train(name: str) -> None:
    """Train a member into ``training/NAME``; goes on from a checkpoint that is there."""
    command = [sys.executable, "-m", "reference_models.train", "--preset", name]
    subprocess.run(command, check=True)


def run(experiment: Experiment, out: Path) -> None:
    """Run the suite where the run is not finished."""
    record = out / experiment.name / "run.json"
    if record.is_file() and json.loads(record.read_text())["finished"]:
        return
    command = [sys.executable, "-m", "bench", "run", "--model", experiment.model]
    command += ["--segmenter", "auto", "--scorer", "segmentation"]
    command += ["--out", str(out), "--name", experiment.name]
    subprocess.run([*command, *experiment.options], check=True, stdout=subprocess.DEVNULL)


def found(experiment: Experiment, out: Path) -> Found | None:
    """Estimates of a finished run; None where there is none."""
    folder = out / experiment.name
    record = folder / "run.json"
    if not record.is_file() or not json.loads(record.read_text())["finished"]:
        return None
    estimates = json.loads((folder / "estimates.json").read_text())["estimates"]
    return Found(
        experiment.name, experiment.model, {(e["metric"], e["group"]): e for e in estimates}
    )


def missing(planned: Sequence[Experiment]) -> list[str]:
    """Members of the plan whose weights are not there."""
    names = dict.fromkeys(one.model.removesuffix("-ancestral") for one in planned)
    return [name for name in names if not is_there(name)]


@click.command()
@click.option("--out", type=click.Path(path_type=Path), default=Path("runs"), help="Run folders.")
@click.option("--page", "target", type=click.Path(path_type=Path), default=Path("docs/study.md"))
@click.option("--train", "with_training", is_flag=True, help="Train the members that are missing.")
@click.option("--only-page", is_flag=True, help="Write the page from the runs that are there.")
def main(out: Path, target: Path, with_training: bool, only_page: bool) -> None:
    """Train what is missing, run the suite on all, and write the page."""
    planned = experiments()
    if with_training:
        for name in missing(planned):
            click.echo(f"training {name}", err=True)
            train(name)
    absent = missing(planned)
    for number, one in enumerate(planned, 1):
        if only_page or one.model.removesuffix("-ancestral") in absent:
            continue
        click.echo(f"{number} of {len(planned)}: {one.name}", err=True)
        run(one, out)
    results = [result for one in planned if (result := found(one, out)) is not None]
    target.write_text(page(results, absent))
    click.echo(str(target))


if __name__ == "__main__":
    main()
