"""From what a model claims of each word, a mask and how surely it is there, to regions.

A model that is asked for several words answers each as if it were alone, so that two of them may
claim the same pixels.
"""

from __future__ import annotations

import numpy as np

from bench.records import Regions
from prompts.cells import Cell
from prompts.subjects import BACKGROUNDS, NEIGHBOURS

#: Presence from which on a word has a mask.
_THERE = 0.5
#: A mask of which so much lies in another one, and which has less than that share of its area, is
#: of a thing in front of it: the potato within the outline of its plate.
_WITHIN, _SMALLER = 0.9, 0.75
#: A word of whose mask a surer one takes a larger share was that word's thing.
_TAKEN = 0.5


def words_of(cell: Cell) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Subjects and neighbours that are asked for; plates and frames always are."""
    subjects = tuple(binding.subject for binding in cell.bindings)
    named = [b.subject for b in cell.scenery if b.subject not in BACKGROUNDS]
    beside = dict.fromkeys((*NEIGHBOURS, *named))
    return subjects, tuple(name for name in beside if name not in subjects)


def presence_of(score: np.ndarray, threshold: float) -> np.ndarray:
    """Presence in [0, 1] of a detector's score: a half at the threshold, by odds elsewhere.

    Parameters
    ----------
    score : ndarray
        In [0, 1].
    threshold : float
        Score from which on the detector's authors count a box.

    Examples
    --------
    >>> presence_of(np.array([0.0, 0.1, 1.0]), 0.1).tolist()
    [0.0, 0.5, 1.0]
    """
    score = np.asarray(score, dtype=np.float64)
    yes, no = score * (1 - threshold), (1 - score) * threshold
    return np.asarray(yes / (yes + no))


def shared_out(masks: np.ndarray, found: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Masks that do not overlap, and what is left of the presence.

    Where several words claim a pixel it goes to what is in front, where one claim lies within
    another, and else to the surer word. A word that so loses most of its mask was not there.

    Parameters
    ----------
    masks : ndarray, float, (W, H, W)
        In [0, 1].
    found : ndarray, float, (W,)
        In [0, 1]; NaN where it is not known.

    Returns
    -------
    tuple of ndarray
        Masks of those that are there, zero of the others, and presence.
    """
    there = found >= _THERE
    masks = np.where(there[:, None, None], masks, 0).astype(np.float32)
    inside = masks > 0.5
    area = inside.sum((1, 2))
    flat = inside.reshape(len(inside), -1).astype(np.float32)
    both = flat @ flat.T
    least = np.maximum(area, 1)
    within = (both >= _WITHIN * least[:, None]) & (least[:, None] < _SMALLER * least[None])
    depth = (within & (area > 0)[:, None]).sum(1)
    # Depths are whole numbers and presence is at most one: first what is in front, then the surer.
    order = depth + np.nan_to_num(found) / 2
    rank = np.argsort(np.argsort(order, kind="stable"), kind="stable")
    claim = np.where(inside, rank[:, None, None] + 2.0, masks)
    own = np.where(np.arange(len(masks))[:, None, None] == claim.argmax(0), masks, 0)
    # The surer word of the same place takes the thing itself, and not only its pixels.
    rivals = (rank[None] > rank[:, None]) & ~within.T
    taken = np.where(rivals, both / least[:, None], 0).max(1, initial=0)
    found = np.where(there & (taken > _TAKEN), found * (1 - taken), found)
    own[~(found >= _THERE)] = 0
    return own.astype(np.float32), found


def regions_from(masks: np.ndarray, found: np.ndarray, cell: Cell, segmenter: str) -> Regions:
    """Regions from a mask (W, H, W) in [0, 1] and the presence of each word of `words_of`."""
    subjects, beside = words_of(cell)
    own, found = shared_out(masks, found)
    count = len(subjects)
    there = [k for k in range(len(beside)) if found[count + k] >= _THERE and own[count + k].any()]
    neighbours = own[[count + k for k in there]]
    return Regions(
        subjects=subjects,
        masks=own[:count],
        found=found[:count].astype(np.float32),
        neighbours=tuple(beside[k] for k in there),
        neighbour_masks=neighbours,
        background=(1 - own[:count].sum(0) - neighbours.sum(0)).clip(0, 1).astype(np.float32),
        segmenter=segmenter,
        evidence=("detector",) * count,
    )
