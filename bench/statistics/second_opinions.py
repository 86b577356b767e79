"""How far the second opinions go with the verdicts, and the images where they do not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from bench.statistics.agreement import cohen_kappa

#: End of the columns that hold a second opinion against the verdict.
SUFFIX = "_disagrees"
#: Verdicts that have the colour on the subject, as the pixels see it.
YES = ("bound", "spilled")
#: Columns of the list of images.
COLUMNS = ("scorer", "sample_id", "binding", "colour", "subject", "verdict", "words")


@dataclass(frozen=True, slots=True)
class SecondOpinion:
    """How far one other scorer goes with the verdicts on the subject's colour.

    Attributes
    ----------
    scorer : str
    bindings : int
        Judged bindings on which both say something.
    disagree : int
        Of these, where they differ.
    images : int
        Images with such a binding.
    kappa : float
        Cohen's kappa; NaN where one of the two always says the same.
    product : float
        Mean over images of the product of the scorer's chances over the bindings of the image, as
        T2I-CompBench prints it; NaN where the scorer has none of that kind.
    """

    scorer: str
    bindings: int
    disagree: int
    images: int
    kappa: float
    product: float = float("nan")


def second_opinions(verdicts: pd.DataFrame) -> list[SecondOpinion]:
    """Hold every second opinion that was measured against the verdicts.

    Parameters
    ----------
    verdicts : DataFrame
        The verdict table of a run: a row a binding.
    """
    found = []
    for column in (name for name in verdicts.columns if name.endswith(SUFFIX)):
        rows = verdicts[verdicts[column].notna()]
        if rows.empty:
            continue
        scorer = column.removesuffix(SUFFIX)
        pixels = rows["verdict"].isin(YES).to_numpy().astype(int)
        differ = rows[column].to_numpy().astype(int)
        found.append(
            SecondOpinion(
                scorer,
                len(rows),
                int(differ.sum()),
                rows.loc[differ == 1, "sample_id"].nunique(),
                cohen_kappa(pixels, pixels ^ differ, 2).value,
                _product(verdicts, scorer),
            )
        )
    return found


def disagreements_of(verdicts: pd.DataFrame) -> pd.DataFrame:
    """List the bindings on which a second opinion and the verdict differ, with `COLUMNS`."""
    parts = [
        verdicts[verdicts[column] == 1.0].assign(scorer=column.removesuffix(SUFFIX))
        for column in verdicts.columns
        if column.endswith(SUFFIX)
    ]
    return pd.concat(parts, ignore_index=True)[list(COLUMNS)]


def _product(verdicts: pd.DataFrame, scorer: str) -> float:
    if scorer != "blipvqa":
        return float("nan")
    chances = verdicts.groupby("sample_id")["blipvqa"]
    return float(chances.apply(lambda one: np.prod(one.to_numpy())).mean())
