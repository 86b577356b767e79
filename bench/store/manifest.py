"""``run.json``: what was asked of a run, and what answered."""

from __future__ import annotations

import os
import platform
import shlex
import sys
import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bench.errors import NotComparableError, StoreError
from bench.judge.out_of_distribution import ALPHA
from bench.records import Estimate, Fingerprint
from bench.registry import DETECTORS, SAMPLERS, training_seed
from bench.statistics.metrics import OUTSIDE
from bench.store import files
from prompts.cells import SUITE_VERSION, Cell
from prompts.hashing import content_hash

#: Of ``run.json``; raised where an older release could not read what is written.
FORMAT: Literal[1] = 1
FILE = "run.json"

#: The option whose value is left out of the record of the command.
_ADDRESS = "--vqa-url"
#: The scorer that measures the frames of a trajectory.
TRAJECTORY_SCORER = "segmentation"

#: Options of a part that do not change what it makes, but for the rounding of its arithmetic.
NEUTRAL = frozenset({"device", "batch_size", "workers", "threads", "offload", "attention_slicing"})

LIBRARIES = (
    "binding-bench",
    "torch",
    "numpy",
    "pyarrow",
    "diffusers",
    "open_clip_torch",
    "scikit-image",
    "pillow",
)


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Maker(_Record):
    """A sampler, a segmenter or a scorer: its fingerprint as it stands in ``run.json``."""

    kind: str
    name: str
    options: dict[str, Any] = Field(default_factory=dict)
    weights: str = ""
    versions: dict[str, str] = Field(default_factory=dict)

    @classmethod
    def of(cls, fingerprint: Fingerprint) -> Maker:
        """Return the record of a fingerprint."""
        return cls(
            kind=fingerprint.kind,
            name=fingerprint.name,
            options=_plain(fingerprint.options),
            weights=fingerprint.weights,
            versions=dict(fingerprint.versions),
        )

    def identity(self) -> dict[str, Any]:
        """Tell what fixes the result: name, weights and options, less the neutral ones."""
        options = {key: value for key, value in self.options.items() if key not in NEUTRAL}
        return {"kind": self.kind, "name": self.name, "weights": self.weights, "options": options}

    def digest(self, *upstream: str) -> str:
        """Short hash of the identity and of what it builds upon."""
        return content_hash(repr(_sorted(self.identity())), *upstream, length=16)


class GridRecord(_Record):
    """The prompts of a run."""

    name: str
    hash: str
    tags: str = ""
    cells: int
    options: dict[str, Any] = Field(default_factory=dict)


class Manifest(_Record):
    """What was asked of a run, resolved, and what answered.

    ``trajectory`` has the noise level of each frame that is kept of an image, 1 pure noise and 0
    clean; None where no frames are kept. ``predictions`` says whose they are
    (`bench.records.PREDICTIONS`); None without frames, and in runs of earlier releases, which kept
    those after guidance. ``command`` is the command line that began the run, empty where it was no
    command.
    """

    format: Literal[1] = FORMAT
    id: str = Field(default_factory=lambda: uuid.uuid4().hex)
    name: str
    created: str = Field(default_factory=lambda: now())
    finished: str | None = None
    suite: str = SUITE_VERSION
    grid: GridRecord
    seeds: int
    images: int
    limit: int | None = None
    sampler: Maker
    segmenter: Maker
    scorers: dict[str, Maker]
    trajectory: list[float] | None = None
    predictions: list[str] | None = None
    image_size: tuple[int, int] | None = None
    invalid: int = 0
    control: dict[str, Any] | None = None
    account: dict[str, float] | None = None
    command: str = ""
    machine: dict[str, str] = Field(default_factory=lambda: machine())
    versions: dict[str, str] = Field(default_factory=lambda: versions())

    @property
    def kept(self) -> tuple[str, ...]:
        """Whose predictions are kept; none without frames."""
        if self.trajectory is None:
            return ()
        return tuple(self.predictions or ("guided",))

    @property
    def complete(self) -> bool:
        """Whether every image asked for is made and scored."""
        return self.finished is not None

    def made_by(self, table: str) -> str:
        """Digest of what makes the rows of a table."""
        if table == "samples":
            return self.sampler.digest(self.suite)
        segmenter = self.segmenter.digest()
        if table == "regions":
            return segmenter
        if table == "trajectory":
            return self.scorers[TRAJECTORY_SCORER].digest(segmenter, "trajectory")
        return self.scorers[table.removeprefix("scores/")].digest(segmenter)

    def tables(self) -> list[str]:
        """Names of the tables of the run, in the order in which they are written."""
        trajectory = [] if self.trajectory is None else ["trajectory"]
        return ["samples", "regions", *(f"scores/{name}" for name in self.scorers), *trajectory]


def grid_of(cells: Sequence[Cell], name: str, options: Mapping[str, Any]) -> GridRecord:
    """Return the record of a grid.

    ``hash`` is of what is asked, whatever the order of the cells; the tags, which group the
    results and do not change a picture, have a hash of their own.
    """
    return GridRecord(
        name=name,
        hash=content_hash(*sorted(f"{cell.id}\x1e{cell.text}" for cell in cells)),
        tags=content_hash(*sorted(f"{cell.id}\x1e{','.join(sorted(cell.tags))}" for cell in cells)),
        cells=len(cells),
        options=_plain(options),
    )


def read_manifest(folder: Path) -> Manifest:
    """Return the record of the run in a folder.

    Raises
    ------
    StoreError
        There is none, or it is damaged or of another format; the message names file and field.
    """
    path = folder / FILE
    if not path.is_file():
        raise StoreError(f"{folder} is not a run folder: it has no {FILE}")
    try:
        return Manifest.model_validate_json(files.read_text(path))
    except ValidationError as error:
        first = error.errors()[0]
        if first["loc"] == ("format",):
            raise StoreError(
                f"{path} has format {first['input']!r}, and this release reads format {FORMAT}; "
                "read it with the release that wrote it, or make the run again by another --name"
            ) from error
        where = ".".join(str(step) for step in first["loc"]) or "the file"
        raise StoreError(f"{path} is damaged or of another version: {where}: {first['msg']}") from (
            error
        )


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write ``run.json`` whole."""
    files.write_text(folder / FILE, manifest.model_dump_json(indent=1) + "\n")


def require_same(folder: Path, stored: Manifest, wanted: Manifest) -> None:
    """Refuse to add to a run that was made by other options.

    Segmenter and scorers may differ: what they made is made again from the stored pictures.

    Raises
    ------
    NotComparableError
        Names the first field that differs, both values, and the remedy.
    """
    pictures = stored.sampler.kind == wanted.sampler.kind == "pictures"
    if pictures and stored.sampler.weights != wanted.sampler.weights:
        raise NotComparableError(
            f"the pictures or their prompts have changed since {folder} was made of them; --fresh "
            "starts anew, another --name keeps both"
        )
    for field, before, after in _identity_pairs(stored, wanted):
        if before != after:
            raise NotComparableError(
                f"{folder} was made with {field} {before!r}, not {after!r}; choose another --name, "
                "ask for the same again, or start anew with --fresh"
            )


def _identity_pairs(stored: Manifest, wanted: Manifest) -> list[tuple[str, Any, Any]]:
    pairs: list[tuple[str, Any, Any]] = [("suite version", stored.suite, wanted.suite)]
    before, after = stored.sampler.identity(), wanted.sampler.identity()
    pairs.append(("model", before["name"], after["name"]))
    what = "pictures or prompts of hash" if wanted.sampler.kind == "pictures" else "model weights"
    pairs.append((what, before["weights"], after["weights"]))
    old, new = flatten(before["options"]), flatten(after["options"])
    pairs += [(f"option {key}", old.get(key), new.get(key)) for key in sorted({*old, *new})]
    if stored.grid.hash != wanted.grid.hash:
        pairs.append(("grid", stored.grid.name, wanted.grid.name))
        pairs.append(("number of cells", stored.grid.cells, wanted.grid.cells))
        pairs.append(("prompts (hash)", stored.grid.hash, wanted.grid.hash))
    pairs.append(("tags of the cells (hash)", stored.grid.tags, wanted.grid.tags))
    pairs.append(("seeds", stored.seeds, wanted.seeds))
    pairs.append(("frames of the trajectory at noise", stored.trajectory, wanted.trajectory))
    return pairs


def uncertified(manifest: Manifest, estimates: Sequence[Estimate]) -> str | None:
    """Tell that a judge is certified on other pictures than those of the run, or None.

    By the measured share of images outside (`bench.judge.out_of_distribution`); without it by what
    segmenter and model are.
    """
    if _share_outside(estimates) is not None:
        return outside(estimates)
    segmenter = manifest.segmenter
    strong = any(name in segmenter.options for name in DETECTORS)
    own = training_seed(manifest.sampler.name)[0] in SAMPLERS
    if segmenter.name not in ("auto", "cutout") or strong or own:
        return None
    return (
        "regions are by the bundled network, which is certified on rendered scenes, on icons over "
        "photographs and on path-traced scenes, and not on pictures such as these: "
        "--segmenter mmdino+sam2 knows more, `bench agree` tells how far it is right "
        "(docs/regions.md)"
    )


def outside(estimates: Sequence[Estimate]) -> str | None:
    """Tell that more images are unlike the certified ones than chance would have, or None.

    More than twice the `ALPHA` that may lie outside by chance, and surely more than `ALPHA` by a
    binomial test at the same level. Below it the share stands among the estimates alone.
    """
    share = _share_outside(estimates)
    if share is None or not share.value > 2 * ALPHA:
        return None
    images = round(share.value * share.scored)
    from scipy.special import betainc

    # The chance of so many or more; scipy.stats, which names it, takes half a second to import.
    if betainc(images, share.scored - images + 1, ALPHA) > ALPHA:
        return None
    return (
        f"{share.value:.1%} of {share.scored:,} images are unlike all kinds of picture that the "
        "judge is certified on: its certificate does not say how far these verdicts are right; "
        "label some of the pictures (`bench validate --labels`, docs/regions.md)"
    )


def _share_outside(estimates: Sequence[Estimate]) -> Estimate | None:
    found = (e for e in estimates if (e.metric, e.group) == (OUTSIDE, "all") and e.scored)
    return next(found, None)


def flatten(value: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested mappings as one, keys joined by dots."""
    found: dict[str, Any] = {}
    for key, item in value.items():
        name = f"{prefix}{key}"
        if isinstance(item, Mapping):
            found |= flatten(item, f"{name}.")
        else:
            found[name] = item
    return found


def now() -> str:
    """Return the time, UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def command_line() -> str:
    """Return the command of this process where it is ``bench``, else an empty text.

    The address of a judge that is asked by HTTP is nobody's business who reads the run.
    """
    program = Path(sys.argv[0]).as_posix() if sys.argv and sys.argv[0] else ""
    if program.endswith(("/bench", "/bench.exe", "/bench/__main__.py")):
        words = ["bench", *sys.argv[1:]]
        for number, word in enumerate(words):
            if word.startswith(f"{_ADDRESS}="):
                words[number] = f"{_ADDRESS}=URL"
            elif words[number - 1] == _ADDRESS:
                words[number] = "URL"
        return shlex.join(words)
    return ""


def machine() -> dict[str, str]:
    """Tell what the run is made on; no names of people or hosts."""
    return {
        "system": platform.system(),
        "processor": platform.machine(),
        "cores": str(os.cpu_count() or 1),
        "python": platform.python_version(),
    }


def versions(names: Iterable[str] = LIBRARIES) -> dict[str, str]:
    """Versions of those libraries, by default of all that can change a result, that are here."""
    found = {name: _version(name) for name in names}
    return {name: version for name, version in found.items() if version is not None}


@cache
def _version(library: str) -> str | None:
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        return None


def _plain(value: Any) -> Any:
    """Return mappings, sequences and scalars as JSON has them."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, str | bool | int | float):
        return value
    return str(value)


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return [(key, _sorted(value[key])) for key in sorted(value)]
    if isinstance(value, list):
        return [_sorted(item) for item in value]
    return value
