"""What the study consists of: runs of the suite, and the trainings that they need."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from prompts.colours import COLOUR_NAMES
from prompts.subjects import SUBJECT_LIST
from reference_models.presets import PRESETS

#: Members that the study asks for.
MEMBERS = tuple(name for name in PRESETS if name.startswith("local-"))
#: Members by the share of the pairs that they were taught, least first.
COVERAGE = tuple(name for name in MEMBERS if name.startswith("local-cov-"))
#: Pairs of a colour and a subject that there are.
PAIRS = len(COLOUR_NAMES) * len(SUBJECT_LIST)
GUIDANCE = (1.0, 2.0, 3.0, 4.0, 6.0, 8.0)
STEPS = (2, 4, 8, 16)
#: Members that the conclusions compare, and the seeds that each is trained with.
COMPARED = ("local-atomic", "local-cov-100")
SEEDS = (1, 2, 3)
#: Members whose way from noise to picture is followed.
FOLLOWED = (
    "local-teacher",
    "local-atomic",
    "local-cov-100",
    "local-cov-75",
    "local-capped",
    "local-ddpm",
    "local-dit",
    "local",
)
#: Members whose lightness is measured against that of rendered scenes.
TONED = ("local-cov-75", "local-capped")
#: Every prompt of the grid once: what an interval owes to the images of a prompt is little beside
#: what it owes to the prompts.
_WHOLE = ("--preset", "default", "--seeds", "1")
_SMALL = ("--preset", "quick")


@dataclass(frozen=True, slots=True)
class Experiment:
    """One run of the suite.

    Attributes
    ----------
    name : str
        Of the run, ``KIND-WHAT``.
    model : str
        Of the family, as ``--model`` takes it without a seed.
    options : tuple of str
        Of ``bench run`` beside the model.
    seed : int or None
        Of another training than the member's own.
    """

    name: str
    model: str
    options: tuple[str, ...] = ()
    seed: int | None = None

    @property
    def member(self) -> str:
        """Name of the preset whose weights are drawn with."""
        return self.model.removesuffix("-ancestral")

    @property
    def argument(self) -> str:
        """The model as ``bench run --model`` takes it."""
        return self.model if self.seed is None else f"{self.model}-seed{self.seed}"


def experiments() -> list[Experiment]:
    """All runs of the study, the most telling first."""
    names = ("local", *MEMBERS, "local-ddpm-ancestral", "local-sd")
    members = [Experiment(f"member-{name}", name, _WHOLE) for name in names]
    seeds = [
        Experiment(f"member-{name}-seed{seed}", name, _WHOLE, seed)
        for name in COMPARED
        for seed in SEEDS
        if seed != PRESETS[name].seed
    ]
    teacher = "local-teacher"
    sweeps = [
        Experiment(f"guidance-{scale:g}", teacher, (*_SMALL, "--guidance-scale", f"{scale:g}"))
        for scale in GUIDANCE
    ]
    sweeps += [
        Experiment(f"steps-{steps}", teacher, (*_SMALL, "--steps", str(steps))) for steps in STEPS
    ]
    frames = [
        Experiment(f"frames-{name}", name, (*_SMALL, "--trajectory"))
        for name in FOLLOWED
        if name in names
    ]
    return [*members, *seeds, *sweeps, *frames]


def trainings(planned: Iterable[Experiment]) -> list[tuple[str, int | None]]:
    """Members and seeds that the runs need, each once."""
    return list(dict.fromkeys((one.member, one.seed) for one in planned))
