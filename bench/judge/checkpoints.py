"""Checkpoints of transformers: found, read without running code, and known by commit and hash.

A checkpoint is a folder that `save_pretrained` wrote, or a hub id ``org/name``, with
``org/name@revision`` for a branch, a tag or a commit. Only safetensors are read, and no code that
a checkpoint brings.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from bench.errors import BenchError, UsageError
from bench.judge.device import settled
from prompts.hashing import file_sha256

_HUB = re.compile(r"(?P<id>[\w.-]+/[\w.-]+)(?:@(?P<revision>[\w./-]+))?")
#: Environment variable that keeps the suite from the hub.
OFFLINE = "BENCH_OFFLINE"
#: Seconds that the hub may take to tell what it has.
_PATIENCE = 10.0
#: What is fetched of a checkpoint.
_FILES = ("*.safetensors", "*.json", "*.txt", "*.model")
_SHA256 = re.compile(r"[0-9a-f]{64}")
#: Class names of what the hub's client and transformers raise, and what to do about each.
_REMEDIES: tuple[tuple[str, str], ...] = (
    (
        "GatedRepoError",
        "is gated: accept its licence on its page at the hub, then `hf auth login`",
    ),
    ("RevisionNotFoundError", "has no such revision at the hub: mend what stands after @"),
    (
        "RepositoryNotFoundError",
        "is not at the hub, or not for you: mend the name, or `hf auth login`",
    ),
    (
        "LocalEntryNotFoundError",
        "is not in the cache, and the hub cannot be reached or is switched off (BENCH_OFFLINE, "
        "HF_HUB_OFFLINE): `hf download ID` where there is a network, and give the folder",
    ),
)


@dataclass(frozen=True, slots=True, eq=False)
class LoadedModel:
    """A loaded model, and what it is known by.

    Attributes
    ----------
    model, processor : Any
        Of transformers; the model in evaluation mode, without gradients.
    name : str
        The hub id with the resolved commit, or the name of the folder without the way to it.
    weights : str
        First 20 hexadecimal digits of the SHA-256 of each safetensors file, by name of the file.
    """

    model: Any
    processor: Any
    name: str
    weights: str


def load_checkpoint(
    spec: str,
    classes: Sequence[str],
    device: str = "cpu",
    dtype: str = "float32",
    auto: str | None = None,
    processor: str = "AutoProcessor",
) -> LoadedModel:
    """Load a model of one of some classes, and its processor.

    Parameters
    ----------
    spec : str
        Folder, hub id, or hub id with ``@revision``.
    classes : sequence of str
        Classes of transformers; the one that the checkpoint names among them is taken. Empty for
        any that ``auto`` knows.
    device, dtype : str
    auto : str, optional
        Class of transformers that loads the model, where that is not the named class itself.
    processor : str
        Class of transformers that loads the processor.

    Raises
    ------
    UsageError
        No such folder, id or revision, a gated or unreachable one, another class, no safetensors;
        in one line with the remedy.
    BenchError
        A checkpoint that is damaged.
    """
    import torch
    import transformers

    where, options = _place(spec)
    if offline():
        options["local_files_only"] = True
    try:
        with _quiet():
            config = transformers.AutoConfig.from_pretrained(where, **options)
        named = list(config.architectures or [])
        wanted = [kind for kind in named if kind in classes] or ([] if classes else named[:1])
        if not wanted:
            raise UsageError(
                f"{spec} is a {', '.join(named) or 'model of no class'}; "
                f"expected {' or '.join(classes) or 'one that names its class'}"
            )
        loader = getattr(transformers, auto or wanted[0])
        with _quiet():
            model = loader.from_pretrained(
                where, use_safetensors=True, dtype=getattr(torch, dtype), **options
            )
            made = getattr(transformers, processor).from_pretrained(where, **options)
    except BenchError:
        raise
    except Exception as error:
        raise _explained(spec, error) from error
    folder: Path | None
    if Path(where).is_dir():
        folder, name = Path(where), Path(where).resolve().name
    else:
        folder = _snapshot(where, options.get("revision"))
        name = f"{where}@{folder.name if folder else 'unknown'}"
    model = model.eval().requires_grad_(False).to(device)
    settled(device)
    return LoadedModel(model, made, name, weights_hash(folder))


@dataclass(frozen=True, slots=True)
class Listing:
    """What the hub tells of a checkpoint.

    Attributes
    ----------
    name : str
        Hub id with the commit.
    size : int
        Bytes that would be fetched.
    licence : str
        As its card has it; ``unknown`` where it has none.
    """

    name: str
    size: int
    licence: str


def offline() -> bool:
    """Whether nothing is asked of the hub: ``BENCH_OFFLINE=1``, or the hub's own switch."""
    from huggingface_hub import constants

    return os.environ.get(OFFLINE, "") not in ("", "0") or bool(constants.HF_HUB_OFFLINE)


def in_cache(spec: str) -> str | None:
    """Return the name with the commit of a hub id whose weights are in the hub's cache, or None."""
    where, options = _place(spec)
    folder = _snapshot(where, **options)
    there = folder is not None and any(folder.glob("*.safetensors"))
    return f"{where}@{folder.name}" if folder is not None and there else None


def at_hub(spec: str) -> Listing:
    """Ask the hub about a checkpoint.

    Raises
    ------
    BenchError
        In one line: it cannot be reached, or has no such checkpoint, or one without safetensors.
    """
    from huggingface_hub import HfApi

    where, options = _place(spec)
    try:
        info = HfApi().model_info(where, files_metadata=True, timeout=_PATIENCE, **options)
    except Exception as error:
        raise _explained(spec, error) from error
    files = {one.rfilename: one.size or 0 for one in info.siblings or []}
    wanted = [name for name in files if any(fnmatch(name, one) for one in _FILES)]
    if not any(name.endswith(".safetensors") for name in wanted):
        raise _without_safetensors(spec)
    card = info.card_data
    licence = getattr(card, "license_name", None) or getattr(card, "license", None)
    return Listing(f"{where}@{info.sha}", sum(files[name] for name in wanted), licence or "unknown")


def fetch(spec: str) -> None:
    """Put a checkpoint into the hub's cache.

    Raises
    ------
    BenchError
        In one line with the remedy.
    """
    from huggingface_hub import snapshot_download

    where, options = _place(spec)
    try:
        snapshot_download(where, allow_patterns=list(_FILES), **options)
    except Exception as error:
        raise _explained(spec, error) from error


def weights_hash(folder: Path | None) -> str:
    """Hashes of the safetensors of a folder; of a file of the hub's cache its name is the hash."""
    files = sorted(folder.glob("*.safetensors")) if folder is not None else []
    return " ".join(file_digest(path)[:20] for path in files)


def file_digest(path: Path) -> str:
    """SHA-256 of a file, hexadecimal; in the hub's own cache it is the name of the blob."""
    blob = path.resolve()
    if path.is_symlink() and blob.parent.name == "blobs" and _SHA256.fullmatch(blob.name):
        from huggingface_hub import constants

        if blob.is_relative_to(Path(constants.HF_HUB_CACHE).resolve()):
            return blob.name
    return file_sha256(path)


def _place(spec: str) -> tuple[str, dict[str, Any]]:
    """Folder or hub id, and the options that name the revision."""
    if spec and Path(spec).expanduser().is_dir():
        return str(Path(spec).expanduser()), {}
    match = _HUB.fullmatch(spec)
    if match is None or spec.startswith((".", "/", "~")):
        raise UsageError(
            f"the model {spec} cannot be loaded: there is no such folder; expected a folder of "
            "save_pretrained, or a hub id such as org/name@revision"
        )
    return match["id"], {"revision": match["revision"]} if match["revision"] else {}


@contextmanager
def _quiet() -> Iterator[None]:
    """No bars and no reports of transformers; errors come through."""
    from transformers.utils import logging

    before = logging.get_verbosity()
    logging.set_verbosity(logging.CRITICAL)
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(before)
        logging.enable_progress_bar()


def _snapshot(name: str, revision: str | None = None) -> Path | None:
    """Folder of a hub id in the cache, whose name is the commit."""
    from huggingface_hub import constants

    if not Path(constants.HF_HUB_CACHE, f"models--{name.replace('/', '--')}").is_dir():
        return None  # The rest of the library, a client of HTTP, is not needed to tell.
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(name, "config.json", revision=revision)
    return Path(found).parent if isinstance(found, str) else None


def _explained(spec: str, error: BaseException) -> BenchError:
    """Return the one line for what went wrong, with the remedy where it is known."""
    chain = list(_causes(error))
    kinds = {kind.__name__ for one in chain for kind in type(one).__mro__}
    for kind, remedy in _REMEDIES:
        if kind in kinds:
            return UsageError(f"the model {spec} cannot be loaded: it {remedy}")
    first = " ".join(str(error).split())
    if "safetensors" in first and ("no file named" in first or "does not appear" in first):
        return _without_safetensors(spec)
    return BenchError(f"the model {spec} cannot be loaded: {first[:200]}")


def _without_safetensors(spec: str) -> UsageError:
    return UsageError(
        f"the model {spec} cannot be loaded: it has no safetensors, and a pickle can run any "
        "code when it is read; load it once where you trust it and `save_pretrained(DIR)`, then "
        "give DIR"
    )


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    seen = 0
    while error is not None and seen < 10:
        yield error
        error, seen = error.__cause__ or error.__context__, seen + 1
