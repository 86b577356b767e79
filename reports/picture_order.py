"""Which pictures a page needs, in the order in which it wants them."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from prompts.hashing import content_hash
from reports.reading import RunTables

#: A picture: cell id and index.
Key = tuple[str, int]


class PictureOrder:
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
        runs: Sequence[RunTables],
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


def embedding_order(rows: pd.DataFrame) -> list[tuple[str, int]]:
    """Pictures in the order in which they deserve a place in the page.

    First one picture of every colour and subject, so that no cell of the heatmap opens on
    nothing. Then in turns: a picture whose verdict changed between runs, one of the stratified
    sample, one of the worst, another of the stratified sample. The stratified sample goes round
    all (colour, subject, verdict) groups, one picture a round, in an order that depends on the
    sample ids alone. The same run gives the same order on any machine.

    Parameters
    ----------
    rows : DataFrame
        One row a binding of an image: ``sample_id, cell_id, index, colour, subject, verdict,
        bind, leak_background, leak_neighbour`` and ``changed`` (bool).

    Returns
    -------
    list of (cell id, index)
        Every image once.
    """
    if rows.empty:
        return []
    table = pd.DataFrame(
        {
            "cell_id": rows["cell_id"].astype(str),
            "index": rows["index"].astype(int),
            "pair": rows["colour"].astype(str) + "\x1f" + rows["subject"].astype(str),
            "verdict": rows["verdict"].astype(str),
            "changed": rows["changed"].astype(bool),
            "lot": [content_hash("thumbnail", name, length=12) for name in rows["sample_id"]],
        }
    )
    leak = rows[["leak_background", "leak_neighbour"]].max(axis=1)
    table["badness"] = (leak.fillna(0.0) - rows["bind"].fillna(1.0)).to_numpy()
    table = table.sort_values("lot", kind="stable").reset_index(drop=True)
    cover = table[table.groupby("pair").cumcount() == 0]
    stratified = _in_rounds(table, ["pair", "verdict"])
    worst = _in_rounds(table.sort_values("badness", ascending=False, kind="stable"), ["pair"])
    changed = _in_rounds(table[table["changed"]], ["pair"])
    queues = [_keys(queue) for queue in (changed, stratified, worst, stratified)]
    order = dict.fromkeys(_keys(cover))
    taken = [0, 0, 0, 0]
    while any(position < len(queue) for position, queue in zip(taken, queues, strict=True)):
        for turn, queue in enumerate(queues):
            while taken[turn] < len(queue) and queue[taken[turn]] in order:
                taken[turn] += 1
            if taken[turn] < len(queue):
                order[queue[taken[turn]]] = None
    return list(order)


def _in_rounds(table: pd.DataFrame, groups: list[str]) -> pd.DataFrame:
    """Rows so that each group gives its first row before any gives its second."""
    rounds = table.groupby(groups, sort=False).cumcount()
    return table.iloc[rounds.argsort(kind="stable")]


def _keys(table: pd.DataFrame) -> list[tuple[str, int]]:
    return list(zip(table["cell_id"].tolist(), table["index"].tolist(), strict=True))
