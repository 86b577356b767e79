"""The bundled network over photographs, ready to use."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import torch
from torch import Tensor, nn

from reference_models.cutout.backbone import WIDTHS, Backbone
from reference_models.cutout.fused import fused, same_alone
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

#: Pictures in one pass on a CPU: more do not fit its cache, fewer wait for each operation's start.
TOGETHER = 4
PATH = Path(__file__).parent / "weights" / "photo.safetensors"


#: Logits of kinds, of names and of ImageNet's classes, and what `PhotoDecoder.query` needs.
Prediction = tuple[Tensor, Tensor, Tensor, tuple[Tensor, Tensor]]


class Photo(nn.Module):
    """The backbone and the decoder on it.

    Attributes
    ----------
    same_alone : bool
        Whether it is known that a picture gets alone what it gets in any batch.
    """

    same_alone = False

    def __init__(self, widths: tuple[int, int, int] = DECODER_WIDTHS) -> None:
        super().__init__()
        self.backbone, self.decoder = Backbone(), folded(PhotoDecoder(widths))
        self.drawn = nn.Linear(sum(WIDTHS), 1)

    def features(self, x: Tensor) -> tuple[list[Tensor], Tensor, Tensor]:
        """Features of images (N, 3, H, W) in [-1, 1], sides multiples of 32; a logit (N,); means.

        The logit says whether the picture is like those of the rendered world; the means of all
        features over a picture are (N, 496), float32.
        """
        features = self.backbone(x)
        mean = torch.cat([f.mean((2, 3), dtype=torch.float32) for f in features], 1)
        # Not as a product of matrices, whose rounding would depend on the batch.
        return features, (mean * self.drawn.weight).sum(1) + self.drawn.bias, mean

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
    x = torch.rand(TOGETHER, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    x = (x.to(device, getattr(torch, dtype)) * 2 - 1).to(memory_format=torch.channels_last)
    model = fused(model, lambda network: whole_pass(network, x))
    model.same_alone = same_alone(lambda batch: whole_pass(model, batch), x)
    return model


def whole_pass(model: Photo, x: Tensor) -> list[Tensor]:
    """All that the network gives for images, each with a seed of its own."""
    features, drawn, _ = model.features(x)
    kinds, names, classes, seen = model.predict(features)
    seed = x[:, :1, ::8, ::8].clamp(0, 1)
    mask = model.decoder.query(seen, kinds, seed, 1 - seed)
    return [*features, drawn, kinds, names, classes, mask]
