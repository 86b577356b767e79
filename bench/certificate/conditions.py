"""What `bench validate` puts the scorers through, and which scenes belong to whom.

The known scenes are parted by seed. What a threshold was set on is never what is reported:

- seeds from `SET_SEED`: `bench.certificate.threshold_sweep`, on which thresholds are set;
- seeds from `CONTROL_SEED`: the control of every run;
- seeds from `REPORT_SEED`: `bench validate`, what is reported;
- seeds from `REFERENCE_SEED`: `bench.certificate.certified_pictures`, what pictures must be like
  for the certificate to speak of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bench.certificate.scenes import PLAIN, Answer, Conditions, known_batches

SET_SEED = 10_000
CONTROL_SEED = 20_000
REPORT_SEED = 30_000
REFERENCE_SEED = 40_000
#: Composed pictures are drawn in batches of this many.
_COMPOSED = 22


@dataclass(frozen=True, slots=True)
class Trial:
    """One kind of scenes.

    Attributes
    ----------
    conditions : Conditions or None
        Of the rendered world; None for another world.
    share : float
        Of the number of scenes asked for: large pictures are slow.
    photoreal : bool
        Path-traced scenes (`bench.certificate.photoreal`): a set that is never fitted on, the same
        scenes whatever the seed. Without it, and without conditions, icons composed over
        photographs, walls and plates.
    """

    conditions: Conditions | None = PLAIN
    share: float = 1.0
    photoreal: bool = False

    def count(self, scenes: int) -> int:
        """Return how many scenes of ``scenes`` this trial has; never fewer than one a verdict."""
        return max(10, round(self.share * scenes))

    @property
    def cost(self) -> float:
        """Time that a scene takes, relative to one of 64 px.

        Measured on two cores with the masks of ``cutout``, from 64 to 1024 px: it grows with the
        side a little faster than in proportion. Only the estimate of the time left reads it.
        """
        size = self.conditions.size if self.conditions is not None else 256
        return float((size / 64) ** 1.3)

    def batches(self, n: int, seed: int) -> Iterator[list[Answer]]:
        """Draw ``n`` scenes, a batch at a time."""
        if self.conditions is not None:
            yield from known_batches(n, seed, self.conditions)
            return
        if self.photoreal:
            from bench.certificate.photoreal import photoreal_batches

            yield from photoreal_batches(n)
            return
        from bench.certificate.composites import compose

        for start in range(0, n, _COMPOSED):
            yield compose(min(_COMPOSED, n - start), 1000 * seed + start)


TRIALS: dict[str, Trial] = {
    "plain, 64 px": Trial(),
    "dim and bright light": Trial(Conditions(light=(0.8, 1.1))),
    "colour cast": Trial(Conditions(cast=0.1)),
    "small subjects": Trial(Conditions(size=128, scale=(0.45, 0.7))),
    "clutter": Trial(Conditions(size=128, clutter=0.7)),
    "JPEG quality 75": Trial(Conditions(jpeg=75)),
    "JPEG quality 50, 256 px": Trial(Conditions(size=256, jpeg=50), 0.5),
    "256 px": Trial(Conditions(size=256), 0.5),
    "512 px": Trial(Conditions(size=512), 1 / 3),
    "1024 px": Trial(Conditions(size=1024), 1 / 6),
    "icons on photographs, 256 px": Trial(None, 0.5),
    "photoreal, 384 px": Trial(None, photoreal=True),
}
#: What `bench validate --quick` is satisfied with.
QUICK = (
    "plain, 64 px",
    "JPEG quality 75",
    "icons on photographs, 256 px",
    "photoreal, 384 px",
)
