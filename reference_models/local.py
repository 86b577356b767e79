"""The bundled models: prompts and seeds in, pictures out."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from torch import Tensor

from reference_models.errors import ModelError
from reference_models.presets import Network, TrainingPreset, build
from reference_models.sampling import Settings, drawn
from reference_models.upsampler import Upsampler
from reference_models.weights import FOLDER, fill, read_weights
from reference_models.world.captions import LENGTH, WORDS, encode

#: Pictures computed together, always: a short batch is padded. With one shape there is one order
#: of arithmetic, so that a picture is the same to the bit in whatever company it is made.
CHUNK = 32


def best_dtype(device: str) -> torch.dtype:
    """bfloat16 where the hardware multiplies it fast, else float32."""
    if device.startswith("cuda"):
        return torch.bfloat16
    # Not of torch's public interface, and not there in all its versions.
    names = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    fast = any(getattr(torch.cpu, name, bool)() for name in names)
    return torch.bfloat16 if fast else torch.float32


def token_ids(prompts: Sequence[str]) -> Tensor:
    """Token ids of prompts, int64 (N, LENGTH), padded with 0.

    Raises
    ------
    ModelError
        A word that the model was never taught, or a prompt longer than it can read.
    """
    ids = torch.zeros(len(prompts), LENGTH, dtype=torch.int64)
    for row, prompt in enumerate(prompts):
        try:
            tokens = encode(prompt)
        except KeyError as error:
            word = str(error.args[0])
            near = difflib.get_close_matches(word, WORDS[1:], 1)
            hint = f"the nearest it knows is {near[0]!r}; " if near else ""
            raise ModelError(
                f"the bundled model does not know the word {word!r} of {prompt!r}; {hint}"
                f"it knows {', '.join(WORDS[1:])}"
            ) from None
        if len(tokens) > LENGTH:
            raise ModelError(
                f"{prompt!r} has {len(tokens)} words; the bundled model reads {LENGTH}"
            )
        ids[row, : len(tokens)] = torch.tensor(tokens)
    return ids


def noises(seeds: Sequence[int], side: int) -> Iterator[Tensor]:
    """Noise of each picture, float32 (N, 3, side, side), again and again.

    The first is the starting noise. Each picture has a CPU generator of its own, so that its noise
    does not depend on the others.
    """
    generators = [torch.Generator().manual_seed(seed) for seed in seeds]
    while True:
        yield torch.stack([torch.randn(3, side, side, generator=g) for g in generators])


class LocalModel:
    """A network of the family and its upsampler, loaded and ready.

    Parameters
    ----------
    path : Path, optional
        Weight file; that of ``local`` by default.
    device : str
    dtype : torch.dtype, optional
        Of the arithmetic; ``best_dtype(device)`` by default.

    Attributes
    ----------
    preset : TrainingPreset
    settings : Settings
        How it is sampled unless asked otherwise.
    distilled : float or None
        Guidance scale that the network has learned to do without being called twice.
    """

    def __init__(
        self,
        path: Path = FOLDER / "local.safetensors",
        device: str = "cpu",
        dtype: torch.dtype | None = None,
    ) -> None:
        tensors, self.facts = read_weights(path)
        self.device, self.dtype = device, dtype or best_dtype(device)
        try:
            self.preset = TrainingPreset(**self.facts["preset"])
        except (KeyError, TypeError) as error:
            raise ModelError(
                f"weight file {path} does not say what model it holds: {error}"
            ) from error
        self.settings = Settings(self.preset.steps, self.preset.guidance_scale)
        self.distilled: float | None = self.facts.get("distilled", {}).get("guidance_scale")
        self.network = build(self.preset)
        self.upsampler = Upsampler()
        fill(self.network, tensors, f"{self.preset.network}.", path)
        fill(self.upsampler, tensors, "upsampler.", path)
        for part in (self.network, self.upsampler):
            part.to(device=device, dtype=self.dtype).requires_grad_(False)
            part.to(memory_format=torch.channels_last)

    @classmethod
    def of(
        cls, network: Network, upsampler: Upsampler, preset: TrainingPreset, distilled: float | None
    ) -> LocalModel:
        """Make a model of networks that are loaded, on their device and in their precision.

        They stay trainable: a training script draws with them in between.
        """
        model = cls.__new__(cls)
        first = next(upsampler.parameters())
        model.device, model.dtype = str(first.device), first.dtype
        model.facts, model.preset, model.distilled = {}, preset, distilled
        model.settings = Settings(preset.steps, preset.guidance_scale)
        model.network, model.upsampler = network, upsampler
        for part in (network, upsampler):
            part.to(memory_format=torch.channels_last)
        return model

    def predictions(self, settings: Settings) -> tuple[str, ...]:
        """Whose predictions the frames are: ``guided``, ``conditional`` (no guidance), or both.

        A model into which guidance was distilled has the guided ones alone, and so has one that
        draws code by code: what is drawn there is no prediction of the whole picture.
        """
        if self.distilled is not None or self.preset.network == "tokens":
            return ("guided",)
        return ("conditional",) if settings.guidance_scale == 1 else ("guided", "conditional")

    @torch.inference_mode()
    def draw(
        self,
        prompts: Sequence[str],
        seeds: Sequence[int],
        settings: Settings | None = None,
        frames: Sequence[int] = (),
    ) -> tuple[Tensor, Tensor | None]:
        """Draw one picture a prompt.

        Parameters
        ----------
        prompts : sequence of str, N
        seeds : sequence of int, N
        settings : Settings, optional
        frames : sequence of int
            Steps whose predicted clean picture is kept, rising.

        Returns
        -------
        pictures : Tensor, uint8 (N, 64, 64, 3)
            sRGB.
        frames : Tensor, uint8 (N, P, T, 64, 64, 3), or None
            P as ``predictions`` has them.
        """
        settings = settings or self.settings
        ids = token_ids(prompts)
        whole, kept = [], []
        for start in range(0, len(ids), CHUNK):
            place = slice(start, start + CHUNK)
            pictures, steps = self._chunk(ids[place], seeds[place], settings, frames)
            whole.append(pictures)
            kept.append(steps)
        return torch.cat(whole), torch.cat(kept) if frames else None

    def _chunk(
        self, ids: Tensor, seeds: Sequence[int], settings: Settings, frames: Sequence[int]
    ) -> tuple[Tensor, Tensor]:
        n = len(ids)
        if n < CHUNK:
            ids = torch.cat((ids, ids[:1].expand(CHUNK - n, -1)))
            seeds = [*seeds, *([seeds[0]] * (CHUNK - n))]
        stream = noises(seeds, self.network.side)

        def fresh() -> Tensor:
            return next(stream).to(self.device)

        x, *steps = drawn(self.network, ids.to(self.device), fresh, self.preset, settings, frames)
        if not frames:
            return self.enlarged(x)[:n], torch.empty(0)
        kept = [
            torch.stack([self.enlarged(predicted)[:n] for predicted in one], 1)
            for one in steps[: len(self.predictions(settings))]
        ]
        return self.enlarged(x)[:n], torch.stack(kept, 1)

    def enlarged(self, x: Tensor) -> Tensor:
        """Pictures at 32 pixels in [-1, 1] to uint8 (N, 64, 64, 3) on the CPU."""
        small = x.clamp(-1, 1).to(self.dtype).contiguous(memory_format=torch.channels_last)
        large = self.upsampler(small).float()
        return ((large + 1) * 127.5).round().clamp(0, 255).byte().permute(0, 2, 3, 1).cpu()
