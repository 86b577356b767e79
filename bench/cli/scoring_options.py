"""The options that say how pictures are scored, wherever they are from."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from bench.run.spec import RunSpec

Command = TypeVar("Command", bound=Callable[..., Any])

#: Scorers where none is named.
SCORERS = ("segmentation", "clip", "ood")

_OPTIONS = (
    click.option(
        "--segmenter",
        default="auto",
        show_default=True,
        metavar="NAME",
        help="What finds the subject in the image.",
    ),
    click.option(
        "--scorer",
        "scorers",
        multiple=True,
        metavar="NAME",
        callback=lambda context, option, given: tuple(given) or SCORERS,
        help="What measures; repeat for several.  [default: segmentation, clip, ood]",
    ),
    click.option(
        "--clip",
        metavar="SPEC",
        help="CLIP: bundled, tipsv2, ViT-B-16:openai, model:tag=FILE.",
    ),
    click.option(
        "--certificate",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        metavar="FILE",
        help="Of bench validate --labels: its labelled pictures count as a certified kind.",
    ),
    click.option(
        "--vqa-url",
        metavar="URL",
        help="Chat endpoint of the scorer vqa-api:MODEL, such as http://127.0.0.1:8000/v1; its key "
        "is read from BENCH_VQA_KEY.  [default: OpenAI's]",
    ),
    click.option(
        "--vqa-concurrency",
        type=click.IntRange(1, 256),
        metavar="N",
        help="Requests to it at once.  [default: 4]",
    ),
    click.option(
        "--vqa-allow-http",
        is_flag=True,
        help="Send pictures and key to a host other than this machine without encryption.",
    ),
    click.option(
        "--log",
        "trackers",
        multiple=True,
        type=click.Choice(["wandb", "mlflow", "tensorboard"]),
        help="Hand numbers, verdicts and pictures to an experiment tracker; may be repeated.",
    ),
    click.option("--device", metavar="NAME", help="cpu, cuda, cuda:1, mps."),
    click.option(
        "--judge-device", metavar="NAME", help="Of segmenter and scorers.  [default: the model's]"
    ),
    click.option(
        "--yes", is_flag=True, help="Fetch the weights of a better segmenter without asking."
    ),
    click.option(
        "--fresh", is_flag=True, help="Make everything anew, whatever is stored under the name."
    ),
)


def scoring_options(command: Command) -> Command:
    """Add the options to a command, in the order above."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def finish(spec: RunSpec, as_json: bool, yes: bool = False, trackers: Sequence[str] = ()) -> None:
    """Make a run and print its summary; too many invalid images are an error after it.

    ``yes`` fetches what would else be asked for, where there is somebody to ask.
    """
    import json

    from bench.run.run import run

    for tracker in trackers:
        from bench.export.trackers import require_tracker

        require_tracker(tracker)
    done = run(spec, consent=_consent(yes))
    # Not before: pandas, which these need, would lie beside a large picture while it is decoded.
    from bench.export.trackers import log_run
    from bench.run.record import require_valid
    from bench.run.summary import RunSummary, render, to_dict
    from bench.statistics.second_opinions import second_opinions
    from bench.store.derived import read_verdicts

    opinions = second_opinions(read_verdicts(done.run))
    summary = RunSummary(done.run.manifest, done.estimates, done.stock.images, opinions=opinions)
    if as_json:
        click.echo(json.dumps(to_dict(summary), indent=1))
    else:
        from rich.console import Console

        Console().print(render(summary))
    for tracker in trackers:
        log_run(done.run, done.estimates, tracker)
    require_valid(done.stock)


def _consent(yes: bool) -> Callable[[str], bool] | None:
    if yes:
        return lambda question: True
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return None
    return lambda question: click.confirm(question, err=True)
