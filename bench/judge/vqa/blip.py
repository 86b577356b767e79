"""BLIP's model for visual question answering, asked as T2I-CompBench asks it.

The question is the noun phrase with a question mark, ``a blue potato?``; the answer is the
probability of *yes* against *no* as the first token of the answer, and T2I-CompBench's number for a
picture is the product over its noun phrases (Huang et al. 2023, arXiv 2307.06350, disentangled
BLIP-VQA; ``BLIPvqa_eval/models/blip_vqa.py``, ``vqa_prob``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from bench.errors import UsageError
from bench.judge.checkpoints import load_checkpoint
from bench.judge.device import judging
from bench.judge.dtype import exact_dtype
from bench.judge.vqa.local import BATCH, vlm_fingerprint

if TYPE_CHECKING:
    import torch

#: T2I-CompBench's ``model_base_vqa_capfilt_large``, as transformers has it.
DEFAULT = "Salesforce/blip-vqa-capfilt-large"


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
        A model that cannot be had, or has no token for yes or no.
    """

    def __init__(self, model: str = DEFAULT, device: str = "cpu") -> None:
        dtype = exact_dtype()
        loaded = load_checkpoint(model, ("BlipForQuestionAnswering",), device, dtype)
        self.model, self.processor, self.device = loaded.model, loaded.processor, device
        tokenizer = self.processor.tokenizer
        self.yes, self.no = tokenizer.convert_tokens_to_ids(["yes", "no"])
        if {self.yes, self.no} & {None, tokenizer.unk_token_id}:
            raise UsageError(
                f"the tokenizer of {model} has no token for yes or for no; use another model"
            )
        self.fingerprint = vlm_fingerprint(loaded, dtype, device)

    def chances(
        self, images: Sequence[np.ndarray], texts: Sequence[str]
    ) -> list[tuple[float, str]]:
        """Probability of yes against no to each text on its picture, uint8 (H, W, 3)."""
        # Questions of one length together: what fills a shorter one up would be attended to, as
        # transformers (5.23) does not hand the mask on to the attention between its towers.
        coded = [self.processor.tokenizer(text)["input_ids"] for text in texts]
        groups: dict[int, list[int]] = {}
        for number, ids in enumerate(coded):
            groups.setdefault(len(ids), []).append(number)
        found: dict[int, float] = {}
        for numbers in groups.values():
            for start in range(0, len(numbers), BATCH):
                part = numbers[start : start + BATCH]
                values = self._batch([images[n] for n in part], [coded[n] for n in part])
                found.update(zip(part, values, strict=True))
        return [(found[number], "") for number in range(len(texts))]

    def _batch(self, images: Sequence[np.ndarray], coded: Sequence[list[int]]) -> list[float]:
        import torch

        distinct = {id(image): image for image in images}
        place = {key: number for number, key in enumerate(distinct)}
        pixels = self.processor.image_processor(list(distinct.values()), return_tensors="pt")
        ids = torch.tensor(coded)
        # The question begins with BLIP's own token, [ENC], the second of the two that its
        # vocabulary has beyond the tokenizer's.
        size = self.model.config.text_config.vocab_size
        if size == len(self.processor.tokenizer) + 2:
            ids[:, 0] = size - 1
        with judging(self.device):
            seen = self.model.vision_model(
                pixel_values=pixels["pixel_values"].to(self.device, self.model.dtype)
            ).last_hidden_state
            rows = [place[id(image)] for image in images]
            logits = self._first_token(seen[rows], ids.to(self.device))
            chances = logits[:, [self.yes, self.no]].float().softmax(-1)
            found: list[float] = chances[:, 0].tolist()
        return found

    def _first_token(self, seen: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
        """Logits (B, V) of the first token of the answer."""
        asked = self.model.text_encoder(
            input_ids=ids, attention_mask=ids.new_ones(ids.shape), encoder_hidden_states=seen
        ).last_hidden_state
        logits: torch.Tensor = self.model.text_decoder(
            input_ids=ids.new_full((len(ids), 1), self.model.decoder_start_token_id),
            encoder_hidden_states=asked,
        ).logits
        return logits[:, 0]
