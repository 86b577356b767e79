"""The bundled model: prompts and seeds in, pictures out."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from reference_models.errors import ModelError
from reference_models.guidance import guided
from reference_models.presets import Preset, build
from reference_models.solver import euler
from reference_models.times import sampling_times
from reference_models.unet import UNet
from reference_models.upsampler import Upsampler
from reference_models.weights import FOLDER, fill, read_weights
from reference_models.world.captions import LENGTH, WORDS, encode

#: Pictures computed together, always: a short batch is padded. With one shape there is one order
#: of arithmetic, so that a picture is the same to the bit in whatever company it is made.
CHUNK = 32


@dataclass(frozen=True, slots=True)
class Settings:
    """How the model is sampled.

    Attributes
    ----------
    steps : int
        Euler steps.
    guidance_scale : float
        1 is no guidance and half the work.
    shift : float
        See ``sampling_times``.
    """

    steps: int = 8
    guidance_scale: float = 4.0
    shift: float = 1.0


def best_dtype(device: str) -> torch.dtype:
    """bfloat16 where the hardware multiplies it fast, else float32."""
    if device.startswith("cuda"):
        return torch.bfloat16
    fast = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
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


def starting_noise(seed: int, side: int) -> Tensor:
    """Noise of one picture, float32 (3, side, side), from a CPU generator of its own."""
    return torch.randn(3, side, side, generator=torch.Generator().manual_seed(seed))


class LocalModel:
    """A U-Net and an upsampler, loaded and ready.

    Parameters
    ----------
    path : Path, optional
        Weight file; the bundled one by default.
    device : str
    dtype : torch.dtype, optional
        Of the arithmetic; ``best_dtype(device)`` by default.
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
            preset = Preset(**self.facts["preset"])
        except (KeyError, TypeError) as error:
            raise ModelError(
                f"weight file {path} does not say what model it holds: {error}"
            ) from error
        self.unet: UNet = build(preset)
        self.upsampler = Upsampler()
        fill(self.unet, tensors, "unet.", path)
        fill(self.upsampler, tensors, "upsampler.", path)
        for part in (self.unet, self.upsampler):
            part.to(device=device, dtype=self.dtype).requires_grad_(False)
            part.to(memory_format=torch.channels_last)

    @torch.inference_mode()
    def draw(
        self,
        prompts: Sequence[str],
        seeds: Sequence[int],
        settings: Settings | None = None,
        frames: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """Draw one picture a prompt.

        Parameters
        ----------
        prompts : sequence of str, N
        seeds : sequence of int, N
        settings : Settings, optional
        frames : bool
            Keep the clean picture predicted at every step.

        Returns
        -------
        pictures : Tensor, uint8 (N, 64, 64, 3)
            sRGB.
        frames : Tensor, uint8 (N, steps, 64, 64, 3), or None
        """
        settings = settings or Settings()
        ids = token_ids(prompts)
        noise = torch.stack([starting_noise(seed, self.unet.side) for seed in seeds])
        drawn, kept = [], []
        for start in range(0, len(ids), CHUNK):
            pictures, steps = self._chunk(
                ids[start : start + CHUNK], noise[start : start + CHUNK], settings, frames
            )
            drawn.append(pictures)
            kept.append(steps)
        return torch.cat(drawn), torch.cat(kept) if frames else None

    def _chunk(
        self, ids: Tensor, noise: Tensor, settings: Settings, frames: bool
    ) -> tuple[Tensor, Tensor]:
        n = len(ids)
        if n < CHUNK:
            ids = torch.cat((ids, ids[:1].expand(CHUNK - n, -1)))
            noise = torch.cat((noise, noise[:1].expand(CHUNK - n, -1, -1, -1)))
        ids, noise = ids.to(self.device), noise.to(self.device)
        scale = settings.guidance_scale
        both = ids if scale == 1 else torch.cat((ids, torch.zeros_like(ids)))
        prompt = self.unet.encode(both)

        def field(x: Tensor, t: Tensor) -> Tensor:
            x = x.to(self.dtype)
            if scale == 1:
                return self.unet(x, t, prompt).float()
            v = self.unet(torch.cat((x, x)), torch.cat((t, t)), prompt).float()
            with_prompt, without = v.chunk(2)
            return guided(with_prompt, without, scale)

        x, predictions = noise, []
        for _, predicted, x in euler(field, x, sampling_times(settings.steps, settings.shift)):
            if frames:
                predictions.append(self._enlarged(predicted)[:n])
        kept = torch.stack(predictions, 1) if frames else torch.empty(0)
        return self._enlarged(x)[:n], kept

    def _enlarged(self, x: Tensor) -> Tensor:
        """Pictures at 32 pixels in [-1, 1] to uint8 (N, 64, 64, 3) on the CPU."""
        small = x.clamp(-1, 1).to(self.dtype).contiguous(memory_format=torch.channels_last)
        large = self.upsampler(small).float()
        return ((large + 1) * 127.5).round().clamp(0, 255).byte().permute(0, 2, 3, 1).cpu()
