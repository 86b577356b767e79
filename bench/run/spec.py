"""A whole run as the command line asks for it: from names and numbers to a summary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.errors import UsageError
from bench.judge.colour.named import own_codes
from bench.registry import FAMILIES, address
from bench.run.complete import Completed, complete
from bench.run.components import Crew, build, build_scorers, require_names
from bench.run.execute import Outcome
from bench.run.finish import require_valid
from bench.run.prepare import manifest_for, require_place
from bench.run.progress import Progress, for_stderr
from prompts.cells import Sample
from prompts.grid import Grid, retag

if TYPE_CHECKING:
    from bench.run.scheduler import Leader


@dataclass
class RunJob:
    """What the user asked for.

    Attributes
    ----------
    grid : Grid
    own_tags : bool
        Tag the cells by what the model says it was trained on, where it says so.
    model, name, out, segmenter, scorers, clip, device, batch_size, steps, guidance_scale, limit
    dtype
        As the options of ``bench run``.
    trajectory : int or None
        Frames to keep of each image, 0 for one a step; None for none.
    devices, engine, workers
        Who works: one process a device, or ``ray`` with so many workers; this process alone where
        nothing is said.
    sampling : mapping
        Options of the sampler that only some models have, as given.
    """

    grid: Grid
    model: str
    out: Path
    segmenter: str
    scorers: Sequence[str]
    name: str | None = None
    own_tags: bool = True
    clip: str | None = None
    device: str | None = None
    batch_size: int | None = None
    steps: int | None = None
    guidance_scale: float | None = None
    dtype: str | None = None
    limit: int | None = None
    trajectory: int | None = None
    devices: str | None = None
    engine: str = "local"
    workers: int | None = None
    sampling: Mapping[str, Any] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """Where the run is stored."""
        if self.name is not None and (not self.name or Path(self.name).name != self.name):
            raise UsageError(f"--name {self.name!r} is no name of a folder; --runs takes a path")
        path = Path(self.model).expanduser()
        # The last part of a path says which model it is, not the way to it.
        model = path.resolve().name if path.exists() else self.model
        return self.out / (self.name or f"{slug(model)}-{slug(self.grid.name)}")

    def sampler(self) -> Any:
        """Make the sampler."""
        asked = {
            "steps": self.steps,
            "guidance_scale": self.guidance_scale,
            "dtype": self.dtype,
            "trajectory": self.trajectory,
            **self.sampling,
        }
        offered: dict[str, Any] = {"device": self.device, "batch_size": self.batch_size}
        if address("sampler", self.model) != self.model:
            offered["model"] = self.model
        return build("sampler", self.model, asked, offered)

    def crew(self) -> Crew:
        """Make sampler, segmenter and scorers."""
        offered = {"device": self.device, "clip": self.clip}
        own = {"colours": own_codes(self.grid.colours)}
        require_names(self.segmenter, self.scorers)
        return Crew(
            self.sampler(),
            build("segmenter", self.segmenter, {}, offered),
            build_scorers(self.scorers, offered | own),
        )

    def samples(self) -> list[Sample]:
        """All images asked for."""
        return self.grid.samples()[: self.limit]

    def run(self, *, as_json: bool = False, progress: Progress | None = None) -> Outcome:
        """Make what is missing, and print the summary.

        Raises
        ------
        InterruptedRunError
            The user stopped it.
        BenchError
            Anything that the user can mend.
        """
        progress = progress or for_stderr()
        if address("sampler", self.model) in FAMILIES.values() and (
            self.devices is not None or self.engine != "local"
        ):
            raise UsageError(
                f"{self.model} draws elsewhere: --devices and --engine do not speed it up, "
                "--concurrency does"
            )
        require_place(self.folder)
        if self.devices is None and self.engine == "local":
            crew = self.crew()
            return self._finish(crew, crew, progress, as_json)
        from bench.run.launch import leading

        with leading(self, progress) as leader:
            return self._finish(leader, leader.muster().crew, progress, as_json)

    def _finish(self, who: Crew | Leader, crew: Crew, progress: Progress, as_json: bool) -> Outcome:
        """Have a crew or a team make what is missing; ``crew`` tells what parts it has."""
        folder = self.folder
        self.tag(crew)
        asked = manifest_for(
            folder.name,
            self.grid.cells,
            self.grid.seeds,
            crew,
            grid=self.grid.name,
            limit=self.limit,
        )
        done = complete(folder, asked, self.samples(), who, progress)
        print_summary(done, as_json)
        require_valid(done.stock)
        return done.outcome

    def tag(self, crew: Crew) -> None:
        """Tag the cells by what the model says it was trained on."""
        training = crew.sampler.info.training
        if self.own_tags and training is not None:
            self.grid = retag(self.grid, training)


def slug(name: str) -> str:
    """Return a model's or a grid's name as part of a folder's name."""
    plain = "".join(c.lower() if c.isalnum() or c in "._" else "-" for c in name)
    return "-".join(piece for piece in plain.strip(".").split("-") if piece)[-60:] or "run"


def print_summary(done: Completed, as_json: bool) -> None:
    """Print the summary of a run to stdout."""
    from bench.run.summary import render, to_json

    if as_json:
        print(to_json(done.run.manifest, done.estimates, done.stock.images))
        return
    from rich.console import Console

    Console().print(render(done.run.manifest, done.estimates, done.stock.images))
