"""The bundled CLIP as an open_clip model, for training and for testing without ``bench``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

FOLDER = Path(__file__).parent / "weights"
CONFIG = FOLDER / "bundled.json"


def build() -> tuple[Any, Any]:
    """A new model with random weights, and its tokenizer."""
    from open_clip.model import CLIP
    from open_clip.tokenizer import SimpleTokenizer

    config = json.loads(CONFIG.read_text(encoding="utf-8"))
    text = config["text_cfg"]
    tokenizer = SimpleTokenizer(
        bpe_path=str(FOLDER / text["tokenizer_kwargs"]["bpe_path"]),
        context_length=text["context_length"],
    )
    return CLIP(**config), tokenizer


def preprocess(image: Tensor) -> Tensor:
    """Images (N, 3, 64, 64) in [0, 1] as open_clip normalises them."""
    from open_clip.constants import OPENAI_DATASET_MEAN, OPENAI_DATASET_STD

    mean = torch.tensor(OPENAI_DATASET_MEAN).view(3, 1, 1)
    return (image - mean) / torch.tensor(OPENAI_DATASET_STD).view(3, 1, 1)


def patches_and_pooled(model: Any, batch: Tensor) -> tuple[Tensor, Tensor]:
    """Unit vectors of the whole images (N, D) and of their patches (N, h, w, D), float32."""
    visual = model.visual
    if hasattr(visual, "pooled_and_dense"):
        pooled, patches = visual.pooled_and_dense(batch)
        return F.normalize(pooled.float(), dim=-1), F.normalize(patches.float(), dim=-1)
    tokens = visual.transformer(visual._embeds(batch))
    tokens = F.normalize((visual.ln_post(tokens) @ visual.proj).float(), dim=-1)
    return tokens[:, 0], tokens[:, 1:].unflatten(1, visual.grid_size)
