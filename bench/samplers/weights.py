"""Which weights a user's callable draws with: what it names, or the torch modules found on it."""

from __future__ import annotations

import functools
import hashlib
import inspect
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch

from bench.errors import UsageError
from prompts.hashing import content_hash, file_sha256

#: How many steps from the callable modules are looked for: an attribute of an object in a closure.
DEPTH = 5
_HASH = re.compile(r"[0-9a-fA-F]{16,128}")


def weights_of(draw: Any, name: str) -> str:
    """Hash of the weights that a callable draws with; empty where they are not known.

    Parameters
    ----------
    draw : callable
        Its attribute ``weights`` is a hash, the path of a file or folder, or a list of these. Where
        it has none, the torch modules are hashed that it holds: in attributes, closures, arguments
        of a partial, and the globals that its code names.
    name : str
        For the message.

    Raises
    ------
    UsageError
        A path where nothing is.
    """
    named = getattr(draw, "weights", None)
    if isinstance(named, str | Path):
        named = [named]
    if isinstance(named, list | tuple):
        return content_hash(*(_named(one, name) for one in named), length=64)
    modules = {id(one): one for one in _modules(draw, DEPTH, set())}
    if not modules:
        return ""
    # In the order of what they hold: closures and attributes have no order that lasts.
    return content_hash(*sorted(map(module_hash, modules.values())), length=64)


def module_hash(module: torch.nn.Module) -> str:
    """SHA-256 over names, types and values of the parameters and buffers of a module."""
    whole = hashlib.sha256()
    tensors = {**dict(module.named_parameters()), **dict(module.named_buffers())}
    for key in sorted(tensors):
        value = tensors[key].detach().cpu().contiguous()
        whole.update(f"{key} {value.dtype} {tuple(value.shape)}\0".encode())
        whole.update(value.reshape(-1).view(torch.uint8).numpy().data)
    return whole.hexdigest()


def _named(one: Any, name: str) -> str:
    path = Path(one).expanduser()
    if path.is_file():
        return file_sha256(path)
    if path.is_dir():
        files = sorted(p for p in path.rglob("*") if p.is_file())
        return content_hash(*(f"{p.relative_to(path)} {file_sha256(p)}" for p in files), length=64)
    if _HASH.fullmatch(str(one)):
        return str(one).lower()
    raise UsageError(
        f"model {name!r} names its weights {str(one)!r}, where nothing is; expected the path of a "
        "file or folder, or a hash of 16 or more hexadecimal digits"
    )


def _modules(thing: Any, depth: int, seen: set[int]) -> Iterator[torch.nn.Module]:
    if isinstance(thing, torch.nn.Module):
        yield thing
        return
    if depth == 0 or id(thing) in seen or isinstance(thing, str | bytes | int | float | type):
        return
    seen.add(id(thing))
    for inner in _held(thing):
        yield from _modules(inner, depth - 1, seen)


def _held(thing: Any) -> Iterator[Any]:
    """What a function, a method, a partial, a container or an object holds."""
    if isinstance(thing, functools.partial):
        yield from (thing.func, *thing.args, *thing.keywords.values())
    elif inspect.ismethod(thing):
        yield from (thing.__self__, thing.__func__)
    elif inspect.isfunction(thing):
        for cell in thing.__closure__ or ():
            try:
                yield cell.cell_contents
            except ValueError:  # Not filled yet.
                continue
        yield from thing.__defaults__ or ()
        yield from (thing.__kwdefaults__ or {}).values()
        yield from (
            thing.__globals__[name] for name in thing.__code__.co_names if name in thing.__globals__
        )
    elif isinstance(thing, Mapping):
        yield from thing.values()
    elif isinstance(thing, list | tuple | set | frozenset):
        yield from thing
    elif not inspect.ismodule(thing):
        yield from getattr(thing, "__dict__", {}).values()
        for slot in getattr(type(thing), "__slots__", ()):
            yield getattr(thing, slot, None)
        call = inspect.getattr_static(type(thing), "__call__", None)
        if inspect.isfunction(call):
            yield call
