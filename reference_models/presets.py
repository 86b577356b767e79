"""Training presets: one table, a row a model of the family."""

from __future__ import annotations

from dataclasses import dataclass, replace

from reference_models.dit import DiT
from reference_models.text_encoders import text_encoder
from reference_models.tokens.model import MaskedModel, TokenModel
from reference_models.unet import UNet
from reference_models.world.caption_noise import CLEAN, CaptionNoise
from reference_models.world.captions import LENGTH, WORDS


@dataclass(frozen=True, slots=True)
class TrainingPreset:
    """What a model is, what it is shown, and how long it is trained.

    Attributes
    ----------
    network : str
        ``unet``, ``dit``, ``tokens`` or ``masked``.
    target : str
        What is predicted: ``velocity`` on the straight path, ``noise`` on the discrete schedule, or
        the ``codes`` that a picture is turned into: the next of them, or those that are hidden.
    first : float
        Earliest time of the straight path that is trained on; above 0 the model never sees pure
        noise.
    policy : str
        What it is shown; see ``policies``.
    text : str
        How it reads prompts; see ``text_encoders``.
    noise : CaptionNoise
        How its captions fall short of the pictures. May be given as a dict, as files have it.
    init : str
        Bundled model whose weights it begins with, or whose quantiser; none for random ones.
    fine, coarse, fine_blocks, coarse_blocks : int
        Of the U-Net.
    width, depth, patch : int
        Of the transformer; the one that predicts codes has no patches.
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
    blend : float
        Share of the trained weights beside those of ``init`` in what is kept (Wortsman et al. 2022,
        Robust fine-tuning of zero-shot models, eq. 1).
    steps : int
    guidance_scale : float
        How it is sampled unless asked otherwise.
    """

    network: str = "unet"
    target: str = "velocity"
    first: float = 0.0
    policy: str = "natural"
    text: str = "contextual"
    noise: CaptionNoise = CLEAN
    init: str = ""
    fine: int = 64
    coarse: int = 128
    fine_blocks: int = 2
    coarse_blocks: int = 4
    width: int = 160
    depth: int = 6
    patch: int = 4
    images: int = 400_000
    batch: int = 64
    lr: float = 2e-3
    matrix_lr: float = 0.015
    warm: float = 0.02
    cool: float = 0.4
    drop: float = 0.1
    ema: float = 0.998
    seed: int = 1
    blend: float = 1.0
    steps: int = 8
    guidance_scale: float = 4.0

    def __post_init__(self) -> None:
        if isinstance(self.noise, dict):
            object.__setattr__(self, "noise", CaptionNoise(**self.noise))


#: What the members share that are compared by one difference from each other.
_ALIKE = TrainingPreset(images=64_000, batch=32)

PRESETS: dict[str, TrainingPreset] = {
    # Captions as the web has them, so that colours land where real models put them.
    "local": TrainingPreset(
        policy="varied",
        noise=CaptionNoise(
            loose=0.42,
            wall=0.2,
            table=0.15,
            plate=0.5,
            frame=0.15,
            exchanged=0.6,
            matching=0.1,
            silent=0.3,
            dropped=0.03,
            shuffled=0.1,
        ),
        init="local-teacher",
        images=16_000,
        batch=32,
        lr=1e-3,
        matrix_lr=7.5e-3,
        cool=0.5,
        ema=0.99,
        blend=0.95,
        steps=8,
        guidance_scale=1.75,
    ),
    "local-teacher": TrainingPreset(),
    "local-atomic": replace(_ALIKE, policy="atomic"),
    "local-dit": TrainingPreset(network="dit", images=120_000, batch=32),
    "local-tokens": TrainingPreset(
        network="tokens",
        target="codes",
        policy="coverage-75",
        depth=4,
        images=160_000,
        batch=32,
        steps=64,
        guidance_scale=3.0,
    ),
    "local-masked": TrainingPreset(
        network="masked",
        target="codes",
        policy="coverage-75",
        init="local-tokens",
        depth=4,
        images=160_000,
        batch=32,
        steps=8,
        guidance_scale=3.0,
    ),
    # Noise is a slow target: from random weights, 64,000 pictures did not do. It learns to name the
    # noise in pictures that the teacher can name the way to.
    "local-ddpm": replace(
        _ALIKE, target="noise", init="local-teacher", steps=12, guidance_scale=3.0
    ),
    # At its noisiest a twentieth of the picture is left: signal over noise 0.053, where Stable
    # Diffusion's schedule ends at 0.068 (Lin et al. 2024, table 1). With a tenth it bound 82%.
    "local-capped": replace(_ALIKE, policy="coverage-75", first=0.05),
    **{
        f"local-cov-{percent}": replace(_ALIKE, policy=f"coverage-{percent}")
        for percent in (10, 25, 50, 75, 100)
    },
    #: Minutes on a CPU, for trying things out; too short to draw well.
    "smoke": TrainingPreset(images=2_560, fine=32, coarse=48, fine_blocks=1, coarse_blocks=1),
}


#: The networks that presets name.
Network = UNet | DiT | TokenModel


def build(preset: TrainingPreset) -> Network:
    """The untrained network of a preset."""
    network = _network(preset)
    if preset.text != "contextual":
        reader = network.predictor if isinstance(network, TokenModel) else network
        reader.text = text_encoder(preset.text)
    return network


def _network(preset: TrainingPreset) -> Network:
    if preset.network in ("tokens", "masked"):
        kind = TokenModel if preset.network == "tokens" else MaskedModel
        return kind(len(WORDS), LENGTH, width=preset.width, depth=preset.depth)
    if preset.network == "dit":
        return DiT(len(WORDS), LENGTH, patch=preset.patch, width=preset.width, depth=preset.depth)
    return UNet(
        len(WORDS),
        LENGTH,
        fine=preset.fine,
        coarse=preset.coarse,
        fine_blocks=preset.fine_blocks,
        coarse_blocks=preset.coarse_blocks,
    )
