"""``bench run``: images of a grid, made, scored and stored."""

from __future__ import annotations

from typing import Any

import click

from bench.cli.grid_options import grid_options, resolve_grid
from bench.cli.numbers import Number
from bench.cli.place import runs_folder
from bench.cli.sampling_options import sampling_options, take_sampling
from bench.cli.scoring_options import finish, scoring_options


@click.command()
@click.option(
    "--model",
    required=True,
    metavar="NAME",
    help="A model of `bench models`, a diffusers pipeline (folder, .safetensors, org/name@rev), or "
    "your own: package.module:attribute.",
)
@click.option("--name", metavar="NAME", help="Name of the run.  [default: model and grid]")
@runs_folder("Folder of the runs.")
@grid_options
@click.option("--batch-size", type=click.IntRange(min=1), metavar="N", help="Images a batch.")
@click.option("--steps", type=click.IntRange(min=1), metavar="N", help="Sampling steps.")
@click.option("--guidance-scale", type=Number(min=0), metavar="X", help="Classifier-free guidance.")
@sampling_options
@click.option(
    "--dtype",
    metavar="TYPE",
    help="Arithmetic of the model: float32, bfloat16, float16.  [default: what is fast here]",
)
@scoring_options
@click.option(
    "--trajectory",
    is_flag=False,
    flag_value="0",
    type=click.IntRange(min=0),
    metavar="[N]",
    help="Keep and score the clean image predicted at N steps; at every step with 0 or without N.",
)
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    metavar="N",
    help="Make the first N images only; the run is not comparable.",
)
@click.option("--devices", metavar="LIST", help="One process a device: 0,1 or cuda:0,cuda:1.")
@click.option(
    "--engine",
    type=click.Choice(["local", "ray"]),
    default="local",
    show_default=True,
    help="This machine, or the machines of a Ray cluster.",
)
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    metavar="N",
    help="Ray workers.  [default: one a GPU, or one a CPU where there is none]",
)
@click.option("--dry-run", is_flag=True, help="Tell what it would take, and do nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def command(**options: Any) -> None:
    """Make the images of a grid, score them, and print a summary.

    Stopped at any moment, the same command goes on where it was: only what is missing is made.
    """
    from bench.run.spec import ModelSource, RunSpec

    grid_names = ("preset", "grid_file", "colours", "subjects", "templates", "scenery", "seeds")
    grid_given = {name: options.pop(name) for name in (*grid_names, "captions", "strict")}
    as_json, yes = options.pop("as_json"), options.pop("yes")
    dry_run = options.pop("dry_run")
    trackers = options.pop("trackers")
    options["out"] = options.pop("runs")
    some = take_sampling(options)
    ours = ("model", "batch_size", "steps", "guidance_scale", "dtype", "trajectory")
    of_model = {name: options.pop(name) for name in ours}
    source = ModelSource(
        grid=resolve_grid(**grid_given),
        tag_by_training=grid_given["captions"] is None,
        options=some,
        **of_model,
    )
    spec = RunSpec(source, **options)
    if dry_run:
        from bench.run.dry_run import forecast

        click.echo(forecast(spec), nl=False)
        return
    finish(spec, as_json, yes, trackers)
