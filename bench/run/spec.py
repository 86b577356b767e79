"""What the user asks of a run: frozen, and nothing in it works."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.errors import UsageError
from bench.importers.snapshot import hub_id
from prompts.grid import Grid
from prompts.manifest import TrainingManifest


@dataclass(frozen=True)
class ModelSource:
    """Pictures that a model draws.

    Attributes
    ----------
    model : str
        As ``bench run --model``.
    grid : Grid
        What it is asked for.
    tag_by_training : bool
        Tag the cells by what the model says it was trained on, where it says so.
    batch_size, steps, guidance_scale, dtype
        As the options of ``bench run``; None for the model's own.
    trajectory : int or None
        Frames to keep of each image, 0 for one a step; None for none.
    options : mapping
        What only some models have, as given.
    """

    model: str
    grid: Grid
    tag_by_training: bool = True
    batch_size: int | None = None
    steps: int | None = None
    guidance_scale: float | None = None
    dtype: str | None = None
    trajectory: int | None = None
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class PictureSource:
    """Pictures that exist.

    Attributes
    ----------
    path : Path
        The set.
    grid : Grid or None
        Prompts and words of the user's own.
    training : TrainingManifest or None
        For the tags ``seen`` and ``novel``.
    unmatched : Path or None
        Where the pictures that are of no cell are listed.
    model : str or None
        What made the pictures, where the user tells it.
    layout, images, tiles, prompt_column, image_column
        As the options of ``bench score``.
    """

    path: Path
    grid: Grid | None = None
    training: TrainingManifest | None = None
    layout: str | None = None
    images: Path | None = None
    tiles: tuple[int, int] | None = None
    prompt_column: str | None = None
    image_column: str | None = None
    unmatched: Path | None = None
    model: str | None = None


@dataclass(frozen=True)
class RunSpec:
    """One run.

    Attributes
    ----------
    source : ModelSource or PictureSource
        Where its pictures are from.
    out : Path
        Folder of the runs.
    segmenter, scorers, clip, device, judge_device, limit, vqa_url, vqa_concurrency,
    vqa_allow_http, certificate
        As the options of ``bench run``.
    name : str or None
        Of its folder; made from model and grid, or from the path, where it is None.
    devices : str or None
        One process for each of these; this process alone where it is None.
    engine : str
        ``local``, or ``ray`` for the workers of a Ray cluster.
    workers : int or None
        Ray workers; one a GPU, or one a CPU where it is None.
    fresh : bool
        Make everything anew, whatever is stored under the name.
    """

    source: ModelSource | PictureSource
    out: Path
    segmenter: str = "auto"
    scorers: tuple[str, ...] = ("segmentation", "clip", "ood")
    name: str | None = None
    clip: str | None = None
    device: str | None = None
    judge_device: str | None = None
    limit: int | None = None
    devices: str | None = None
    engine: str = "local"
    workers: int | None = None
    fresh: bool = False
    vqa_url: str | None = None
    vqa_concurrency: int | None = None
    vqa_allow_http: bool = False
    certificate: Path | None = None


def run_folder(spec: RunSpec) -> Path:
    """Return where a run is stored.

    Raises
    ------
    UsageError
        The name is none of a folder: empty, a path, ``.`` or ``..``, or with a character that
        cannot be printed.
    """
    if spec.name is not None:
        name = spec.name
        if Path(name).name != name or name in ("", "..") or not name.isprintable():
            raise UsageError(f"--name {name!r} is no name of a folder; --runs takes a path")
        return spec.out / name
    if isinstance(spec.source, PictureSource):
        return spec.out / f"score-{slug(called(spec.source))}"
    path = Path(spec.source.model).expanduser()
    # The last part of a path says which model it is, not the way to it.
    model = path.resolve().name if path.exists() else spec.source.model
    return spec.out / f"{slug(model)}-{slug(spec.source.grid.name)}"


def called(source: PictureSource) -> str:
    """Return what a set is called: its hub id in the hub's cache, else the name of its path."""
    return hub_id(source.path) or source.path.resolve().name.split(".")[0] or "pictures"


def slug(name: str) -> str:
    """Return a model's or a grid's name as part of a folder's name."""
    plain = "".join(c.lower() if c.isalnum() or c in "._" else "-" for c in name)
    return "-".join(piece for piece in plain.strip(".").split("-") if piece)[-60:] or "run"


def device_names(text: str) -> list[str]:
    """Return the devices of ``--devices``: numbers are CUDA devices, anything else is as it says.

    Raises
    ------
    UsageError
        An empty name.

    Examples
    --------
    >>> device_names("0,1,cpu")
    ['cuda:0', 'cuda:1', 'cpu']
    """
    names = [name.strip() for name in text.split(",")]
    if not all(names):
        raise UsageError(f"--devices {text!r} has an empty name; expected such as 0,1 or cpu,cpu")
    return [f"cuda:{name}" if name.isdigit() else name for name in names]
