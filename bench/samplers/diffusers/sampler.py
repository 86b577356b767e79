"""Any text-to-image pipeline of diffusers as a sampler."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from bench.errors import UsageError
from bench.protocols import Sampler, SamplerInfo, Usage
from bench.records import Generation
from bench.samplers.batch_size import BatchSize, Memo
from bench.samplers.diffusers.call import make_call
from bench.samplers.diffusers.errors import explained, shortened
from bench.samplers.diffusers.frames import Frames
from bench.samplers.diffusers.load import default_device, load
from bench.samplers.diffusers.options import Options
from bench.samplers.diffusers.prompt_cache import remember
from bench.samplers.diffusers.prompt_length import limits, unseen_words
from bench.samplers.diffusers.record import fingerprint
from bench.samplers.diffusers.source import Source, find
from bench.samplers.frames import spread
from bench.samplers.options import chosen, signature_of
from prompts.cells import Cell, Sample
from prompts.manifest import TrainingManifest

#: As torch before 2.5 called it.
OutOfMemory = getattr(torch, "OutOfMemoryError", torch.cuda.OutOfMemoryError)
#: Beside a pipeline of the reference models: what the captions of its training said.
CAPTIONS = "captions.json"


#: Picture, why it is void, and frames of each prediction where they are kept.
Drawn = tuple[np.ndarray, str | None, tuple[np.ndarray, ...]]


class DiffusersSampler(Sampler):
    """Draws with a pipeline of diffusers.

    Each image has a CPU generator of its own, seeded with the seed of its sample, so that its
    starting noise does not depend on batch, order or device. Where a pipeline takes one generator
    alone, its images are made one at a time.

    Parameters
    ----------
    model : str
        A pipeline folder, a ``.safetensors`` file, or a hub id with an optional ``@revision``.
    batch_size : int, optional
        Images made together; found by itself where omitted.
    trajectory : int, optional
        Keep the predicted clean image at so many steps of the scheduler, 0 for all. One image is
        made beforehand, to learn the noise levels of the steps.
    **given
        Fields of `Options`, as the options of ``bench run`` give them; the device is a GPU where
        there is one.

    Raises
    ------
    UsageError
        A model that cannot be loaded safely or at all, an option that does not fit it.
    """

    __signature__ = signature_of(Options, "model", "batch_size", "trajectory")
    #: Of the batch to come.
    _next: Sequence[Sample] = ()

    def __init__(
        self,
        model: str,
        *,
        batch_size: int | None = None,
        trajectory: int | None = None,
        **given: Any,
    ) -> None:
        given["device"] = given.get("device") or default_device()
        options = self.options = chosen(Options, given)
        trusted = options.trust_remote_code
        if options.config is not None:
            find(str(options.config), trust_remote_code=trusted)
        source = find(model, variant=options.variant, trust_remote_code=trusted)
        if options.config is not None and not source.is_file:
            raise UsageError(f"--config goes with a single .safetensors file; {model!r} is none")
        self.pipeline, placed = load(source, self.options)
        self.call = make_call(self.pipeline, self.options)
        self.text = remember(self.pipeline)
        self.beside = stream_beside(self.options)
        self._tokenizers = limits(self.pipeline, self.call.resolved)
        self._unseen: dict[str, str] = {}
        self._cut = 0
        made_by = fingerprint(source, self.pipeline, self.options, self.call, placed)
        self.batch = self._batch_size(batch_size, made_by.weights)
        self.info = SamplerInfo(made_by, self.batch.size, training=_training(source))
        self.frames: Frames | None = None
        if trajectory is not None:
            self._keep_frames(trajectory)

    def _keep_frames(self, trajectory: int) -> None:
        frames = self.frames = Frames(self.pipeline)
        self._pictures([Sample(Cell("probe", "a picture", (), "control", "probe"), 0)])
        frames.kept = spread(len(frames.levels), trajectory)
        levels = tuple(frames.levels[k] for k in frames.kept)
        self.info = replace(self.info, noise_levels=levels, predictions=frames.predictions)
        if frames.predictions == ("guided",):
            _say(
                f"note: {type(self.pipeline).__name__} does not show what it predicts before "
                "guidance: the trajectory is of the guided prediction alone"
            )

    def sample(self, samples: Sequence[Sample]) -> Iterator[Generation]:
        """Yield one image a sample, in order."""
        place = 0
        while place < len(samples):
            part = samples[place : place + self.batch.size]
            self._next = samples[place + len(part) : place + 2 * len(part)]
            began = time.perf_counter()
            pictures = self._draw_or_halve(part)
            self.info = replace(self.info, batch_size=self.batch.size)
            if pictures is None:
                continue
            each = (time.perf_counter() - began) / len(part)
            for sample, (picture, invalid, films) in zip(part, pictures, strict=True):
                self._cut += bool(self._unseen_words(sample.cell.text))
                frames, conditional = (*films, None, None)[:2]
                yield Generation(sample, picture, each, frames, invalid, conditional=conditional)
            place += len(part)

    def usage(self) -> Usage:
        """Count the images whose prompt the text encoders did not see whole."""
        if not self._cut:
            return Usage()
        text, words = next((key, value) for key, value in self._unseen.items() if value)
        return Usage(
            {"prompts_truncated": self._cut},
            (
                f"the text encoder truncated the prompt of {self._cut:,} images; of "
                f"{text[:60]!r} it missed {words[:60]!r}",
            ),
        )

    def _unseen_words(self, prompt: str) -> str:
        if prompt not in self._unseen:
            self._unseen[prompt] = unseen_words(prompt, self._tokenizers)
        return self._unseen[prompt]

    def _draw_or_halve(self, part: Sequence[Sample]) -> list[Drawn] | None:
        """Return the pictures of a batch; None where memory ran out and fewer are to be tried."""
        cuda = self.options.device.startswith("cuda")
        if cuda:
            torch.cuda.reset_peak_memory_stats(self.options.device)
            held = torch.cuda.memory_allocated(self.options.device)
        try:
            pictures = self._draw(part)
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
            reason = shortened(error, 200)
        else:
            if cuda:
                peak = torch.cuda.max_memory_allocated(self.options.device)
                self.batch.made(len(part), peak - held)
            return pictures
        # Outside of the except clause: the traceback would hold on to the tensors of the batch.
        if cuda:
            torch.cuda.empty_cache()
        if not self.batch.failed():
            raise UsageError(
                f"not enough memory for one image ({reason}); try --dtype float16, --offload "
                "model, --vae-tiling, --attention-slicing or a smaller --size"
            )
        return None

    def _draw(self, part: Sequence[Sample]) -> list[Drawn]:
        if self.batch.size == 1 or not self.call.many_generators:
            return [self._pictures([sample])[0] for sample in part]
        n = len(part)
        # One shape only where the model is compiled: another one would be compiled anew.
        missing = self.batch.size - n if self.options.compile else 0
        return self._pictures([*part, *[part[-1]] * missing])[:n]

    def _pictures(self, part: Sequence[Sample]) -> list[Drawn]:
        arguments = dict(self.call.arguments)
        if "negative_prompt" in arguments:
            arguments["negative_prompt"] = [arguments["negative_prompt"]] * len(part)
        generators = [torch.Generator("cpu").manual_seed(sample.seed) for sample in part]
        if "generator" in self.call.knows:
            arguments["generator"] = generators if self.call.many_generators else generators[0]
        if "output_type" in self.call.knows:
            arguments["output_type"] = "pt" if gives_tensors(self.pipeline) else "np"
        recording = self.frames.recording() if self.frames is not None else nullcontext()
        refuses = explained(f"{type(self.pipeline).__name__} refuses")
        with torch.inference_mode(), recording, refuses:
            result = self.pipeline(prompt=[sample.cell.text for sample in part], **arguments)
            if self.text is not None and self.beside is not None and self._next:
                self.text.ahead([sample.cell.text for sample in self._next], self.beside)
        images = getattr(result, "images", None)
        if images is None or len(images) != len(part):
            raise UsageError(
                f"{type(self.pipeline).__name__} gave no list of {len(part)} images; expected a "
                "text-to-image pipeline"
            )
        flagged = getattr(result, "nsfw_content_detected", None) or [False] * len(part)
        if torch.is_tensor(images):
            drawn, finite = bytes_of(images)
        else:
            drawn, finite = [as_uint8(image) for image in images], list(map(_is_finite, images))
        films: list[tuple[np.ndarray, ...]] = [()] * len(drawn)
        if self.frames is not None:
            with torch.inference_mode():
                films = list(zip(*self.frames.decoded(drawn[0].shape[:2]), strict=True))
        return [
            (picture, "safety filter" if unsafe else None if whole else "not finite (NaN)", film)
            for picture, whole, unsafe, film in zip(drawn, finite, flagged, films, strict=True)
        ]

    def _batch_size(self, fixed: int | None, weights: str) -> BatchSize:
        device = self.options.device
        if not self.call.many_generators and fixed is None:
            _say(
                f"note: {type(self.pipeline).__name__} takes one random generator a call; images "
                "are made one at a time, so that each has its own"
            )
            return BatchSize(1)
        # A pipeline may say what size it computes in any case.
        fixed = fixed or getattr(type(self.pipeline), "batch_size", None)
        if not device.startswith("cuda"):
            return BatchSize(fixed, say=_say)
        card = f"{torch.cuda.get_device_name(device)} {torch.cuda.mem_get_info(device)[1]}"
        options = f"{self.options.size} {self.pipeline.dtype} {self.options.offload}"
        key = f"{weights[:16]} {options} {card}"
        return BatchSize(fixed, lambda: torch.cuda.mem_get_info(device)[0], Memo(), key, say=_say)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error means that memory ran out, on a GPU or a CPU."""
    if isinstance(error, (OutOfMemory, MemoryError)):
        return True
    text = str(error).lower()
    return "out of memory" in text or "can't allocate memory" in text


def as_uint8(image: Any) -> np.ndarray:
    """An image of a pipeline, PIL or float (H, W, 3) in [0, 1], as uint8 (H, W, 3) sRGB."""
    if hasattr(image, "convert"):
        return np.array(image.convert("RGB"))
    array = np.asarray(image)
    if array.dtype != np.uint8:
        array = (np.nan_to_num(array).clip(0, 1) * 255).round().astype(np.uint8)
    return np.ascontiguousarray(array)


def stream_beside(options: Options) -> Any:
    """A stream of a GPU for what is to be done while pictures are made; None on a CPU.

    None too where parts of the pipeline come to the GPU and go, and only one of them has room.
    """
    if not options.device.startswith("cuda") or options.offload:
        return None
    return torch.cuda.Stream(options.device, priority=-1)


def gives_tensors(pipeline: Any) -> bool:
    """Whether a pipeline surely can hand over its pictures where they were made."""
    from diffusers.image_processor import VaeImageProcessor

    own = type(pipeline).__module__.startswith("diffusers.")
    return own and isinstance(getattr(pipeline, "image_processor", None), VaeImageProcessor)


def bytes_of(images: torch.Tensor) -> tuple[list[np.ndarray], list[bool]]:
    """Pictures (N, 3, H, W) in [0, 1] as `as_uint8` makes them, and whether each is finite.

    Computed where they are: on a GPU that is nothing, and a quarter of the bytes is copied, while
    a CPU takes a tenth of a second for every megapixel, in which the GPU has nothing to do.
    """
    whole = images.float()
    finite = torch.isfinite(whole).flatten(1).all(1).tolist()
    byte = (whole.nan_to_num().clamp(0, 1) * 255).round().to(torch.uint8)
    return list(byte.permute(0, 2, 3, 1).contiguous().cpu().numpy()), finite


def _is_finite(image: Any) -> bool:
    return not isinstance(image, np.ndarray) or bool(np.isfinite(image).all())


def _training(source: Source) -> TrainingManifest | None:
    path = source.path / CAPTIONS
    return TrainingManifest.load(path) if path.is_file() else None


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
