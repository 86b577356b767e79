"""A user's own model: a callable from prompts and generators to images, as a sampler.

The callable is given a list of prompts and as many ``torch.Generator`` on the CPU, each seeded for
its image; whoever draws all noise of image n from generator n gets the same image whatever the
batch. docs/own_model.md has an example.
"""

from __future__ import annotations

import inspect
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bench import registry
from bench.errors import UsageError
from bench.judge.images import as_rgb8
from bench.judge.picture_arrays import PictureError
from bench.protocols import Sampler, SamplerInfo
from bench.records import Fingerprint, Generation
from bench.samplers.weights import weights_of
from prompts.cells import Sample
from prompts.hashing import content_hash

#: Images a batch where neither the user nor the callable says.
BATCH = 8
PROMPTS, GENERATORS = ("prompts", "prompt"), ("generators", "generator")

Draw = Callable[..., Any]


class OwnModel(Sampler):
    """Draws with a callable.

    Parameters
    ----------
    draw : callable
        ``draw(prompts, generators)`` gives one image a prompt, in order: any form that
        `bench.judge.images.as_rgb8` reads, an array or tensor of them, or an object with these as
        its attribute ``images``. None in place of an image says that the model refused. A
        parameter of the names ``prompt(s)`` and ``generator(s)`` is filled by name, so that
        a diffusers pipeline is such a callable.
    name : str
        ``package.module:attribute``.
    batch_size : int, optional
        Images a call; the attribute ``batch_size`` of the callable by default, else 8.
    options : mapping, optional
        What else the callable is given at each call; recorded.
    made_with : mapping, optional
        What its factory was given; recorded.
    source : Path, optional
        The file that defines it; its hash is recorded, so that a run is not continued by another
        version.

    Raises
    ------
    UsageError
        It does not take two arguments, or names weights that are not there.
    """

    def __init__(
        self,
        draw: Draw,
        name: str,
        batch_size: int | None = None,
        options: Mapping[str, Any] | None = None,
        *,
        made_with: Mapping[str, Any] | None = None,
        source: Path | None = None,
    ) -> None:
        self._draw = draw
        self._name = name
        self._options = dict(options or {})
        self._keys = _argument_names(draw, name)
        said = getattr(draw, "fingerprint", None)
        fingerprint = (
            said
            if isinstance(said, Fingerprint)
            else Fingerprint(
                kind="sampler",
                name=name,
                options={**(made_with or {}), **self._options, "source": _digest(source)},
                weights=weights_of(draw, name),
                versions={"torch": torch.__version__},
            )
        )
        self.batch = batch_size or getattr(draw, "batch_size", None) or BATCH
        self.info = SamplerInfo(fingerprint, self.batch, training=getattr(draw, "training", None))

    def sample(self, samples: Sequence[Sample]) -> Iterator[Generation]:
        """Yield one image a sample, in order, batch by batch.

        Raises
        ------
        UsageError
            The callable fails, or does not give one image a prompt.
        """
        start = 0
        while start < len(samples):
            part = samples[start : start + self.batch]
            began = time.perf_counter()
            called = self._called(part)
            if called is None:
                self._halve(len(part))
                continue
            start += len(part)
            images, flagged = called
            each = (time.perf_counter() - began) / len(part)
            for number, (sample, image) in enumerate(zip(part, images, strict=True)):
                yield self._generation(sample, image, flagged[number], each)

    def _halve(self, size: int) -> None:
        """Go on with smaller batches after memory ran out; the images are the same."""
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        self.batch = size // 2
        self.info = replace(self.info, batch_size=self.batch)
        print(
            f"out of memory with {size} images a batch; going on with {self.batch}",
            file=sys.stderr,
            flush=True,
        )

    def _called(self, samples: Sequence[Sample]) -> tuple[list[Any], list[bool]] | None:
        """Images of a batch and whether each is flagged; None where memory ran out for several."""
        prompts = [sample.cell.text for sample in samples]
        generators = [torch.Generator().manual_seed(sample.seed) for sample in samples]
        try:
            if self._keys is None:
                given = self._draw(prompts, generators, **self._options)
            else:
                first, second = self._keys
                given = self._draw(**{first: prompts, second: generators}, **self._options)
            images = _listed(getattr(given, "images", given), len(samples))
        except UsageError:
            raise
        except (Exception, SystemExit) as error:
            if len(samples) > 1 and _is_out_of_memory(error):
                return None
            raise registry.failed(
                f"model {self._name!r} failed on {len(samples)} prompts", error
            ) from error
        if images is None:
            raise UsageError(
                f"model {self._name!r} returned {_described(given)} for {len(samples)} prompts; "
                "expected a list of images, one a prompt, in order"
            )
        if len(images) != len(samples):
            raise UsageError(
                f"model {self._name!r} returned {len(images)} images for {len(samples)} prompts; "
                "expected one a prompt, in order"
            )
        flags = getattr(given, "nsfw_content_detected", None)
        flagged = [False] * len(images) if flags is None else [bool(flag) for flag in flags]
        if len(flagged) != len(images):
            raise UsageError(
                f"model {self._name!r} returned {len(flagged)} flags (nsfw_content_detected) for "
                f"{len(images)} images; expected one an image, or None"
            )
        return images, flagged

    def _generation(self, sample: Sample, image: Any, flagged: bool, seconds: float) -> Generation:
        blank = np.zeros((64, 64, 3), dtype=np.uint8)
        if image is None:
            return Generation(sample, blank, seconds, invalid="refused by the model")
        try:
            picture = as_rgb8(image)
        except PictureError as error:
            if error.kind == "not finite":
                return Generation(sample, blank, seconds, invalid="not finite (NaN)")
            raise UsageError(
                f"model {self._name!r} returned no picture for {sample.cell.text!r}: {error}"
            ) from error
        return Generation(sample, picture, seconds, invalid="safety filter" if flagged else None)


def is_draw(part: Any) -> bool:
    """Whether a callable takes prompts and generators, rather than making one that does."""
    if inspect.isclass(part):
        return False
    parameters = _parameters(part)
    needed = [one for one in parameters.values() if one.default is one.empty and _positional(one)]
    return len(needed) >= 2 or _by_name(parameters) is not None


def _parameters(part: Any) -> Mapping[str, inspect.Parameter]:
    try:
        return inspect.signature(part).parameters
    except (TypeError, ValueError):
        return {}


def _positional(parameter: inspect.Parameter) -> bool:
    return parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)


def _argument_names(draw: Draw, name: str) -> tuple[str, str] | None:
    """Names of the two parameters; None where they are filled by position."""
    parameters = _parameters(draw)
    found = _by_name(parameters)
    if found is not None:
        return found
    many = any(one.kind is one.VAR_POSITIONAL for one in parameters.values())
    if not many and sum(map(_positional, parameters.values())) < 2:
        raise UsageError(
            f"{name!r} is no sampler: it has no method sample() and is no callable of (prompts, "
            "generators); docs/own_model.md has an example"
        )
    return None


def _by_name(parameters: Mapping[str, inspect.Parameter]) -> tuple[str, str] | None:
    named = {key for key, one in parameters.items() if one.kind is not one.POSITIONAL_ONLY}
    first = next((key for key in PROMPTS if key in named), None)
    second = next((key for key in GENERATORS if key in named), None)
    return (first, second) if first and second else None


def _listed(images: Any, count: int) -> list[Any] | None:
    """Return the images of a call as a list; None where they are none."""
    if images is None or isinstance(images, str | bytes | Mapping):
        return None
    single = hasattr(images, "convert") or getattr(images, "ndim", 0) in (2, 3)
    if single:
        return [images] if count == 1 else None
    try:
        return list(images)
    except TypeError:
        return None


def _described(value: Any) -> str:
    shape = getattr(value, "shape", None)
    kind = type(value).__name__
    if value is None:
        return "nothing (None)"
    return f"a {kind} of shape {tuple(shape)}" if shape is not None else f"a {kind}"


def _is_out_of_memory(error: BaseException) -> bool:
    return isinstance(error, MemoryError) or "out of memory" in str(error).lower()


def _digest(source: Path | None) -> str:
    if source is None or not source.is_file():
        return ""
    return content_hash(source.read_bytes().hex(), length=16)
