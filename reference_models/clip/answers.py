"""What the texts of the `clip` scorer make of a feature; how far a student is from its teacher."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from prompts.colours import COLOUR_NAMES
from prompts.grammar import noun_phrase
from prompts.subjects import SUBJECT_NAMES, SUBJECTS, Subject

#: Inverse temperature of the scorer, and of the losses of the teacher.
SCALE = 16.0
#: Weight of one minus the cosine beside the two divergences.
COSINE = 10.0
#: What is asked of every picture, be it there or not: share of the loss.
ANY = 0.2


class Answers:
    """What the texts of the scorer make of a feature.

    Parameters
    ----------
    model, tokenizer
        Of the teacher, on its device.
    """

    def __init__(self, model: Any, tokenizer: Any, device: str) -> None:
        subjects = [SUBJECTS[name] for name in SUBJECT_NAMES]
        plates = [noun_phrase(c, Subject("plate")) for c in COLOUR_NAMES]
        walls = [noun_phrase(c, Subject("wall")) for c in COLOUR_NAMES]
        texts = [noun_phrase(None, subject) for subject in subjects]
        for subject in subjects:
            bare = noun_phrase(None, subject)
            texts += [noun_phrase(colour, subject) for colour in COLOUR_NAMES]
            texts += [f"{bare} on {plate}" for plate in plates]
            texts += [f"{bare} in front of {wall}" for wall in walls]
        with torch.no_grad():
            found = [model.encode_text(tokenizer(texts[k : k + 64]).to(device))
                     for k in range(0, len(texts), 64)]  # fmt: skip
            self.table = F.normalize(torch.cat(found).float(), dim=-1)
        many = len(COLOUR_NAMES)
        places = torch.full((len(subjects), many, 5), -1)
        for row, subject in enumerate(subjects):
            own = [COLOUR_NAMES.index(name) for name in subject.canonical]
            for colour in range(many):
                others = [natural for natural in own if natural != colour]
                asked = [colour, colour + many, colour + 2 * many, *others]
                places[row, colour, : len(asked)] = torch.tensor(asked)
        self._none = (places < 0).to(device)
        self._places = places.clamp(min=0).flatten(1).to(device)

    def __call__(self, feature: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Log shares of features (N, D), unit vectors.

        Returns
        -------
        subject : Tensor (N, S)
            Among the subjects.
        colour : Tensor (N, S, C)
            Of each subject, among its colours.
        rival : Tensor (N, S, C, R)
            Of each coloured subject, among the ways in which its colour could go astray.
        """
        n, many = len(feature), len(COLOUR_NAMES)
        logits = SCALE * feature @ self.table.T
        bare, rest = logits[:, : len(SUBJECT_NAMES)], logits[:, len(SUBJECT_NAMES) :]
        rest = rest.view(n, len(SUBJECT_NAMES), 3 * many)
        asked = rest.gather(2, self._places.expand(n, -1, -1)).view(n, *self._none.shape)
        rival = asked.masked_fill(self._none, -1e4).log_softmax(-1)
        return bare.log_softmax(-1), rest[:, :, :many].log_softmax(-1), rival

    def divergence(self, student: Tensor, teacher: Tensor) -> Tensor:
        """Loss of a student's features by those of its teacher (N, D), both unit vectors."""
        subject, colour, rival = self(teacher)
        _, own_colour, own_rival = self(student)
        asked = (1 - ANY) * subject.exp() + ANY / subject.shape[1]
        apart = (colour.exp() * (colour - own_colour)).sum(-1)
        astray = (rival.exp() * (rival - own_rival)).sum(-1)
        shown = 0.5 * colour.exp() + 0.5 / colour.shape[-1]
        cosine = 1 - (student * teacher).sum(-1)
        loss: Tensor = COSINE * cosine + (asked * (apart + (shown * astray).sum(-1))).sum(-1)
        return loss.mean()
