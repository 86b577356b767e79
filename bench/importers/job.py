"""Scoring of pictures that exist, as the command line asks for it: from a path to a summary."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.errors import UsageError
from bench.importers.blanks import give_way
from bench.importers.census import UnmatchedList, require_matches, take_census
from bench.importers.layouts import open_set
from bench.importers.matching import Matcher
from bench.importers.sampler import ExistingPictures
from bench.importers.snapshot import hub_id
from bench.judge.colour.named import own_codes
from bench.run.complete import complete
from bench.run.components import Crew, build, build_scorers, require_names
from bench.run.execute import Outcome
from bench.run.finish import require_valid
from bench.run.prepare import manifest_for, require_place
from bench.run.progress import Progress, for_stderr
from bench.run.spec import print_summary, slug
from prompts.colours import Colour
from prompts.grid import Grid
from prompts.manifest import TrainingManifest


@dataclass
class ScoreJob:
    """What the user asked for.

    Attributes
    ----------
    path : Path
        The set of pictures.
    grid : Grid or None
        Prompts and words of the user's own.
    training : TrainingManifest or None
        For the tags ``seen`` and ``novel``.
    unmatched : Path or None
        Where the pictures that are of no cell are listed.
    model : str or None
        What made the pictures, where the user tells it.
    layout, images, tiles, prompt_column, image_column, name, out, segmenter, scorers, clip, device
    limit
        As the options of ``bench score``.
    """

    path: Path
    out: Path
    segmenter: str
    scorers: Sequence[str]
    grid: Grid | None = None
    training: TrainingManifest | None = None
    layout: str | None = None
    images: Path | None = None
    tiles: tuple[int, int] | None = None
    prompt_column: str | None = None
    image_column: str | None = None
    unmatched: Path | None = None
    model: str | None = None
    name: str | None = None
    clip: str | None = None
    device: str | None = None
    limit: int | None = None

    @property
    def folder(self) -> Path:
        """Where the run is stored."""
        if self.name is not None and (not self.name or Path(self.name).name != self.name):
            raise UsageError(f"--name {self.name!r} is no name of a folder; --runs takes a path")
        return self.out / (self.name or f"score-{slug(self._called)}")

    def run(self, *, as_json: bool = False, progress: Progress | None = None) -> Outcome:
        """Score what is not scored yet, and print the summary.

        Raises
        ------
        InterruptedRunError
            The user stopped it.
        BenchError
            Anything that the user can mend.
        """
        progress = progress or for_stderr()
        folder = self.folder
        require_names(self.segmenter, self.scorers)
        source = open_set(
            self.path,
            self.layout,
            self.tiles,
            prompt_column=self.prompt_column,
            image_column=self.image_column,
            images=self.images,
        )
        require_place(folder)
        progress.say(f"{self.path}: layout {source.layout}")
        listed = UnmatchedList() if self.unmatched else None
        matcher = Matcher(self.grid, self.training)
        census = take_census(source, matcher, progress, listed)
        if listed is not None and self.unmatched is not None:
            listed.write(self.unmatched)
        require_matches(census, str(self.path))
        sampler = ExistingPictures(source, census, self.model or self._called)
        if blank := give_way(folder, census.hash):
            progress.say(f"{folder}: {blank:,} blank pictures of an earlier call give way")
        crew = self._crew(sampler, matcher.colours)
        asked = manifest_for(
            folder.name,
            census.cells,
            census.most,
            crew,
            grid=self.grid.name if self.grid else source.layout,
            grid_options={
                "layout": source.layout,
                "pictures": census.pictures,
                "matched": len(census.samples),
                "unmatched": census.pictures - len(census.samples),
            },
        )
        samples = census.samples[: self.limit]
        cut = self.limit if len(samples) < len(census.samples) else None
        asked = asked.model_copy(update={"images": len(samples), "limit": cut})
        done = complete(folder, asked, samples, crew, progress)
        print_summary(done, as_json)
        require_valid(done.stock)
        return done.outcome

    @property
    def _called(self) -> str:
        """The hub id of a snapshot in the hub's cache, else the name of the folder or file."""
        return hub_id(self.path) or self.path.resolve().name.split(".")[0] or "pictures"

    def _crew(self, sampler: Any, colours: Iterable[Colour]) -> Crew:
        offered = {"device": self.device, "clip": self.clip}
        own = {"colours": own_codes(colours)}
        return Crew(
            sampler,
            build("segmenter", self.segmenter, {}, offered),
            build_scorers(self.scorers, offered | own),
        )
