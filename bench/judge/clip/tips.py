"""TIPSv2 in the place of a CLIP: patches that were trained to be aligned with text.

Cao et al. 2026, TIPSv2: image and text encoders whose patch tokens lie in the space of the text;
Apache-2.0, in transformers from 5.14 on. Colours and presence read its last patch tokens as they
are; there is no projection to take off.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from bench.errors import UsageError
from bench.judge.checkpoints import load_checkpoint
from bench.judge.clip.model import Clip
from bench.judge.clip.words import word_checker
from bench.judge.dtype import recorded_dtype
from bench.records import Fingerprint

if TYPE_CHECKING:
    import torch

DEFAULT = "google/tipsv2-b14"


class TipsTower:
    """The image tower, called as those of open_clip are."""

    def __init__(self, vision: Any) -> None:
        self._vision = vision
        config = vision.config
        self._prefix = 1 + int(config.num_register_tokens)
        self._patch = _side(config.patch_size)

    def __call__(self, batch: torch.Tensor) -> torch.Tensor:
        """Pooled features (B, D) of images (B, 3, S, S)."""
        return self.pooled_and_dense(batch)[0]

    def pooled_and_dense(self, batch: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Pooled (B, D) and dense features (B, h, w, D)."""
        out = self._vision(pixel_values=batch)
        height, width = (side // self._patch for side in batch.shape[-2:])
        patches = out.last_hidden_state[:, self._prefix :]
        return out.pooler_output, patches.reshape(len(batch), height, width, -1)


class TipsText:
    """The text tower, called as those of open_clip are."""

    def __init__(self, text: Any) -> None:
        self._text = text

    def encode_text(self, tokens: Any) -> torch.Tensor:
        """Features (T, D) of tokens."""
        return self._text(**tokens).pooler_output


def load_tips(spec: str, device: str) -> Clip:
    """Load ``tipsv2`` or ``tipsv2:MODEL``: a folder or a hub id, with ``@revision``.

    Raises
    ------
    UsageError
        A transformers without the class, or a model that cannot be had.
    """
    import transformers

    if not hasattr(transformers, "Tipsv2Model"):
        raise UsageError(
            f"--clip {spec} needs transformers 5.14 or later, here is {transformers.__version__}"
        )
    model = spec.partition(":")[2] or DEFAULT
    loaded = load_checkpoint(model, ("Tipsv2Model",), device, processor="AutoTokenizer")
    tokenizer, config = loaded.processor, loaded.model.config
    length = config.text_config.max_position_embeddings

    def tokens(texts: Sequence[str]) -> Any:
        return tokenizer(
            list(texts),
            padding="max_length",
            truncation=True,
            max_length=length,
            return_tensors="pt",
            return_token_type_ids=False,
        )

    size = _side(config.vision_config.image_size)
    tower = TipsTower(loaded.model.vision_model)
    return Clip(
        name=f"tipsv2:{loaded.name}",
        model=TipsText(loaded.model.text_model),
        tokenizer=tokens,
        size=size,
        # Values in [0, 1] are what it was trained on.
        mean=(0.0, 0.0, 0.0),
        std=(1.0, 1.0, 1.0),
        device=device,
        tower=tower,
        pooled_tower=tower,
        dtype="float32",
        dense_from="tokens",
        scale=float(1.0 / loaded.model.temperature),
        calibration={},
        fingerprint=Fingerprint(
            kind="clip",
            name=f"tipsv2:{loaded.name}",
            options={"dense": "tokens", "size": size},
            weights=loaded.weights,
            versions={
                **{package: version(package) for package in ("transformers", "torch")},
                "image_tower": recorded_dtype("float32", device),
            },
        ),
        unknown_words=word_checker(tokens),
    )


def _side(value: Any) -> int:
    return int(value if isinstance(value, int) else value[0])
