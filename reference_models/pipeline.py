"""A model of the family as a pipeline of diffusers.

``LocalPipeline.from_pretrained(DIR)`` reads what ``python -m reference_models.export DIR`` wrote.
The pictures are those of ``LocalModel``, which does the work here too.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import ConfigMixin, DiffusionPipeline, ModelMixin
from diffusers.configuration_utils import register_to_config
from diffusers.utils import BaseOutput
from PIL import Image

from prompts.manifest import TrainingManifest
from reference_models.errors import ModelError
from reference_models.local import CHUNK, LocalModel
from reference_models.presets import TrainingPreset, build
from reference_models.sampling import steps_of
from reference_models.upsampler import Upsampler

#: Beside the components.
CAPTIONS = "captions.json"


class LocalNetwork(ModelMixin, ConfigMixin):
    """The network of a preset, as a component.

    Parameters
    ----------
    preset : dict
        Fields of ``TrainingPreset``.
    distilled : float, optional
        Guidance scale that is in the weights.
    """

    @register_to_config
    def __init__(self, preset: dict[str, Any], distilled: float | None = None) -> None:
        super().__init__()
        self.network = build(TrainingPreset(**preset))


class LocalUpsampler(ModelMixin, ConfigMixin):
    """The network from 32 to 64 pixels, as a component."""

    @register_to_config
    def __init__(self, channels: int = 48, depth: int = 2) -> None:
        super().__init__()
        self.upsampler = Upsampler(channels, depth)


class LocalOutput(BaseOutput):
    """Pictures, as every pipeline gives them."""

    images: list[Image.Image] | np.ndarray


class LocalPipeline(DiffusionPipeline):
    """Draws with a model of the family.

    Parameters
    ----------
    network : LocalNetwork
    upsampler : LocalUpsampler
    """

    #: Pictures that are computed together in any case.
    batch_size = CHUNK
    network: Any
    upsampler: Any
    register_modules: Any
    #: What the captions of the training said; tags prompts as seen or novel.
    captions: TrainingManifest | None = None

    def __init__(self, network: LocalNetwork, upsampler: LocalUpsampler) -> None:
        super().__init__()
        self.register_modules(network=network, upsampler=upsampler)

    @classmethod
    def from_pretrained(cls, folder: Any, **options: Any) -> Any:
        """Read a pipeline folder, with what the captions of its training said."""
        pipeline = super().from_pretrained(folder, **options)
        captions = Path(folder) / CAPTIONS
        if captions.is_file():
            pipeline.captions = TrainingManifest.load(captions)
        return pipeline

    def save_pretrained(self, folder: Any, *args: Any, **options: Any) -> None:
        """Write a pipeline folder that `from_pretrained` and ``bench run`` read again."""
        super().save_pretrained(folder, *args, **options)  # type: ignore[misc]
        path = Path(folder) / "model_index.json"
        index = json.loads(path.read_text(encoding="utf-8"))
        # Where the class is to be found: diffusers itself writes its bare name.
        index["_class_name"] = [type(self).__module__, type(self).__name__]
        path.write_text(json.dumps(index, indent=2) + "\n", encoding="utf-8")
        if self.captions is not None:
            self.captions.save(Path(folder) / CAPTIONS)

    def __call__(
        self,
        prompt: str | Sequence[str],
        num_inference_steps: int | None = None,
        guidance_scale: float | None = None,
        generator: torch.Generator | list[torch.Generator] | None = None,
        output_type: str = "pil",
        return_dict: bool = True,
    ) -> Any:
        """Draw one picture a prompt.

        Parameters
        ----------
        prompt : str or sequence of str
        num_inference_steps, guidance_scale : optional
            The model's own where omitted. Distilled guidance cannot be changed.
        generator : torch.Generator or list of them, optional
            One a prompt. A picture is a function of the seed that its generator began with.
        output_type : str
            ``pil``, or ``np`` for float32 (N, 64, 64, 3) in [0, 1].
        return_dict : bool

        Returns
        -------
        LocalOutput, or a tuple of its field

        Raises
        ------
        ValueError
            An unknown word, a generator too few, another guidance scale than the distilled one.
        """
        prompts = [prompt] if isinstance(prompt, str) else list(prompt)
        settings = self.model.settings
        if num_inference_steps is not None:
            try:
                steps = steps_of(self.model.preset, num_inference_steps)
            except ModelError as error:
                raise ValueError(f"num_inference_steps: {error}") from error
            settings = replace(settings, steps=steps)
        distilled = self.model.distilled
        if guidance_scale is not None and guidance_scale != distilled:
            if distilled is not None:
                raise ValueError(
                    f"guidance_scale {guidance_scale:g}: guidance of {distilled:g} is distilled "
                    "into the weights; leave it out"
                )
            settings = replace(settings, guidance_scale=guidance_scale)
        pictures, _ = self.model.draw(prompts, _seeds(generator, len(prompts)), settings)
        images: Any = pictures.numpy().astype(np.float32) / 255
        if output_type == "pil":
            images = [Image.fromarray(picture) for picture in pictures.numpy()]
        elif output_type != "np":
            raise ValueError(f"output_type {output_type!r}; expected pil or np")
        return LocalOutput(images=images) if return_dict else (images,)

    @property
    def model(self) -> LocalModel:
        """The components as they are now, on their device and in their precision."""
        network, upsampler = self.network, self.upsampler
        return LocalModel.of(
            network.network,
            upsampler.upsampler,
            TrainingPreset(**network.config.preset),
            network.config.distilled,
        )


def _seeds(generator: torch.Generator | list[torch.Generator] | None, n: int) -> list[int]:
    if generator is None:
        return [int(seed) for seed in torch.randint(2**62, (n,))]
    generators = generator if isinstance(generator, list) else [generator] * n
    if len(generators) != n:
        raise ValueError(f"{len(generators)} generators for {n} prompts; expected one each")
    return [one.initial_seed() for one in generators]
