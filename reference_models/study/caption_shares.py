"""How loose the captions of a condition are, pair by pair: what a model that repeats them leaks."""

from __future__ import annotations

from functools import cache

import torch

from prompts.colours import COLOUR_NAMES
from prompts.subjects import SUBJECT_NAMES
from reference_models.data import training_scenes
from reference_models.policies import policy
from reference_models.world.caption_noise import CaptionNoise, misdescribed

#: Scenes that are drawn for it.
SCENES = 100_000


@cache
def loose_share(noise: CaptionNoise, scenes: int = SCENES) -> float:
    """Share of loose captions among those of one subject that say its colour, a mean over pairs.

    Pairs count alike, as in the grids, whatever the number of their captions; those that no
    caption says are left out. A caption is loose where the subject has another colour than it says.

    Parameters
    ----------
    noise : CaptionNoise
    scenes : int
        Of the natural statistics.
    """
    shown = policy("natural")
    drawn = training_scenes(scenes, torch.Generator().manual_seed(0), shown)
    faults = torch.Generator().manual_seed(1)
    seen, said = misdescribed(drawn, noise, shown.table, shown.bare, faults)
    one = (said.subject[:, 1] < 0) & said.says_colour[:, 0]
    pairs = said.subject[one, 0] * len(COLOUR_NAMES) + said.term[one, 0]
    loose = (seen.term[one, 0] != said.term[one, 0]).float()
    size = len(SUBJECT_NAMES) * len(COLOUR_NAMES)
    count = torch.bincount(pairs, minlength=size)
    sums = torch.bincount(pairs, loose, minlength=size)
    return float((sums[count > 0] / count[count > 0]).mean())
