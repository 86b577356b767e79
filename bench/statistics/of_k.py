"""How often any of k images of a prompt is right, and how often all of them are.

With k images drawn of the n of a cell, x of them right, the unbiased estimates are
``1 - C(n - x, k) / C(n, k)`` and ``C(x, k) / C(n, k)``. An image is right where every binding of it
is bound.

References
----------
.. [1] Chen, M., et al., Evaluating large language models trained on code, arXiv:2107.03374 (2021),
       equation 1: pass@k.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import special

from bench.statistics.metrics import JUDGED
from bench.statistics.sums import CellSums, sum_cells


def any_and_all(verdicts: pd.DataFrame, k: int | None = None) -> CellSums | None:
    """Means per cell of ``any_of_k`` and ``all_of_k``.

    Parameters
    ----------
    verdicts : DataFrame
        Columns ``cell_id``, ``sample_id``, ``colour``, ``subject``, ``verdict``.
    k : int, optional
        The most images that a cell has where it is omitted. Cells with fewer judged images are
        left out.

    Returns
    -------
    CellSums or None
        None for k below 2. The k images are one trial: there is no noise within a cell.
    """
    cell, _ = pd.factorize(verdicts["cell_id"], sort=True)
    image, _ = pd.factorize(verdicts["sample_id"])
    cells, images = (int(codes.max()) + 1 if len(codes) else 0 for codes in (cell, image))
    cell_of = np.zeros(images, dtype=np.intp)
    cell_of[image] = cell
    if k is None:
        k = int(np.bincount(cell_of).max()) if images else 0
    if k < 2:
        return None
    judged = np.ones(images, dtype=bool)
    right = np.ones(images, dtype=bool)
    unjudged = ~verdicts["verdict"].isin(JUDGED).to_numpy()
    judged[image[unjudged]] = False
    right[image[~verdicts["verdict"].eq("bound").to_numpy()]] = False
    n = np.bincount(cell_of, judged, cells)
    x = np.bincount(cell_of, judged & right, cells)
    whole = special.comb(n, k)
    with np.errstate(invalid="ignore", divide="ignore"):
        values = np.column_stack([1 - special.comb(n - x, k) / whole, special.comb(x, k) / whole])
    rows = (
        verdicts.drop_duplicates(["cell_id", "binding"])
        if "binding" in verdicts
        else (verdicts.drop_duplicates("cell_id"))
    )
    code = pd.factorize(pd.Series(verdicts["cell_id"]), sort=True)[1].get_indexer(rows["cell_id"])
    subject, colour = (pd.factorize(rows[name])[0] for name in ("subject", "colour"))
    names = (f"any_of_{k}", f"all_of_{k}")
    return sum_cells(values[code], names, code, code, subject, colour)
