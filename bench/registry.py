"""What can be run: one explicit table ``name -> "module:attribute"`` for each kind of part.

A part is imported when it is asked for and not before, so that the command line starts at once and
a missing optional library only matters to who needs it. A user's own part is named the same way:
``package.module:attribute``.
"""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import inspect
import os
import re
import sys
import traceback
from collections.abc import Iterable, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from bench.errors import UsageError
from bench.package_names import clashes

#: Models of the family: the name of the weight file, and the solver.
BUNDLED: dict[str, tuple[str, str]] = {
    "local": ("local", "euler"),
    "local-clean": ("local-clean", "euler"),
    "local-teacher": ("local-teacher", "euler"),
    "local-atomic": ("local-atomic", "euler"),
    "local-dit": ("local-dit", "euler"),
    "local-ddpm": ("local-ddpm", "euler"),
    "local-ddpm-ancestral": ("local-ddpm", "ancestral"),
    "local-capped": ("local-capped", "euler"),
    "local-tokens": ("local-tokens", "euler"),
    "local-masked": ("local-masked", "euler"),
    "local-cov-10": ("local-cov-10", "euler"),
    "local-cov-25": ("local-cov-25", "euler"),
    "local-cov-50": ("local-cov-50", "euler"),
    "local-cov-75": ("local-cov-75", "euler"),
    "local-cov-100": ("local-cov-100", "euler"),
}

SAMPLERS: dict[str, str] = {
    **dict.fromkeys(BUNDLED, "bench.samplers.local:LocalSampler"),
    "local-sd": "bench.samplers.local_sd:LocalSdSampler",
}

#: A bundled model's name with the seed of a training of one's own.
_SEEDED = re.compile(r"(local(?:-.+)?)-seed([0-9]+)")

#: Suffixes of files that Python's pickle would have to read, which can run any code.
PICKLES = frozenset({".bin", ".ckpt", ".pt", ".pth", ".pkl", ".pickle"})
#: ``org/name``, with an optional ``@revision`` (a branch, a tag or a commit).
HUB = re.compile(r"^(?P<id>[A-Za-z0-9][\w.-]*/[\w.-]+)(?:@(?P<revision>[\w./-]+))?$")

#: What a path or a hub id is handed to.
PIPELINE = "bench.samplers.diffusers.sampler:DiffusersSampler"

#: What is named ``family:NAME``, and whatever NAME is handed to.
FAMILIES: dict[str, str] = {
    "openai-images": "bench.samplers.openai_images:OpenAIImages",
}

#: Segmenters with weights from the hub; ``mmdino+sam2:DETECTOR,SAM`` names others.
DETECTORS: tuple[str, ...] = ("mmdino+sam2", "owlv2+sam2", "dino+sam2", "sam3", "clipseg")

SEGMENTERS: dict[str, str] = {
    "auto": "bench.judge.regions.auto:AutoSegmenter",
    "clip": "bench.judge.regions.clip:ClipSegmenter",
    "cutout": "bench.judge.regions.cutout:CutoutSegmenter",
    "saliency": "bench.judge.regions.saliency:SaliencySegmenter",
    **dict.fromkeys(DETECTORS, "bench.judge.regions.word_segmenters:word_segmenter"),
}

SCORERS: dict[str, str] = {
    "segmentation": "bench.judge.scorers.segmentation:SegmentationScorer",
    "clip": "bench.judge.scorers.clip:ClipScorer",
    "ood": "bench.judge.scorers.ood:OodScorer",
    "vqa": "bench.judge.scorers.vqa:VqaScorer",
    "vqa-api": "bench.judge.scorers.vqa:VqaApiScorer",
    "blipvqa": "bench.judge.scorers.vqa:BlipVqaScorer",
    "geneval": "bench.judge.scorers.geneval:GenEvalScorer",
}

#: Scorers that may name their weights: ``vqa:MODEL``.
WITH_MODEL: tuple[str, ...] = ("vqa", "vqa-api", "blipvqa", "geneval")

TABLES: dict[str, Mapping[str, str]] = {
    "sampler": SAMPLERS,
    "segmenter": SEGMENTERS,
    "scorer": SCORERS,
}


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name most like ``name``, or None where none is like it."""
    by_lower = {candidate.lower(): candidate for candidate in known}
    found = difflib.get_close_matches(name.lower(), list(by_lower), n=1, cutoff=0.5)
    return by_lower[found[0]] if found else None


def unknown(kind: str, name: str, known: Iterable[str]) -> UsageError:
    """Return the error for a name not in a table: the nearest, then all that there are."""
    known = list(known)
    if not known:
        return UsageError(f"unknown {kind} {name!r}; it has none that a user may name")
    guess = nearest(name, known)
    hint = f"did you mean {guess!r}? " if guess else ""
    return UsageError(f"unknown {kind} {name!r}; {hint}known: {', '.join(known)}")


def failed(what: str, error: BaseException) -> UsageError:
    """Return the one line for an exception in a user's code: what, and where it was raised."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    lines = str(error).splitlines()
    if isinstance(error, SyntaxError) and error.filename:
        where, lines = f" ({Path(error.filename).name}:{error.lineno})", [error.msg]
    said = f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
    return UsageError(f"{what}: {said}{where}; `bench --debug ...` shows the traceback")


def training_seed(name: str) -> tuple[str, int | None]:
    """Split a model's name such as ``local-atomic-seed2`` into the table's name and the seed.

    The seed is None where the name has none, or where what is before it is not in the table.
    """
    match = _SEEDED.fullmatch(name)
    if match is None or match[1] not in SAMPLERS:
        return name, None
    return match[1], int(match[2])


def looks_like_pipeline(model: str) -> bool:
    """Whether a ``--model`` is meant as a path or a hub id, rather than a name of a table."""
    if not model.strip():
        return False
    path = Path(model).expanduser()
    as_path = model.startswith((".", "/", "~")) or path.suffix in {".safetensors", *PICKLES}
    return as_path or path.exists() or HUB.match(model) is not None


def address(kind: str, name: str) -> str:
    """Return the ``module:attribute`` that a name stands for.

    Raises
    ------
    UsageError
        The name is neither in the table nor of the form ``package.module:attribute``; a sampler's
        may also be the path or the hub id of a pipeline, or ``family:NAME``, or a bundled model's
        with ``-seedN``.
    """
    table = TABLES[kind]
    if kind == "sampler":
        name, _ = training_seed(name)
    if name in table:
        return table[name]
    module, colon, attribute = name.partition(":")
    if kind == "sampler" and module in FAMILIES:
        return FAMILIES[module]
    if kind == "scorer" and module in WITH_MODEL:
        return SCORERS[module]
    if kind == "segmenter" and module in (*DETECTORS, "auto"):
        return SEGMENTERS[module]
    # To look through all that is installed takes a while.
    if name in (plugins := entry_points(kind)):
        return plugins[name]
    if colon and all(part.isidentifier() for part in (*module.split("."), *attribute.split("."))):
        return name
    if kind == "sampler" and looks_like_pipeline(name):
        return PIPELINE
    raise unknown(kind, name, [*table, *plugins])


def entry_points(kind: str) -> dict[str, str]:
    """Names that installed packages give to parts of theirs, and where these are."""
    found = metadata.entry_points(group=f"binding_bench.{kind}s")
    return {entry.name: entry.value for entry in sorted(found, key=lambda entry: entry.name)}


def load(kind: str, name: str) -> Any:
    """Import the part that a name stands for.

    Parameters
    ----------
    kind : str
        ``sampler``, ``segmenter`` or ``scorer``.
    name : str
        A name of the table, or ``package.module:attribute`` of a user. The current folder is
        searched too.

    Raises
    ------
    UsageError
        Unknown name, a module that cannot be found or imported, an attribute that it lacks.
    """
    where = address(kind, name)
    module_name, _, attribute = where.partition(":")
    own = where == name
    if own and os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        raise UsageError(
            f"{kind} {name!r} cannot be loaded: no module named {error.name!r}{_clash(own)}"
        ) from error
    except ImportError as error:
        raise UsageError(f"{kind} {name!r} cannot be loaded: {error}{_clash(own)}") from error
    except (Exception, SystemExit) as error:
        if not own:
            raise
        raise failed(f"{kind} {name!r} cannot be loaded", error) from error
    part: Any = module
    for step in attribute.split("."):
        if not hasattr(part, step):
            raise unknown(f"attribute of {module_name}", step, public_names(part))
        part = getattr(part, step)
    return part


def _clash(own: bool) -> str:
    """Clause on packages of the current folder that the suite has by the same name, if any."""
    names = clashes(Path.cwd()) if own else []
    if not names:
        return ""
    return (
        f"; {' and '.join(map(repr, names))} of this folder cannot be imported beside Binding "
        "Bench, which has packages of that name: rename yours"
    )


def public_names(thing: object) -> list[str]:
    """Attributes of a module or class that do not begin with an underscore and are no modules."""
    return [
        name
        for name, value in vars(thing).items()
        if not name.startswith("_") and not inspect.ismodule(value)
    ]


def training_command(name: str) -> str | None:
    """Return the command that trains a model of the family; None where its weights are here."""
    if name not in BUNDLED:
        return None
    weights, _ = BUNDLED[name]
    package = importlib.util.find_spec("reference_models")
    folders = (
        [Path(place) / "weights" for place in package.submodule_search_locations or ()]
        if package
        else []
    )
    own = Path("training") / weights
    if any((folder / f"{weights}.safetensors").is_file() for folder in (*folders, own)):
        return None
    return f"python -m reference_models.train --preset {weights}"


def is_installed(kind: str, name: str) -> bool:
    """Whether the module of a table entry can be found, without importing it."""
    module_name = TABLES[kind][name].partition(":")[0]
    try:
        return importlib.util.find_spec(module_name) is not None
    except ModuleNotFoundError:
        return False
