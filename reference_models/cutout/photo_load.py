"""The bundled network over photographs, ready to use."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import torch
from torch import Tensor, nn

from reference_models.cutout.backbone import WIDTHS, Backbone
from reference_models.cutout.fused import fused
from reference_models.cutout.photo_decoder import (
    DECODER_WIDTHS,
    SIDE,
    PhotoDecoder,
    folded,
    widths_of,
    with_all_names,
)
from reference_models.errors import ModelError
from reference_models.weights import fill, read_weights

PATH = Path(__file__).parent / "weights" / "photo.safetensors"


#: Logits of kinds, of names and of ImageNet's classes, and what `PhotoDecoder.query` needs.
Prediction = tuple[Tensor, Tensor, Tensor, tuple[Tensor, Tensor]]


class Photo(nn.Module):
    """The backbone and the decoder on it."""

    def __init__(self, widths: tuple[int, int, int] = DECODER_WIDTHS) -> None:
        super().__init__()
        self.backbone, self.decoder = Backbone(), folded(PhotoDecoder(widths))
        self.drawn = nn.Linear(sum(WIDTHS), 1)

    def features(self, x: Tensor) -> tuple[list[Tensor], Tensor]:
        """Features of images (N, 3, H, W) in [-1, 1], sides multiples of 32; and a logit (N,).

        The logit says whether the picture is like those of the rendered world.
        """
        features = self.backbone(x)
        mean = torch.cat([f.float().mean((2, 3)) for f in features], 1)
        return features, self.drawn(mean)[:, 0]

    def predict(self, features: list[Tensor]) -> Prediction:
        """Logits of kinds, names and ImageNet's classes, and what `PhotoDecoder.query` needs."""
        kinds, names, seen = self.decoder(features)
        return kinds, names, self.backbone.evidence(features[-1]), seen


def read_photo(path: Path = PATH) -> Photo:
    """The network as it is stored, in float32 on the CPU: to train on, or to make `load_photo`."""
    stored, _ = read_weights(path)
    # The decoder's tensors have another prefix in files written before it was called so.
    tensors = {name.replace("seer.", "decoder.", 1): value for name, value in stored.items()}
    prefix = "decoder."
    decoder = {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}
    try:
        tensors |= {f"{prefix}{n}": t for n, t in with_all_names(decoder).items()}
        model = Photo(widths_of(decoder))
    except KeyError as error:
        raise ModelError(f"weight file {path} is of another model: it lacks {error}") from error
    fill(model, tensors, "", path)
    return model.eval().requires_grad_(False)


@lru_cache(maxsize=4)
def load_photo(path: Path = PATH, dtype: str = "float32", device: str = "cpu") -> Photo:
    """The network in channels-last memory, its convolutions fused; for prediction alone."""
    model = read_photo(path)
    model.to(device, getattr(torch, dtype))
    model.drawn.float()
    model.to(memory_format=torch.channels_last)
    return fused(model, _trial_pass)


def _trial_pass(model: Photo) -> None:
    """One pass over a picture of the usual size."""
    dtype = model.backbone.classes.weight.dtype
    x = torch.zeros(1, 3, SIDE, SIDE, dtype=dtype).to(memory_format=torch.channels_last)
    kinds, _, _, seen = model.predict(model.features(x)[0])
    seed = x[:, :1, ::8, ::8]
    model.decoder.query(seen, kinds, seed, seed)
