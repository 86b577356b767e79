"""Training pictures: a pool of rendered scenes that is refreshed all the time."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from prompts.colours import COLOUR_NAMES
from prompts.manifest import TrainingManifest
from prompts.subjects import SUBJECT_NAMES
from reference_models.policies import Policy, policy
from reference_models.world.caption_noise import CLEAN, CaptionNoise, misdescribed, noisy_ids
from reference_models.world.captions import token_ids
from reference_models.world.render import render
from reference_models.world.scene import Scenes, sample_scenes, with_natural_bare_names


def training_scenes(n: int, generator: torch.Generator, shown: Policy | None = None) -> Scenes:
    """Scenes of a policy, natural by default: bare names mostly stand for canonical colours."""
    shown = shown or policy("natural")
    scenes = sample_scenes(n, generator, shown.mixture, shown.table)
    return with_natural_bare_names(scenes, generator, shown.bare)


def caption_counts(scenes: Scenes) -> TrainingManifest:
    """Counts of what the captions of scenes say."""
    rows = zip(
        scenes.subject.tolist(), scenes.term.tolist(), scenes.says_colour.tolist(), strict=True
    )
    return TrainingManifest.from_bindings(
        [
            (COLOUR_NAMES[term] if named else None, SUBJECT_NAMES[subject])
            for subject, term, named in zip(*row, strict=True)
            if subject >= 0
        ]
        for row in rows
    )


class ScenePool:
    """A few thousand scenes in memory, of which a block is replaced every few batches.

    Each scene is used about ``reuse`` times with other noise, so that drawing costs little
    beside training. ``seen`` counts what its captions said, before words are dropped or shuffled.

    Parameters
    ----------
    generator : torch.Generator
    shown : Policy, optional
        Natural by default.
    side : int
        Pixels of the pictures given out; scenes are drawn at 64 and averaged down.
    size, block : int
        Scenes in the pool, and drawn at a time.
    reuse : float
    seen : TrainingManifest, optional
        What earlier captions said, where a training goes on.
    noise : CaptionNoise
        Of the captions; clean by default.
    """

    def __init__(
        self,
        generator: torch.Generator,
        shown: Policy | None = None,
        side: int = 32,
        size: int = 4096,
        block: int = 512,
        reuse: float = 2.0,
        seen: TrainingManifest | None = None,
        noise: CaptionNoise = CLEAN,
    ) -> None:
        self.generator, self.shown, self.noise = generator, shown or policy("natural"), noise
        self.side, self.block, self.reuse = side, block, reuse
        self.seen = seen or TrainingManifest()
        self._due = 0.0
        self._next = 0
        blocks = [self._draw() for _ in range(size // block)]
        self.pictures = torch.cat([b[0] for b in blocks])
        self.ids = torch.cat([b[1] for b in blocks])

    def _draw(self) -> tuple[Tensor, Tensor]:
        scenes = training_scenes(self.block, self.generator, self.shown)
        scenes, described = misdescribed(
            scenes, self.noise, self.shown.table, self.shown.bare, self.generator
        )
        image = F.adaptive_avg_pool2d(render(scenes).image, self.side)
        self.seen += caption_counts(described)
        ids = noisy_ids(token_ids(described), self.noise, self.generator)
        return (image * 255).round().to(torch.uint8), ids

    def batch(self, n: int) -> tuple[Tensor, Tensor]:
        """Pictures float32 (n, 3, side, side) in [-1, 1] and token ids int64 (n, LENGTH)."""
        rows = self.rows(n)
        return self.pictures[rows].float() / 127.5 - 1, self.ids[rows]

    def rows(self, n: int) -> Tensor:
        """Rows of the pool for the next n pictures, after what is due has been replaced."""
        self._due += n / self.reuse
        if self._due >= self.block:
            self._due -= self.block
            place = slice(self._next, self._next + self.block)
            self.pictures[place], self.ids[place] = self._draw()
            self._next = (self._next + self.block) % len(self.pictures)
        return torch.randint(len(self.pictures), (n,), generator=self.generator)
