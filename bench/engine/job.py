"""A whole run as the command line asks for it: from names and numbers to a summary."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.colour.named import own_codes
from bench.engine.complete import Completed, complete
from bench.engine.crew import Crew, build, build_scorers, require_names
from bench.engine.execute import Outcome
from bench.engine.finish import require_valid
from bench.engine.prepare import manifest_for
from bench.engine.progress import Progress, clock, for_stderr
from bench.errors import UsageError
from bench.store.manifest import FILE, read_manifest
from bench.store.pictures import encode_png
from bench.store.run import Run
from bench.tables import FAMILIES, PIPELINE, address
from prompts.cells import Sample
from prompts.grid import Grid, retag

if TYPE_CHECKING:
    from bench.engine.scheduler import Leader

#: Images that a dry run makes to see what one takes.
PROBE = 8


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
            raise UsageError(f"--name {self.name!r} is no name of a folder; --out takes a path")
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
        if address("sampler", self.model) in (PIPELINE, *FAMILIES.values()):
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
        if self.devices is None and self.engine == "local":
            crew = self.crew()
            return self._finish(crew, crew, progress, as_json)
        from bench.engine.together import leading

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

    def expect(self) -> str:
        """Tell what the run would take, from a few images that are not stored."""
        folder, samples = self.folder, self.samples()
        done = _stored(folder)
        sampler = self.sampler()
        if getattr(sampler, "costly", False):
            return self._expect_costly(sampler, len(samples), done)
        with _patience():
            probe = samples[:PROBE]
            start = time.monotonic()
            made = list(sampler.sample(probe))
            seconds = (time.monotonic() - start) / max(len(made), 1)
        size = sum(len(encode_png(one.image)) for one in made) / max(len(made), 1)
        height, width = made[0].image.shape[:2] if made else (0, 0)
        left = max(len(samples) - done, 0)
        existing = folder if folder.exists() else Path.cwd()
        lines = {
            "folder": f"{folder} ({done:,} images there)" if done else str(folder),
            "model": self.model,
            "grid": f"{self.grid.name}: {len(self.grid):,} cells, {self.grid.seeds} images each",
            "images": f"{left:,} to make of {len(samples):,}, {width} x {height}",
            "sampling": f"about {clock(left * seconds)} ({1 / max(seconds, 1e-9):.1f} images/s, "
            f"measured on {len(made)} images with the model cold)",
            "memory": f"{_peak_memory():.2f} GB with the model loaded; scorers come on top",
            "disk": f"about {left * (size + 2500) / 1e6:,.1f} MB; "
            f"{shutil.disk_usage(existing).free / 1e9:,.1f} GB free",
            "segmenter": self.segmenter,
            "scorers": ", ".join(self.scorers),
        }
        if self.limit is not None:
            lines["limit"] = f"{self.limit:,} images: the run would not be comparable"
        return "".join(f"{name:<10} {value}\n" for name, value in lines.items())

    def _expect_costly(self, sampler: Any, images: int, done: int) -> str:
        """Tell what can be told without an image, where each costs money."""
        left = max(images - done, 0)
        price = getattr(sampler, "price", None)
        lines = {
            "folder": f"{self.folder} ({done:,} images there)" if done else str(self.folder),
            "model": self.model,
            "grid": f"{self.grid.name}: {len(self.grid):,} cells, {self.grid.seeds} images each",
            "images": f"{left:,} to make of {images:,}",
            "sampling": "not tried, since each image may cost money",
            "cost": "unknown: --price tells it" if price is None else f"{price * left:,.2f}",
        }
        return "".join(f"{name:<10} {value}\n" for name, value in lines.items())

    def tag(self, crew: Crew) -> None:
        """Tag the cells by what the model says it was trained on."""
        training = getattr(crew.sampler, "training", None)
        if self.own_tags and training is not None:
            self.grid = retag(self.grid, training)


def slug(name: str) -> str:
    """Return a model's or a grid's name as part of a folder's name."""
    plain = "".join(c.lower() if c.isalnum() or c in "._" else "-" for c in name)
    return "-".join(piece for piece in plain.strip(".").split("-") if piece)[-60:] or "run"


def _stored(folder: Path) -> int:
    if not (folder / FILE).is_file():
        return 0
    return len(Run(folder, read_manifest(folder)).ids("samples"))


@contextmanager
def _patience() -> Iterator[None]:
    """Tell a person at a terminal that something is going on."""
    if sys.stderr.isatty():
        print("making a few images to see what one takes", file=sys.stderr)
    yield


def _peak_memory() -> float:
    """Peak resident memory of this process in GB."""
    try:
        import resource
    except ImportError:
        return float("nan")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1e9 if sys.platform == "darwin" else 1e6)


def print_summary(done: Completed, as_json: bool) -> None:
    """Print the summary of a run to stdout."""
    from bench.summary import render, to_json

    if as_json:
        print(to_json(done.run.manifest, done.estimates, done.stock.images))
        return
    from rich.console import Console

    Console().print(render(done.run.manifest, done.estimates, done.stock.images))
