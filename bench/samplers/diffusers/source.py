"""Where a diffusers pipeline comes from: a folder, one safetensors file, or the hub.

What is found is looked through before anything is loaded: weights that only exist as pickles, and
code that would have to be executed, are refused with the reason and the remedy.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.errors import UsageError
from bench.judge.checkpoints import file_digest
from bench.registry import HUB, PICKLES
from bench.samplers.diffusers.errors import quiet, shortened

INDEX = "model_index.json"
#: Libraries that components of a pipeline may come from without a word of the user.
LIBRARIES = frozenset({"diffusers", "transformers", "reference_models"})

_CONVERT = (
    "a pickle can run any code when it is read: load it once where you trust it and save it with "
    "`pipeline.save_pretrained(DIR, safe_serialization=True)`"
)


@dataclass(frozen=True, slots=True)
class Source:
    """A pipeline on this machine, looked through.

    Attributes
    ----------
    name : str
        What stands in the record of a run: the hub id with its revision, or the name of the folder
        or file without the path that leads there.
    path : Path
        A pipeline folder or a ``.safetensors`` file.
    commit : str
        Commit of the hub; empty elsewhere.
    """

    name: str
    path: Path
    commit: str = ""

    @property
    def is_file(self) -> bool:
        """Whether it is one file rather than a folder."""
        return self.path.is_file()


def find(model: str, *, variant: str | None = None, trust_remote_code: bool = False) -> Source:
    """Find a pipeline, from the hub where it is not on this machine, and look it through.

    Parameters
    ----------
    model : str
        A folder, a ``.safetensors`` file, or a hub id ``org/name`` or ``org/name@revision``.
    variant : str, optional
        ``fp16``, ...: which of several weight files.
    trust_remote_code : bool
        Let the pipeline bring code of its own.

    Raises
    ------
    UsageError
        No such path or id, no pipeline, pickles only, or code that nobody allowed.
    """
    path = Path(model).expanduser()
    if path.is_dir():
        source = Source(path.resolve().name, path)
    elif path.is_file() or path.suffix in {".safetensors", *PICKLES}:
        return Source(path.name, require_safetensors(path))
    elif (match := HUB.match(model)) is not None:
        source = _download(model, match["id"], match["revision"], variant, trust_remote_code)
    else:
        raise UsageError(
            f"there is no folder or file {model!r}; expected a pipeline folder, a .safetensors "
            "file, or a hub id such as org/name@revision"
        )
    index = read_index(source.path)
    _require_known_code(source, index, trust_remote_code)
    _require_no_pickles(source, index)
    return source


def require_safetensors(path: Path) -> Path:
    """Return the path of a weight file that can be read without running code.

    Raises
    ------
    UsageError
        It is a pickle by name or content, is not there, or is cut short.
    """
    if path.suffix in PICKLES:
        raise UsageError(f"{path} is not loaded: {_CONVERT}")
    if not path.is_file():
        raise UsageError(f"there is no file {str(path)!r}; expected a .safetensors file")
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "pt"):
            return path
    except (SafetensorError, OSError) as error:
        raise UsageError(
            f"{path} is no whole safetensors file ({error}); download or convert it again"
        ) from error


def read_index(folder: Path) -> dict[str, Any]:
    """Return the ``model_index.json`` of a pipeline folder.

    Raises
    ------
    UsageError
        There is none, or it cannot be read.
    """
    path = folder / INDEX
    if not path.is_file():
        raise UsageError(
            f"{folder} is no pipeline folder: it has no {INDEX}; expected what "
            "`pipeline.save_pretrained(DIR)` writes"
        )
    try:
        index = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} cannot be read: {error}") from error
    if not isinstance(index, dict) or "_class_name" not in index:
        raise UsageError(f"{path} does not name its pipeline (`_class_name`)")
    return index


def components(index: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield name, library and class of each component that an index lists."""
    for name, value in index.items():
        if not name.startswith("_") and isinstance(value, list) and len(value) == 2 and value[0]:
            yield name, str(value[0]), str(value[1])


def weight_files(folder: Path, index: Mapping[str, Any], variant: str | None) -> list[Path]:
    """Return the safetensors files of the components, those of the variant where there are any."""
    found: list[Path] = []
    for name, _, _ in components(index):
        files = sorted((folder / name).glob("*.safetensors"))
        own = [path for path in files if variant is not None and f".{variant}" in path.name]
        plain = [path for path in files if not _is_variant(path)]
        found += own or plain or files
    return found


def digest_of(paths: list[Path], base: Path) -> str:
    """SHA-256 over the names and contents of files."""
    whole = hashlib.sha256()
    for path in paths:
        whole.update(path.relative_to(base).as_posix().encode() + b"\0")
        whole.update(file_digest(path).encode() + b"\0")
    return whole.hexdigest()


def _is_variant(path: Path) -> bool:
    # diffusion_pytorch_model.fp16.safetensors, model.fp16-00001-of-00002.safetensors
    return len(path.name.split(".")) > 2


def _download(
    model: str, name: str, revision: str | None, variant: str | None, trust_remote_code: bool
) -> Source:
    from diffusers import DiffusionPipeline

    try:
        with quiet(bars=True):
            folder = DiffusionPipeline.download(
                name,
                revision=revision,
                variant=variant,
                use_safetensors=True,
                trust_remote_code=trust_remote_code,
            )
    except Exception as error:
        raise UsageError(
            f"model {model!r} cannot be had from the hub ({shortened(error, 160)}); expected a "
            "folder, a file, or a hub id org/name@revision that can be reached and that you may "
            "read (`hf auth login`)"
        ) from error
    path = Path(folder)
    commit = path.name if re.fullmatch(r"[0-9a-f]{40}", path.name) else ""
    return Source(model, path, commit)


def _require_known_code(source: Source, index: Mapping[str, Any], trusted: bool) -> None:
    if trusted:
        return
    strange = []
    name = index["_class_name"]
    if isinstance(name, list) and not is_installed_class(name):
        strange.append(f"the pipeline {name[-1]!r}")
    for component, library, _ in components(index):
        if library.partition(".")[0] in LIBRARIES:
            continue
        own = (source.path / component / f"{library}.py").is_file()
        if own or not _is_pipeline_module(library):
            strange.append(f"the component {component!r}")
    if strange:
        raise UsageError(
            f"{source.name} brings code of its own for {' and '.join(strange)}; read it, and allow "
            "it with --trust-remote-code"
        )


def is_installed_class(name: object) -> bool:
    """Whether a ``_class_name`` points into a library that is trusted to be what it says."""
    return (
        isinstance(name, list)
        and len(name) == 2
        and "." in str(name[0])
        and str(name[0]).partition(".")[0] in LIBRARIES
    )


def _is_pipeline_module(library: str) -> bool:
    from diffusers import pipelines

    return hasattr(pipelines, library)


def _require_no_pickles(source: Source, index: Mapping[str, Any]) -> None:
    for name, _, _ in components(index):
        folder = source.path / name
        if not folder.is_dir():
            continue
        weights = [path for path in folder.iterdir() if path.suffix in PICKLES]
        if weights and not any(folder.glob("*.safetensors")):
            shown = weights[0].relative_to(source.path)
            raise UsageError(f"{source.name}: {shown} is not loaded: {_CONVERT}")
