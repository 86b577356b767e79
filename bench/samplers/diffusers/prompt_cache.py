"""Text embeddings of a pipeline, computed once for each prompt and used for all its images.

A pipeline of diffusers calls its own ``encode_prompt`` whatever the family; here that method is
replaced, on the one object, by one that remembers. Prompts are encoded one by one, so that an
embedding does not depend on the company in which it is asked for either.
"""

from __future__ import annotations

import inspect
from collections import OrderedDict
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import torch
from torch import Tensor

#: Bytes of embeddings that are kept, on the CPU.
MOST = 2 * 2**30


class RememberedText:
    """What replaces ``encode_prompt``.

    Parameters
    ----------
    original : bound method
        Returns a tuple of tensors, of None, or of lists with one item a prompt.
    most : int
        Bytes kept; the embeddings used longest ago are given up first.
    """

    def __init__(self, original: Any, most: int = MOST) -> None:
        self._original = original
        self._signature = inspect.signature(original)
        self._most, self._held = most, 0
        self._rows: OrderedDict[str, Any] = OrderedDict()
        self.encoded = 0
        self._whole = False
        self._last: Mapping[str, Any] | None = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Encode the prompts that are new; put together those of the batch."""
        bound = self._signature.bind(*args, **kwargs)
        prompts = bound.arguments.get("prompt")
        if self._whole or not isinstance(prompts, list) or _has_tensor(bound.arguments):
            return self._original(*args, **kwargs)
        self._last = bound.arguments
        rows = [self._row(bound.arguments, place, len(prompts)) for place in range(len(prompts))]
        device = bound.arguments.get("device")
        try:
            return _joined(rows, device)
        except ValueError:
            # Embeddings of different lengths: only the pipeline knows how it pads them.
            self._whole = True
            self._rows.clear()
            return self._original(*args, **kwargs)

    def ahead(self, prompts: list[str], stream: Any) -> None:
        """Encode prompts that are to come as the last ones were, in a CUDA stream of their own.

        What is queued in another stream is not waited for: a GPU that decodes pictures, which takes
        long and few commands, does both. Whatever goes wrong goes wrong again when they are due.
        """
        if self._last is None or self._whole:
            return
        before = self._last["prompt"]
        arguments = {
            key: prompts
            if value == before
            else value[:1] * len(prompts)
            if isinstance(value, list) and len(value) == len(before) and "prompt" in key
            else value
            for key, value in self._last.items()
        }
        with suppress(Exception), torch.cuda.stream(stream):
            for place in range(len(prompts)):
                self._row(arguments, place, len(prompts))

    def _row(self, arguments: Mapping[str, Any], place: int, n: int) -> Any:
        # Of lists only those of prompts have one item a prompt: prompt_2, negative_prompt, ...
        one = {
            key: [value[place]]
            if isinstance(value, list) and len(value) == n and "prompt" in key
            else value
            for key, value in arguments.items()
        }
        key = repr(sorted((k, v) for k, v in one.items() if k != "device"))
        if key in self._rows:
            self._rows.move_to_end(key)
            return self._rows[key]
        bound = self._signature.bind_partial()
        bound.arguments.update(one)
        row = _to(self._original(*bound.args, **bound.kwargs), "cpu")
        self.encoded += 1
        self._rows[key] = row
        self._held += _size(row)
        while self._held > self._most and len(self._rows) > 1:
            self._held -= _size(self._rows.popitem(last=False)[1])
        return row


def remember(pipeline: Any) -> RememberedText | None:
    """Replace ``encode_prompt`` of a pipeline where it has one that takes lists of prompts."""
    original = getattr(pipeline, "encode_prompt", None)
    if not callable(original) or "prompt" not in inspect.signature(original).parameters:
        return None
    text = RememberedText(original)
    pipeline.encode_prompt = text
    return text


def _joined(rows: list[Any], device: Any) -> Any:
    first = rows[0]
    if isinstance(first, Tensor):
        if len(rows) == 1:
            return _to(first, device)
        if first.shape[:1] != (1,):
            # The same for every prompt: positions of the tokens.
            if any(row.shape != first.shape or not torch.equal(row, first) for row in rows[1:]):
                raise ValueError("neither one row a prompt nor the same for all")
            return _to(first, device)
        if any(row.shape != first.shape for row in rows[1:]):
            raise ValueError("embeddings of different lengths")
        return _to(torch.cat(rows), device)
    if isinstance(first, tuple):
        return tuple(_joined(list(parts), device) for parts in zip(*rows, strict=True))
    if isinstance(first, list):
        return [_to(item, device) for row in rows for item in row]
    return first


def _to(value: Any, device: Any) -> Any:
    if isinstance(value, Tensor):
        return value if device is None else value.to(device)
    if isinstance(value, tuple | list):
        return type(value)(_to(item, device) for item in value)
    return value


def _size(value: Any) -> int:
    if isinstance(value, Tensor):
        return value.numel() * value.element_size()
    return sum(_size(item) for item in value) if isinstance(value, tuple | list) else 0


def _has_tensor(arguments: Mapping[str, Any]) -> bool:
    return any(isinstance(value, Tensor) for value in arguments.values())
