"""The small Stable Diffusion of the rendered world, through the general path."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from bench.errors import UsageError
from bench.records import Generation
from bench.samplers.diffusers.sampler import DiffusersSampler
from prompts.cells import Sample
from reference_models.errors import ModelError
from reference_models.local import token_ids
from reference_models.sd import FOLDER, GUIDANCE_SCALE, STEPS


class LocalSdSampler(DiffusersSampler):
    """`DiffusersSampler` on the bundled pipeline folder, at the steps and guidance it was tuned to.

    Parameters
    ----------
    steps, guidance_scale, batch_size, device, scheduler, negative_prompt, dtype, lora, compile,
    extra, trajectory
        As for `DiffusersSampler`.
    """

    def __init__(
        self,
        steps: int | None = None,
        guidance_scale: float | None = None,
        batch_size: int | None = None,
        device: str | None = None,
        scheduler: str | None = None,
        negative_prompt: str | None = None,
        dtype: str | None = None,
        lora: Sequence[str] = (),
        compile: bool = False,
        extra: Sequence[str] = (),
        trajectory: int | None = None,
    ) -> None:
        if not FOLDER.is_dir():
            raise UsageError(
                "local-sd is not bundled: there is no folder reference_models/sd/weights; "
                "train it with `python -m reference_models.sd.train` and give its folder as --model"
            )
        super().__init__(
            str(FOLDER),
            steps=STEPS if steps is None else steps,
            guidance_scale=GUIDANCE_SCALE if guidance_scale is None else guidance_scale,
            batch_size=batch_size,
            device=device,
            scheduler=scheduler,
            negative_prompt=negative_prompt,
            dtype=dtype,
            lora=lora,
            compile=compile,
            extra=extra,
            trajectory=trajectory,
        )
        named = replace(self.info.fingerprint, name="local-sd")
        self.info = replace(self.info, fingerprint=named)

    def sample(self, samples: Sequence[Sample]) -> Iterator[Generation]:
        """Yield one image a sample; a word that the model was never taught is an error."""
        try:
            token_ids([sample.cell.text for sample in samples])
        except ModelError as error:
            raise UsageError(str(error)) from error
        yield from super().sample(samples)
