"""Fit the colour naming model again: ``python -m bench.judge.colour.fit c3_data.json``.

The human counts are those of Heer and Stone (2012), how people of the XKCD survey named 8,325
CIELAB bins. The file is not part of the project (StanfordHCI/c3, ``data/xkcd/c3_data.json``); the
fitted parameters in ``terms.json`` are. The survey is thin on white, black and gray, and its
screens were not calibrated, so the fit is tied down by ``anchors.csv``: Munsell chips around the
English focal colours (Berlin and Kay 1969; Sturges and Whitfield 1995) and points of the neutral
axis, each with the term that people agree on.

References
----------
J. Heer and M. Stone. Color naming models for color selection, image editing and palette design.
CHI 2012.
B. Berlin and P. Kay. Basic Color Terms. 1969.
J. Sturges and T. W. A. Whitfield. Locating basic colours in the Munsell space. Color Research and
Application 20 (1995) 364-376.
S. M. Newhall, D. Nickerson and D. B. Judd. Final report of the OSA subcommittee on the spacing of
the Munsell colors. JOSA 33 (1943) 385-418 (chip colorimetry, adapted from C to D65 by Bradford).
"""

from __future__ import annotations

import csv
import json
import sys
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import numpy as np
from scipy.optimize import minimize

from bench.judge.colour.model import DEGREE, SHARPNESS, features
from prompts.colours import COLOUR_NAMES

#: Survey terms that a speaker left with the eleven basic ones would give another name. Terms that
#: end in a basic one ("light blue") need no entry; terms in neither are left out.
_FORCED: dict[str, dict[str, float]] = {
    "violet": {"purple": 1.0},
    "lavender": {"purple": 1.0},
    "lilac": {"purple": 1.0},
    "eggplant": {"purple": 1.0},
    "tan": {"brown": 1.0},
    "beige": {"brown": 0.4, "white": 0.3, "yellow": 0.3},
    "cream": {"white": 1.0},
    "slate": {"gray": 1.0},
    "gold": {"yellow": 1.0},
    "mustard": {"yellow": 1.0},
    "cerulean": {"blue": 1.0},
    "azure": {"blue": 1.0},
    "lime": {"green": 1.0},
    "sage": {"green": 1.0},
    "crimson": {"red": 1.0},
    "rose": {"pink": 1.0},
}
#: A bin with more answers than this counts no more for it.
_FULL_COUNT = 400.0
#: Weight of an anchor against a full bin.
_ANCHOR_WEIGHT = 3.0
_RIDGE = 1e-7


@dataclass(frozen=True)
class Survey:
    """Colours with the share of answers that each basic term got."""

    lab: np.ndarray
    shares: np.ndarray
    weight: np.ndarray


def basic_shares(term: str) -> np.ndarray:
    """How one survey term (lower case, no spaces) counts towards the eleven basic ones.

    A modified basic term counts for its head ("lightblue" for blue), a compound of two for both
    by half ("bluegreen"), a term in neither list for none.
    """
    heads = {**{name: name for name in COLOUR_NAMES}, "grey": "gray"}
    shares = np.zeros(len(COLOUR_NAMES))
    forced = _FORCED.get(term)
    if forced is not None:
        for name, share in forced.items():
            shares[COLOUR_NAMES.index(name)] = share
        return shares
    for head, name in heads.items():
        if term.endswith(head):
            shares[COLOUR_NAMES.index(name)] += 0.5
            other = heads.get(term.removesuffix(head).removesuffix("ish"), name)
            shares[COLOUR_NAMES.index(other)] += 0.5
            break
    return shares


def read_survey(path: Path) -> Survey:
    """Read ``c3_data.json``; bins with fewer than six answers in basic terms are left out."""
    data = json.loads(path.read_text())
    lab = np.array(data["color"], dtype=float).reshape(-1, 3)
    terms = data["terms"]
    pairs = np.array(data["T"]).reshape(-1, 2)
    counts = np.zeros((len(lab), len(terms)))
    counts.flat[pairs[:, 0]] = pairs[:, 1]
    basic = counts @ np.array([basic_shares(term) for term in terms])
    total = basic.sum(axis=1)
    keep = total > 5
    shares = basic[keep] / total[keep, None]
    return Survey(lab[keep], shares, np.minimum(total[keep], _FULL_COUNT) / _FULL_COUNT)


def read_anchors() -> Survey:
    """Colours that people agree on, from ``anchors.csv``."""
    text = resources.files("bench.judge.colour").joinpath("anchors.csv").read_text()
    rows = list(csv.DictReader(text.splitlines()))
    lab = np.array([[float(row[axis]) for axis in "Lab"] for row in rows])
    shares = np.eye(len(COLOUR_NAMES))[[COLOUR_NAMES.index(row["term"]) for row in rows]]
    return Survey(lab, shares, np.array([float(row["weight"]) for row in rows]))


def fit_weights(surveys: list[Survey], iterations: int = 3000) -> np.ndarray:
    """Weights (features, 11) of the multinomial logistic model: least cross-entropy, L-BFGS."""
    design = features(np.concatenate([survey.lab for survey in surveys]))
    shares = np.concatenate([survey.shares for survey in surveys])
    weight = np.concatenate([survey.weight for survey in surveys])[:, None]
    size = (design.shape[1], shares.shape[1])

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        logits = design @ flat.reshape(size)
        logits -= logits.max(axis=1, keepdims=True)
        odds = np.exp(logits)
        share = odds / odds.sum(axis=1, keepdims=True)
        value = -(weight * shares * np.log(share + 1e-12)).sum() / weight.sum()
        slope = design.T @ (weight * (share - shares)) / weight.sum()
        return value + _RIDGE * float(flat @ flat), slope.ravel() + 2 * _RIDGE * flat

    start = np.zeros(size[0] * size[1])
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": iterations})
    return found.x.reshape(size)


def fit_model(survey: Survey, anchors: Survey) -> np.ndarray:
    """Weights from the survey with the anchors that tie it down."""
    heavy = Survey(anchors.lab, anchors.shares, anchors.weight * _ANCHOR_WEIGHT)
    return fit_weights([survey, heavy])


def agreement(weights: np.ndarray, survey: Survey) -> np.ndarray:
    """For each colour, whether the model's first term is the people's."""
    return (features(survey.lab) @ weights).argmax(axis=1) == survey.shares.argmax(axis=1)


def cross_validate(survey: Survey, anchors: Survey, folds: int = 5) -> tuple[float, float]:
    """Agreement on held-out blocks of CIELAB (20 x 30 x 30): all bins, and bins of consensus.

    Whole blocks are held out, as neighbouring bins share their answers.
    """
    block = np.floor(survey.lab / [20.0, 30.0, 30.0]).astype(int) @ [7, 31, 101] % folds
    right = np.zeros(len(survey.lab), dtype=bool)
    for fold in range(folds):
        held = block == fold
        train = Survey(survey.lab[~held], survey.shares[~held], survey.weight[~held])
        test = Survey(survey.lab[held], survey.shares[held], survey.weight[held])
        right[held] = agreement(fit_model(train, anchors), test)
    agreed = survey.shares.max(axis=1) >= 0.75
    return float(right.mean()), float(right[agreed].mean())


def main(arguments: list[str]) -> None:
    """Fit, report the cross-validated agreement, and write ``terms.json``."""
    survey, anchors = read_survey(Path(arguments[0])), read_anchors()
    everything, consensus = cross_validate(survey, anchors)
    weights = fit_model(survey, anchors)
    report = {
        "bins": len(survey.lab),
        "anchors": len(anchors.lab),
        "held-out bins agreed": round(everything, 4),
        "held-out bins of consensus agreed": round(consensus, 4),
        "anchors agreed": round(float(agreement(weights, anchors).mean()), 4),
    }
    model = {
        "source": "fitted by bench.judge.colour.fit to Heer and Stone (2012) and anchors.csv",
        "report": report,
        "degree": DEGREE,
        "sharpness": SHARPNESS,
        "terms": list(COLOUR_NAMES),
        "weights": np.round(weights, 4).tolist(),
    }
    target = Path(arguments[1]) if len(arguments) > 1 else Path(__file__).with_name("terms.json")
    text = json.dumps(model, indent=1)
    target.write_text(text.replace("\n   ", " ").replace("\n  ]", " ]") + "\n")
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main(sys.argv[1:])
