"""What a teacher did on its way from noise to pictures: what a few-step student learns from."""

from __future__ import annotations

import torch
from torch import Tensor

from reference_models.dit import DiT
from reference_models.presets import TrainingPreset
from reference_models.sampling import Settings, encoded, path_times, walk
from reference_models.unet import UNet
from reference_models.world.captions import token_ids
from reference_models.world.scene import NATURAL, Mixture, sample_scenes
from reference_models.world.statistics import colour_given_subject


def every_pair_alike() -> Tensor:
    """Colours given the subject, float32 (subjects, 11): all that were taught equally often."""
    taught = (colour_given_subject() > 0).float()
    return taught / taught.sum(1, keepdim=True)


class Trajectories:
    """States of a guided teacher at the times of a student's steps, refreshed all the time.

    Captions are drawn as those of the training pictures, but every pair that was taught comes
    equally often. Pairs that were held out stay held out.

    Parameters
    ----------
    teacher : UNet or DiT
        In the precision that it is to be run in.
    preset : TrainingPreset
    settings : Settings
        How the teacher is sampled; its steps are a multiple of ``keep``.
    generator : torch.Generator
    keep : int
        Steps of the student.
    size, block : int
        Trajectories held, and drawn at a time.
    reuse : float
        Mean number of uses of each of the ``keep`` pairs of a trajectory.
    """

    def __init__(
        self,
        teacher: UNet | DiT,
        preset: TrainingPreset,
        settings: Settings,
        generator: torch.Generator,
        keep: int = 4,
        size: int = 8192,
        block: int = 128,
        reuse: float = 3.0,
        mixture: Mixture = NATURAL,
    ) -> None:
        if settings.steps % keep:
            raise ValueError(
                f"a teacher of {settings.steps} steps has no states at {keep} even steps"
            )
        self.teacher, self.preset, self.settings = teacher, preset, settings
        self.generator, self.stride = generator, settings.steps // keep
        self.ends = torch.tensor(path_times(preset, settings)[:: self.stride])
        self.keep, self.size, self.block, self.reuse = keep, size, block, reuse
        self.mixture, self.table = mixture, every_pair_alike()
        self.states = torch.empty(0, keep + 1, 3, teacher.side, teacher.side, dtype=torch.float16)
        self.ids = torch.empty(0, 0, dtype=torch.int64)
        self._next, self._due = 0, 0.0
        for _ in range(max(1, min(size, 1024) // block)):
            self._refresh()

    def _refresh(self) -> None:
        scenes = sample_scenes(self.block, self.generator, self.mixture, self.table)
        ids = token_ids(scenes)
        side = self.teacher.side
        noise = torch.randn(self.block, 3, side, side, generator=self.generator)
        states = rollout(self.teacher, ids, noise, self.preset, self.settings)
        drawn = torch.stack(states[:: self.stride], 1).half()
        if len(self.states) < self.size:
            self.states = torch.cat((self.states, drawn))
            self.ids = torch.cat((self.ids, ids)) if len(self.ids) else ids
            return
        place = slice(self._next, self._next + self.block)
        self.states[place], self.ids[place] = drawn, ids
        self._next = (self._next + self.block) % self.size

    def batch(self, n: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """States (n, 3, H, W), times (n,), token ids (n, L) and mean velocities of the step."""
        self._due += n / (self.keep * self.reuse)
        while self._due >= self.block:
            self._due -= self.block
            self._refresh()
        rows = torch.randint(len(self.states), (n,), generator=self.generator)
        step = torch.randint(self.keep, (n,), generator=self.generator)
        now, then = self.states[rows, step].float(), self.states[rows, step + 1].float()
        span = (self.ends[step + 1] - self.ends[step]).view(-1, 1, 1, 1)
        return now, self.ends[step], self.ids[rows], (then - now) / span


@torch.inference_mode()
def rollout(
    teacher: UNet | DiT, ids: Tensor, noise: Tensor, preset: TrainingPreset, settings: Settings
) -> list[Tensor]:
    """States at the beginning and after every step, each float32 (N, 3, H, W)."""
    dtype = next(teacher.parameters()).dtype
    prompt = encoded(teacher.encode, ids, settings.guidance_scale)
    return [noise, *(x for *_, x in walk(teacher, prompt, noise, preset, settings, dtype=dtype))]
