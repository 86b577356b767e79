"""What the study trains and how it draws: conditions, samplings and their order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from reference_models.presets import TrainingPreset
from reference_models.world.caption_noise import CLEAN, CaptionNoise

#: Guidance scale of every drawing that does not say another; steps are the network's own.
GUIDANCE = 3.0
#: Share of a cleaned training whose captions are clean, the last part.
CLEANED = 0.2
#: Lengths of a short training and of a long one, as shares of the others'.
SHORT, LONG = 0.25, 3.0
#: Pictures in the pool of a training.
POOL = 16_384
BATCH = 64


@dataclass(frozen=True, slots=True)
class Sampling:
    """How a trained network is drawn with.

    Attributes
    ----------
    name : str
    guidance_scale : float
    attention : float
        Strength of guidance by attention; 0 is none.
    """

    name: str = "plain"
    guidance_scale: float = GUIDANCE
    attention: float = 0.0


PLAIN = Sampling()
GUIDED = tuple(Sampling(f"guidance-{scale:g}", scale) for scale in (1.0, 2.0, 8.0))
ATTENDED = tuple(Sampling(f"attention-{s:g}", GUIDANCE, s) for s in (0.05, 0.1, 0.2))
_ATTENDED = (PLAIN, ATTENDED[1])


@dataclass(frozen=True, slots=True)
class Condition:
    """What a training is, apart from its seed.

    Attributes
    ----------
    name : str
    network : str
        ``unet``, ``dit``, ``tokens`` or ``masked``.
    text : str
        See ``text_encoders``.
    policy : str
        See ``policies``.
    noise : CaptionNoise
    cleaned : float
        Share of the training, the last, whose captions are clean.
    length : float
        Pictures seen, as a share of the other conditions'.
    samplings : tuple of Sampling
    pairs : bool
        Whether the grid ``pairs`` is drawn too.
    """

    name: str
    network: str = "unet"
    text: str = "contextual"
    policy: str = "natural"
    noise: CaptionNoise = CLEAN
    cleaned: float = 0.0
    length: float = 1.0
    samplings: tuple[Sampling, ...] = (PLAIN,)
    pairs: bool = False

    def preset(self, seed: int, images: int) -> TrainingPreset:
        """The training of a seed that sees ``images`` pictures, or its share of them."""
        codes = self.network in ("tokens", "masked")
        whole = TrainingPreset(
            network=self.network,
            target="codes" if codes else "velocity",
            policy=self.policy,
            text=self.text,
            noise=self.noise,
            images=max(1, round(images * self.length / BATCH)) * BATCH,
            batch=BATCH,
            seed=seed,
            guidance_scale=GUIDANCE,
        )
        if codes:
            whole = replace(whole, depth=4, steps=64 if self.network == "tokens" else 8)
        return whole


def _loose(percent: int) -> CaptionNoise:
    return CaptionNoise(loose=percent / 100)


_DOSE = (
    Condition("clean", samplings=_ATTENDED, pairs=True),
    Condition("loose-25", noise=_loose(25), samplings=(*_ATTENDED, *GUIDED)),
    Condition("loose-50", noise=_loose(50), samplings=(PLAIN, *GUIDED, *ATTENDED)),
    Condition("loose-10", noise=_loose(10)),
)
_TEXT = (
    Condition("bag", text="bag", samplings=_ATTENDED, pairs=True),
    Condition("clip-tokens", text="clip-tokens", pairs=True),
    Condition("clip-pooled", text="clip-pooled", pairs=True),
    Condition("static", text="static", pairs=True),
    Condition("shuffled", noise=CaptionNoise(shuffled=1.0), pairs=True),
    Condition("exchanged-25", noise=CaptionNoise(exchanged=0.25), pairs=True),
)
_REPAIR = (
    Condition("loose-50-cleaned", noise=_loose(50), cleaned=CLEANED),
    Condition("loose-25-cleaned", noise=_loose(25), cleaned=CLEANED),
)
_NETWORK = tuple(
    Condition(f"{network}-{name}", network=network, noise=noise)
    for network in ("dit", "tokens", "masked")
    for name, noise in (("clean", CLEAN), ("loose-25", _loose(25)))
)
_LENGTH = (
    Condition("clean-short", length=SHORT, pairs=True),
    Condition("loose-25-short", noise=_loose(25), length=SHORT),
    Condition("loose-25-long", noise=_loose(25), length=LONG),
    Condition("dit-clean-long", network="dit", length=LONG),
)
_COVERAGE = tuple(
    Condition(f"{kind}-{count}{'-short' * (length < 1)}", policy=f"{kind}-{count}", length=length)
    for length in (1.0, SHORT)
    for kind, count in (
        ("colours", 1),
        ("colours", 2),
        ("colours", 4),
        ("colours", 8),
        ("concentrated", 4),
        ("concentrated", 2),
    )
)
#: All conditions by name, the most telling first: what others are compared with, and what the first
#: making of the study had no time for.
CONDITIONS = {
    one.name: one
    for one in (
        *_DOSE[:2],
        *_NETWORK[:2],
        *_TEXT[:4],
        _DOSE[3],
        *(_COVERAGE[k] for k in (1, 3, 2)),
        *_NETWORK[2:],
        *_LENGTH[:2],
        *(_COVERAGE[k] for k in (0, 4)),
        _DOSE[2],
        _REPAIR[0],
        _LENGTH[3],
        *_TEXT[4:],
        _COVERAGE[5],
        _REPAIR[1],
        *_COVERAGE[6:],
        _LENGTH[2],
    )
}
#: Seeds of every condition, and more of those on which the sentences rest.
SEEDS, MORE_SEEDS = (1, 2, 3), (4, 5)
MORE_OF = ("clean", "loose-50", "loose-25", "loose-10", "bag", "clip-tokens", "loose-50-cleaned")


def trainings() -> Iterator[tuple[Condition, int]]:
    """All trainings; each condition has its first seeds before the next one begins."""
    for condition in CONDITIONS.values():
        for seed in SEEDS:
            yield condition, seed
    for name in MORE_OF:
        for seed in MORE_SEEDS:
            yield CONDITIONS[name], seed


def waves(
    due: Sequence[tuple[Condition, int]], together: int
) -> Iterator[list[tuple[Condition, int]]]:
    """Trainings that are made in one step, in their order: of one network, reader and length."""
    left = list(due)
    while left:
        alike = [one for one in left if _kind(*one) == _kind(*left[0])][:together]
        left = [one for one in left if one not in alike]
        yield alike


def _kind(condition: Condition, seed: int) -> tuple[object, ...]:
    return condition.network, condition.text, condition.length, seed in SEEDS
