"""The small Stable Diffusion of the rendered world, through the general path."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from bench.errors import UsageError
from bench.records import Generation
from bench.samplers.diffusers.options import Options
from bench.samplers.diffusers.sampler import DiffusersSampler
from bench.samplers.options import signature_of
from prompts.cells import Sample
from reference_models.errors import ModelError
from reference_models.local import token_ids
from reference_models.sd import FOLDER, GUIDANCE_SCALE, STEPS


class LocalSdSampler(DiffusersSampler):
    """`DiffusersSampler` on the bundled pipeline folder, at the steps and guidance it was tuned to.

    Parameters
    ----------
    **given
        As for `DiffusersSampler`.
    """

    __signature__ = signature_of(Options, "batch_size", "trajectory")

    def __init__(self, **given: Any) -> None:
        if not FOLDER.is_dir():
            raise UsageError(
                "local-sd is not bundled: there is no folder reference_models/sd/weights; "
                "train it with `python -m reference_models.sd.train` and give its folder as --model"
            )
        own = {"steps": STEPS, "guidance_scale": GUIDANCE_SCALE}
        super().__init__(str(FOLDER), **own | {k: v for k, v in given.items() if v is not None})
        named = replace(self.info.fingerprint, name="local-sd")
        self.info = replace(self.info, fingerprint=named)

    def sample(self, samples: Sequence[Sample]) -> Iterator[Generation]:
        """Yield one image a sample; a word that the model was never taught is an error."""
        try:
            token_ids([sample.cell.text for sample in samples])
        except ModelError as error:
            raise UsageError(str(error)) from error
        yield from super().sample(samples)
