"""The probability that one of the suite's subjects is in a photograph, fitted anew.

The scores of a name by two networks (`bench.judge.regions.photo_evidence.name_scores`) become a
probability by a logistic regression. Its constants are fitted on composites and on training scenes
of the photoreal world, either kind with the same weight: ``python -m bench.cli.fit presence``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from bench.certificate.reliability import reliability
from bench.certificate.scenes import Answer
from bench.judge.regions.cutout import CutoutSegmenter
from bench.judge.regions.photo_evidence import logit_of, name_scores
from prompts.subjects import SUBJECT_NAMES

#: Nouns asked of each picture besides those of its prompt.
_OTHERS = 2


def scored_names(answers: Sequence[Answer], seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Logits of the scores of names, float (N, 2), and whether each is there, bool (N,)."""
    segmenter, rng = CutoutSegmenter(), np.random.default_rng(seed)
    rows, there = [], []
    for answer in answers:
        if answer.generation.invalid:
            continue
        nouns = [binding.subject for binding in answer.generation.sample.cell.bindings]
        shown = {n for n, mask in zip(nouns, answer.regions.masks, strict=True) if mask.any()}
        sight = segmenter.photo_sight(answer.generation.image)
        for noun in dict.fromkeys([*nouns, *rng.choice(SUBJECT_NAMES, _OTHERS)]):
            if noun in SUBJECT_NAMES:
                rows.append([logit_of(score) for score in name_scores(sight, noun)])
                there.append(noun in shown)
    return np.array(rows), np.array(there)


def fit_presence(kinds: Sequence[Sequence[Answer]], seed: int = 0) -> dict[str, Any]:
    """Intercept and slopes by maximum likelihood, and the reliability that they give by kind."""
    from scipy.optimize import minimize

    tables = [scored_names(answers, seed + k) for k, answers in enumerate(kinds)]
    x = np.concatenate([scores for scores, _ in tables])
    y = np.concatenate([there for _, there in tables]).astype(float)
    weight = np.concatenate([np.full(len(there), 1 / len(there)) for _, there in tables])

    def loss(w: np.ndarray) -> float:
        logit = w[0] + x @ w[1:]
        return float((weight * (np.logaddexp(0, logit) - y * logit)).sum())

    best = minimize(loss, np.array([3.0, 1.0, 1.0])).x
    chances = [1 / (1 + np.exp(-(best[0] + scores @ best[1:]))) for scores, _ in tables]
    return {
        "by_names": [round(float(value), 2) for value in best],
        "questions": [len(there) for _, there in tables],
        "reliability": [
            reliability(chance.tolist(), there.tolist())
            for chance, (_, there) in zip(chances, tables, strict=True)
        ],
    }
