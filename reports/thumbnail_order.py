"""Which pictures go into the page when not all of them fit."""

from __future__ import annotations

import pandas as pd

from prompts.hashing import content_hash


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
