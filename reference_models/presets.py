"""Training presets: one table, a row a model of the family."""

from __future__ import annotations

from dataclasses import dataclass

from reference_models.unet import UNet
from reference_models.world.captions import LENGTH, WORDS


@dataclass(frozen=True, slots=True)
class Preset:
    """What a model is and how long it is trained.

    Attributes
    ----------
    fine, coarse, fine_blocks, coarse_blocks : int
        Of the U-Net.
    images : int
        Training pictures seen.
    batch : int
    lr, matrix_lr : float
        Peak learning rates of Adam and of Muon.
    warm, cool : float
        Shares of the training in which the rate rises, and in which it falls to zero.
    drop : float
        Share of captions replaced by nothing, for guidance.
    seed : int
    """

    fine: int = 64
    coarse: int = 128
    fine_blocks: int = 2
    coarse_blocks: int = 4
    images: int = 400_000
    batch: int = 64
    lr: float = 2e-3
    matrix_lr: float = 0.015
    warm: float = 0.02
    cool: float = 0.4
    drop: float = 0.1
    ema: float = 0.998
    seed: int = 1


PRESETS: dict[str, Preset] = {
    "local": Preset(),
    #: Minutes on a CPU, for trying things out; too short to draw well.
    "smoke": Preset(images=2_560, fine=32, coarse=48, fine_blocks=1, coarse_blocks=1),
}


def build(preset: Preset) -> UNet:
    """The untrained network of a preset."""
    return UNet(
        len(WORDS),
        LENGTH,
        fine=preset.fine,
        coarse=preset.coarse,
        fine_blocks=preset.fine_blocks,
        coarse_blocks=preset.coarse_blocks,
    )
