"""Which pictures a page needs, in the order in which it wants them."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from reports.reading import Run
from reports.thumbnail_order import embedding_order

#: A picture: cell id and index.
Key = tuple[str, int]


class Plan:
    """The order of the pictures, and what each needs: itself and its control, in every run.

    Parameters
    ----------
    runs : sequence of Run
    items, cells : DataFrame
        From `reports.payload.all_items` and `reports.payload.cell_table`.
    first : sequence of Key
        Pictures that the page points at, and that go before all others.

    Attributes
    ----------
    order : list of Key
        Every judged picture once.
    ids : list of dict
        For each run the sample id of each key.
    """

    def __init__(
        self,
        runs: Sequence[Run],
        items: pd.DataFrame,
        cells: pd.DataFrame,
        first: Sequence[Key] = (),
    ) -> None:
        self.ids: list[dict[Key, str]] = [
            dict(
                zip(
                    zip(
                        run.samples["cell_id"].tolist(), run.samples["index"].tolist(), strict=True
                    ),
                    run.samples["sample_id"].tolist(),
                    strict=True,
                )
            )
            for run in runs
        ]
        self.control = dict(zip(cells["cell_id"], cells["control_id"], strict=True))
        rows = _rows_of(items, len(runs))
        self.order: list[Key] = list(dict.fromkeys([*first, *embedding_order(rows)]))
        failed = rows[rows["verdict"] != "bound"]
        self._failed = set(zip(failed["cell_id"].tolist(), failed["index"].tolist(), strict=True))

    def needs(self, key: Key) -> list[tuple[int, Key]]:
        """(run, key) of the picture itself and of its control, in every run that has them."""
        keys = dict.fromkeys([key, (self.control.get(key[0], key[0]), key[1])])
        return [
            (run, wanted)
            for run, known in enumerate(self.ids)
            for wanted in keys
            if wanted in known
        ]

    def in_turns(self) -> list[Key]:
        """Pictures of the order, one that failed and one that did not in turns."""
        sides = [
            [key for key in self.order if key in self._failed],
            [key for key in self.order if key not in self._failed],
        ]
        most = max(map(len, sides))
        return [side[turn] for turn in range(most) for side in sides if turn < len(side)]


def _rows_of(items: pd.DataFrame, runs: int) -> pd.DataFrame:
    """Collect what the order is made from: the last run's measurements where it has them."""
    rows = items[["cell_id", "index", "colour", "subject", "changed"]].copy()
    for name in ("verdict", "bind", "leak_background", "leak_neighbour"):
        rows[name] = items[f"{name}_{runs - 1}"]
        for run in range(runs - 1):
            rows[name] = rows[name].fillna(items[f"{name}_{run}"])
    rows["sample_id"] = items["cell_id"].astype(str) + "/" + items["index"].astype(str)
    return rows
