"""The bundled models as samplers: one class, a name a model."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from pathlib import Path

import torch

from bench.errors import UsageError
from bench.judge.device import require_device, threads_of_torch
from bench.protocols import Sampler, SamplerInfo
from bench.records import Fingerprint, Generation
from bench.registry import BUNDLED, training_seed
from bench.samplers.frames import spread
from prompts.cells import Sample
from prompts.manifest import TrainingManifest
from reference_models.errors import ModelError
from reference_models.local import CHUNK, LocalModel, token_ids
from reference_models.sampling import Settings, noise_levels, steps_of
from reference_models.weights import digest, find_weights

#: Batches drawn at once on a CPU, each by a share of the threads of torch. Threads that share the
#: operations of one batch wait for each other after every one, and where a scorer or another
#: program has a core, they wait long (benchmarks/README.md). More batches wait for Python's lock.
AT_ONCE = 4
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}


class LocalSampler(Sampler):
    """Draws with a model of the family.

    Parameters
    ----------
    model : str
        A name of `bench.registry.BUNDLED`; with ``-seedN`` the weights of one's own training with
        this seed, from ``training/NAME-seedN/``.
    steps : int, optional
        The model's own default where omitted.
    guidance_scale : float, optional
        A model into which guidance was distilled takes no other than that scale.
    batch_size : int, optional
        Images handed on together. The arithmetic is done in chunks of one fixed size whatever
        this is, so that images do not depend on it.
    device : str, optional
        ``cpu`` by default.
    weights : Path, optional
        Another weight file of the same family.
    trajectory : int, optional
        Keep the clean picture predicted at so many of the steps, evenly spread and with the first
        and the last among them; 0, or more than there are, for every step.
    attention : float
        Strength of guidance by attention (`reference_models.attention_guidance`); 0 is none.

    Raises
    ------
    UsageError
        A device that is not there, a damaged weight file, a prompt with an unknown word.
    """

    def __init__(
        self,
        model: str = "local",
        steps: int | None = None,
        guidance_scale: float | None = None,
        batch_size: int | None = None,
        device: str | None = None,
        weights: Path | None = None,
        dtype: str | None = None,
        trajectory: int | None = None,
        attention: float = 0.0,
    ) -> None:
        device = device or "cpu"
        require_device(device)
        if dtype not in (None, *DTYPES):
            raise UsageError(f"dtype {dtype!r} is none of the local model: {', '.join(DTYPES)}")
        name, seed = training_seed(model)
        self._name, solver = BUNDLED[name]
        try:
            path = weights or find_weights(self._name, seed)
            self.model = LocalModel(path, device, None if dtype is None else DTYPES[dtype])
        except ModelError as error:
            raise UsageError(str(error)) from error
        default = self.model.settings
        try:
            taken = steps_of(self.model.preset, steps)
        except ModelError as error:
            raise UsageError(f"--model {self._name}: {error}") from error
        self.settings = Settings(
            taken,
            self._scale(guidance_scale),
            default.shift,
            solver,
            self._attention(attention),
        )
        levels = noise_levels(self.model.preset, self.settings)
        self.kept = [] if trajectory is None else spread(self.settings.steps, trajectory)
        manifest = path.with_name(f"{path.stem}.manifest.json")
        fingerprint = Fingerprint(
            kind="sampler",
            name=self._name if seed is None else f"{self._name}-seed{seed}",
            options={
                "steps": self.settings.steps,
                "guidance_scale": self.model.distilled or self.settings.guidance_scale,
                "shift": self.settings.shift,
                "solver": self.settings.solver,
                "dtype": str(self.model.dtype).removeprefix("torch."),
                "device": device,
                **({"attention": attention} if attention else {}),
            },
            weights=digest(path),
            versions={"torch": torch.__version__},
        )
        self.info = SamplerInfo(
            fingerprint,
            batch_size or CHUNK,
            None if trajectory is None else tuple(levels[k] for k in self.kept),
            TrainingManifest.load(manifest) if manifest.is_file() else None,
            predictions=self.model.predictions(self.settings),
        )

    def _attention(self, strength: float) -> float:
        """Strength of guidance by attention, which a network on the straight path can have."""
        if strength and self.model.preset.target != "velocity":
            raise UsageError(
                f"attention {strength:g}: {self._name!r} has no straight path from noise to "
                "picture; take a U-Net or a transformer on patches: local-teacher, local-dit"
            )
        return strength

    def _scale(self, guidance_scale: float | None) -> float:
        """Scale of the guidance that is still to be done when sampling."""
        distilled = self.model.distilled
        if guidance_scale is None or (distilled is not None and guidance_scale == distilled):
            return self.model.settings.guidance_scale
        if distilled is not None:
            raise UsageError(
                f"guidance scale {guidance_scale:g}: guidance of {distilled:g} is distilled into "
                f"the weights of {self._name!r}; leave the option out, or take --model "
                "local-teacher, which is guided when sampled"
            )
        return guidance_scale

    def sample(self, samples: Sequence[Sample]) -> Iterator[Generation]:
        """Yield one image a sample, in order."""
        try:
            token_ids([s.cell.text for s in samples])
        except ModelError as error:
            raise UsageError(str(error)) from error
        size = self.info.batch_size or CHUNK
        batches = deque(samples[start : start + size] for start in range(0, len(samples), size))
        # Guidance by attention watches the network at work: one batch at a time.
        alone = self.model.device != "cpu" or self.settings.attention
        threads = torch.get_num_threads()
        at_once = 1 if alone else min(threads, AT_ONCE, len(batches))
        if at_once < 2:
            for batch in batches:
                yield from self._drawn(batch)
            return
        pool = threads_of_torch(at_once, threads // at_once, "bench-sampler")
        begun: deque[Future[list[Generation]]] = deque()
        try:
            while batches or begun:
                while batches and len(begun) <= at_once:
                    begun.append(pool.submit(self._drawn, batches.popleft(), at_once))
                yield from begun.popleft().result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _drawn(self, batch: Sequence[Sample], at_once: int = 1) -> list[Generation]:
        """Images of a batch, beside which others are drawn: so many at once."""
        began = time.perf_counter()
        pictures, frames = self.model.draw(
            [s.cell.text for s in batch], [s.seed for s in batch], self.settings, self.kept
        )
        each = (time.perf_counter() - began) / len(batch) / at_once
        drawn = []
        for row, (sample, picture) in enumerate(zip(batch, pictures.numpy(), strict=True)):
            kept, *more = (None,) if frames is None else frames[row].numpy()
            conditional = more[0] if more else None
            drawn.append(Generation(sample, picture, each, kept, conditional=conditional))
        return drawn
