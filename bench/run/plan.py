"""All that a run asks for, and its components: from a specification, or from a set of pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bench.errors import UsageError
from bench.importers.blanks import give_way
from bench.importers.census import Census, UnmatchedList, require_matches, take_census
from bench.importers.layouts import PictureSet, open_set
from bench.importers.matching import Matcher
from bench.importers.sampler import ExistingPictures
from bench.run.components import Components, build_components, require_names
from bench.run.progress import Progress
from bench.run.spec import ModelSource, PictureSource, RunSpec, called, run_folder
from prompts.cells import Cell, Sample
from prompts.colours import Colour
from prompts.grid import with_familiarity
from prompts.manifest import TrainingManifest


@dataclass(frozen=True)
class Plan:
    """All that a run asks for.

    Attributes
    ----------
    cells : tuple of Cell
        Tagged; ``seen`` and ``novel`` by what the model was trained on, where it says so.
    seeds : int
        Images of a cell, at most.
    samples : sequence of Sample
        In the order in which they are made; of a grid they are made when they are looked at.
    limit : int or None
        How many samples were left, where some were left out.
    grid : str
        Name of the grid.
    options : mapping
        What else the record tells of it.
    """

    cells: tuple[Cell, ...]
    seeds: int
    samples: Sequence[Sample]
    limit: int | None = None
    grid: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)


def plan_of(spec: RunSpec, training: TrainingManifest | None) -> Plan:
    """Return what is asked of a model, in time that does not depend on the number of images.

    Parameters
    ----------
    spec : RunSpec
        Of a `ModelSource`.
    training : TrainingManifest or None
        What the model says it was trained on.
    """
    source = spec.source
    assert isinstance(source, ModelSource)
    grid = source.grid
    if source.tag_by_training and training is not None:
        grid = with_familiarity(grid, training)
    samples = grid.samples()
    limit = spec.limit if spec.limit is not None and spec.limit < len(samples) else None
    return Plan(grid.cells, grid.seeds, samples[:limit], limit, grid.name)


@dataclass(frozen=True)
class ListedPictures:
    """A set of pictures that was listed, to be read again when they are scored.

    Attributes
    ----------
    found : PictureSet
    census : Census
    colours : sequence of Colour
        Those that the prompts ask for.
    name : str
        Of what made them.
    plan : Plan
    """

    found: PictureSet
    census: Census
    colours: Sequence[Colour]
    name: str
    plan: Plan


def prepare(
    spec: RunSpec, progress: Progress, pictures: ListedPictures | None = None
) -> tuple[Components, Plan]:
    """Make what a run works with, and say what it asks for.

    Parameters
    ----------
    spec : RunSpec
    progress : Progress
    pictures : ListedPictures, optional
        Those of the run, where they were listed already.

    Raises
    ------
    UsageError
        An unknown name, or something that cannot be made or read.
    """
    if isinstance(spec.source, PictureSource):
        pictures = pictures or pictures_of(spec, spec.source, progress)
        sampler = ExistingPictures(pictures.found, pictures.census, pictures.name)
        return build_components(spec, sampler, pictures.colours), pictures.plan
    components = build_components(spec)
    return components, plan_of(spec, components.sampler.info.training)


def pictures_of(spec: RunSpec, source: PictureSource, progress: Progress) -> ListedPictures:
    """Match the pictures of a set to cells.

    Raises
    ------
    UsageError
        As `prepare`.
    """
    require_names(spec.segmenter, spec.scorers)
    if source.images is not None and not source.images.is_dir():
        raise UsageError(f"--images {source.images} is no folder")
    found = open_set(
        source.path,
        source.layout,
        source.tiles,
        prompt_column=source.prompt_column,
        image_column=source.image_column,
        images=source.images,
    )
    progress.say(f"{source.path}: layout {found.layout}")
    listed = UnmatchedList() if source.unmatched else None
    matcher = Matcher(source.grid, source.training)
    census = take_census(found, matcher, progress.say, listed)
    if listed is not None and source.unmatched is not None:
        listed.write(source.unmatched)
    require_matches(census, str(source.path))
    folder = run_folder(spec)
    if blank := give_way(folder, census.hash):
        progress.say(f"{folder}: {blank:,} blank pictures of an earlier call give way")
    limit = spec.limit if spec.limit is not None and spec.limit < len(census.samples) else None
    plan = Plan(
        tuple(census.cells),
        census.most,
        census.samples[:limit],
        limit,
        source.grid.name if source.grid else found.layout,
        {
            "layout": found.layout,
            "pictures": census.pictures,
            "matched": len(census.samples),
            "unmatched": census.pictures - len(census.samples),
        },
    )
    return ListedPictures(found, census, matcher.colours, source.model or called(source), plan)
