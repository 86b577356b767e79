"""A vision-language model of transformers on this machine, asked for the probability of a yes."""

from __future__ import annotations

import inspect
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.errors import UsageError
from bench.judge.checkpoints import LoadedModel, load_checkpoint
from bench.judge.device import judging
from bench.judge.dtype import exact_dtype, recorded_dtype
from bench.judge.vqa.questions import INSTRUCTION, LEAST_ANSWERED, NO, YES
from bench.records import Fingerprint

if TYPE_CHECKING:
    import torch

#: Apache-2.0; GenEval 2's own judge is the 8B of the same family.
DEFAULT = "Qwen/Qwen3-VL-2B-Instruct"
#: Questions in one pass.
BATCH = 8


def vlm_fingerprint(loaded: LoadedModel, dtype: str, device: str) -> Fingerprint:
    """What answers: the model, its weights, and what it is computed with."""
    from importlib.metadata import version

    return Fingerprint(
        kind="vlm",
        name=loaded.name,
        weights=loaded.weights,
        versions={
            **{package: version(package) for package in ("transformers", "torch")},
            "vlm": recorded_dtype(dtype, device),
        },
    )


class LocalVlm:
    """A model that `AutoModelForImageTextToText` loads.

    Parameters
    ----------
    model : str
        Folder, hub id, or hub id with ``@revision``.
    device : str

    Raises
    ------
    UsageError
        A model that cannot be had, has no chat template, or no single token for yes.
    """

    def __init__(self, model: str = DEFAULT, device: str = "cpu") -> None:
        dtype = exact_dtype()
        loaded = load_checkpoint(model, (), device, dtype, auto="AutoModelForImageTextToText")
        self.model, self.processor = loaded.model, loaded.processor
        self.device = device
        tokenizer = getattr(self.processor, "tokenizer", None)
        template = getattr(self.processor, "chat_template", None)
        if tokenizer is None or not (template or getattr(tokenizer, "chat_template", None)):
            raise UsageError(
                f"the model {model} has no chat template; expected an instruction-tuned "
                f"vision-language model such as {DEFAULT}"
            )
        self.options = _template_options(self.processor, str(template or tokenizer.chat_template))
        # Nothing is drawn by chance: without these there is no advice on it at every question.
        for name in ("temperature", "top_p", "top_k", "min_p"):
            setattr(self.model.generation_config, name, None)
        # The answer begins where the question ends: what is shorter is filled up before it.
        tokenizer.padding_side = "left"
        self.yes, self.no = (_single_tokens(tokenizer, words) for words in (YES, NO))
        if not self.yes or not self.no:
            raise UsageError(
                f"the tokenizer of {model} has no single token for yes or for no; use another model"
            )
        self.fingerprint = vlm_fingerprint(loaded, dtype, device)

    def chances(
        self, images: Sequence[np.ndarray], texts: Sequence[str]
    ) -> list[tuple[float, str]]:
        """Probability of a yes to each question on its picture, or NaN and the reason.

        Parameters
        ----------
        images : sequence of ndarray, uint8, (H, W, 3)
            One a question.
        texts : sequence of str
        """
        found: list[tuple[float, str]] = []
        for start in range(0, len(texts), BATCH):
            part = slice(start, start + BATCH)
            found += self._batch(images[part], texts[part])
        return found

    def _batch(self, images: Sequence[np.ndarray], texts: Sequence[str]) -> list[tuple[float, str]]:
        from PIL import Image

        talks = [
            [
                {
                    "role": "user",
                    "content": [
                        {"type": "image", "image": Image.fromarray(image)},
                        {"type": "text", "text": f"{text} {INSTRUCTION}"},
                    ],
                }
            ]
            for image, text in zip(images, texts, strict=True)
        ]
        inputs = self.processor.apply_chat_template(
            talks,
            add_generation_prompt=True,
            tokenize=True,
            return_dict=True,
            return_tensors="pt",
            **self.options,
        )
        with judging(self.device):
            # `generate` knows how each family counts positions beside filled-up places.
            out = self.model.generate(
                **inputs.to(self.device, self.model.dtype),
                max_new_tokens=1,
                do_sample=False,
                output_logits=True,
                return_dict_in_generate=True,
            )
            chances = out.logits[0].float().softmax(-1).cpu()
        return [self._answer(row) for row in chances]

    def _answer(self, row: torch.Tensor) -> tuple[float, str]:
        yes, no = (float(row[list(ids)].sum()) for ids in (self.yes, self.no))
        return answered(yes, no)


def answered(yes: float, no: float) -> tuple[float, str]:
    """Return the probability of a yes, or NaN and the reason where the model does not answer."""
    if yes + no < LEAST_ANSWERED:
        return math.nan, f"the model answers neither yes nor no ({yes + no:.1%} of its first token)"
    return yes, ""


def _template_options(processor: Any, template: str) -> dict[str, Any]:
    """Options of the chat template: filled up to one length, and no thoughts before the answer."""
    known = inspect.signature(processor.apply_chat_template).parameters
    # Transformers before 5 has no place of its own for what the processor is given.
    own: dict[str, Any] = {"padding": True}
    options: dict[str, Any] = {"processor_kwargs": own} if "processor_kwargs" in known else own
    if "enable_thinking" in template:
        options["enable_thinking"] = False
    return options


def _single_tokens(tokenizer: Any, words: Sequence[str]) -> tuple[int, ...]:
    coded = (tokenizer.encode(word, add_special_tokens=False) for word in words)
    single = (ids[0] for ids in coded if len(ids) == 1)
    return tuple(dict.fromkeys(one for one in single if one != tokenizer.unk_token_id))
