"""BLIP's model for visual question answering, asked as T2I-CompBench asks it.

The question is the noun phrase with a question mark, ``a blue potato?``, and the answer the
probability that the first token of the answer is ``yes`` (Huang et al. 2023, arXiv 2307.06350,
section 4.1: disentangled BLIP-VQA). T2I-CompBench's number for a picture is the product over its
noun phrases.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version

import numpy as np

from bench.errors import UsageError
from bench.judge.checkpoints import load_checkpoint
from bench.judge.device import judging
from bench.judge.dtype import exact_dtype, recorded_dtype
from bench.judge.vqa.local import BATCH
from bench.records import Fingerprint

DEFAULT = "Salesforce/blip-vqa-base"


class BlipVqa:
    """A BLIP for visual question answering.

    Parameters
    ----------
    model : str
        Folder, hub id, or hub id with ``@revision``.
    device : str

    Raises
    ------
    UsageError
        A model that cannot be had, or has no token for yes.
    """

    def __init__(self, model: str = DEFAULT, device: str = "cpu") -> None:
        dtype = exact_dtype()
        loaded = load_checkpoint(model, ("BlipForQuestionAnswering",), device, dtype)
        self.model, self.processor, self.device = loaded.model, loaded.processor, device
        tokenizer = self.processor.tokenizer
        self.yes = tokenizer.convert_tokens_to_ids("yes")
        if self.yes in (None, tokenizer.unk_token_id):
            raise UsageError(f"the tokenizer of {model} has no token for yes; use another model")
        self.fingerprint = Fingerprint(
            kind="vlm",
            name=loaded.name,
            weights=loaded.weights,
            versions={
                **{package: version(package) for package in ("transformers", "torch")},
                "vlm": recorded_dtype(dtype, device),
            },
        )

    def chances(
        self, images: Sequence[np.ndarray], texts: Sequence[str]
    ) -> list[tuple[float, str]]:
        """Probability of ``yes`` to each text on its picture, uint8 (H, W, 3)."""
        found: list[float] = []
        for start in range(0, len(texts), BATCH):
            part = slice(start, start + BATCH)
            found += self._batch(images[part], texts[part])
        return [(value, "") for value in found]

    def _batch(self, images: Sequence[np.ndarray], texts: Sequence[str]) -> list[float]:
        inputs = self.processor(
            images=list(images), text=list(texts), padding=True, return_tensors="pt"
        )
        with judging(self.device):
            inputs = inputs.to(self.device)
            inputs["pixel_values"] = inputs["pixel_values"].to(self.model.dtype)
            out = self.model.generate(
                **inputs,
                max_new_tokens=1,
                do_sample=False,
                num_beams=1,
                output_logits=True,
                return_dict_in_generate=True,
            )
            found: list[float] = out.logits[0].float().softmax(-1)[:, self.yes].tolist()
        return found
