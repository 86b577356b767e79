"""The ``saliency`` segmenter: what stands out from the border of the picture, without any weights.

Robust background detection (Zhu, Liang, Wei and Sun, "Saliency Optimization from Robust Background
Detection", CVPR 2014). Superpixels that reach far along the border for their size are background;
what differs from them in colour is foreground; a quadratic cost smooths both. The result is the
object that stands out, whatever it is. Of two subjects it cannot say which is which: the objects
are shared out from left to right, there is no evidence of either, and ``found`` stays NaN.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bench.records import Fingerprint, Regions
from prompts.cells import Cell

#: Superpixels an image, and how compact they are.
_SEGMENTS, _COMPACTNESS = 160, 12.0
#: Widths of likeness: in CIELAB, of boundary connectivity, in distance (shares of the image).
_COLOUR, _CONNECTIVITY, _DISTANCE = 10.0, 1.0, 0.25
#: Smoothing: a floor of likeness, so that noise is taken out.
_FLOOR = 0.1
#: Longest side at which superpixels are made.
_WORKING_SIDE = 192


class SaliencySegmenter:
    """Finds the one thing that stands out; needs no weights and knows no words."""

    name = "saliency"

    def __init__(self) -> None:
        self.fingerprint = Fingerprint(
            kind="segmenter", name=self.name, options={"segments": _SEGMENTS}
        )

    def segment(self, images: Sequence[np.ndarray], cells: Sequence[Cell]) -> list[Regions]:
        """Regions of each uint8 (H, W, 3) image; the prompt's neighbours are not told apart."""
        return [_segment(image, cell) for image, cell in zip(images, cells, strict=True)]


def _segment(image: np.ndarray, cell: Cell) -> Regions:
    subjects = tuple(binding.subject for binding in cell.bindings)
    height, width = image.shape[:2]
    count = len(subjects)
    masks = np.zeros((count, height, width), np.float32)
    found = np.full(count, np.nan, np.float32)
    if image.size and min(height, width) >= 4 and count:
        salient = saliency(image)
        if count == 1:
            masks[0] = salient
            found[0] = _certainty(salient)
        else:
            masks = _shared_out(salient, count)
    return Regions(
        subjects=subjects,
        masks=masks,
        found=found,
        neighbours=(),
        neighbour_masks=np.zeros((0, height, width), np.float32),
        background=(1 - masks.sum(0)).clip(0, 1).astype(np.float32),
        segmenter="saliency",
        evidence=("only_thing" if count == 1 else "unnamed",) * count,
    )


def saliency(image: np.ndarray) -> np.ndarray:
    """How far each pixel stands out, float32 (H, W) in [0, 1].

    Parameters
    ----------
    image : ndarray, uint8 (H, W, 3)
        At least 4 pixels a side.
    """
    from skimage.color import rgb2lab
    from skimage.segmentation import slic
    from skimage.transform import resize

    shape = image.shape[:2]
    shrink = min(1.0, _WORKING_SIDE / max(shape))
    small = tuple(max(4, round(side * shrink)) for side in shape)
    pixels = image.astype(np.float64) / 255
    if shrink < 1:
        pixels = resize(pixels, small, anti_aliasing=True)
    lab = rgb2lab(pixels)
    labels = slic(
        lab,
        n_segments=_SEGMENTS,
        compactness=_COMPACTNESS,
        convert2lab=False,
        start_label=0,
        enforce_connectivity=True,
    )
    values = _optimised(lab, labels)[labels]
    if shrink < 1:
        values = resize(values, shape, order=1)
    return np.clip(values, 0, 1).astype(np.float32)


def _optimised(lab: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Saliency of each superpixel: background, foreground and smoothness in one quadratic cost."""
    count = int(labels.max()) + 1
    size = np.bincount(labels.ravel(), minlength=count).astype(float)
    rows, columns = np.mgrid[: labels.shape[0], : labels.shape[1]]
    scale = max(labels.shape)
    place = np.stack([_mean(axis, labels, size) / scale for axis in (rows, columns)], 1)
    colour = np.stack([_mean(lab[..., k], labels, size) for k in range(3)], 1)
    difference = np.linalg.norm(colour[:, None] - colour[None], axis=-1)
    adjacent = _adjacent(labels, count)

    border = np.zeros(count)
    for edge in (labels[0], labels[-1], labels[1:-1, 0], labels[1:-1, -1]):
        border += np.bincount(edge, minlength=count)
    joined = adjacent.copy()
    rim = border > 0
    joined |= rim[:, None] & rim[None]
    far = _geodesic(np.where(joined, np.maximum(difference - 3.0, 0) + 1e-6, np.inf))
    near = np.exp(-(far**2) / (2 * _COLOUR**2))
    connectivity = (near @ border) / np.sqrt((near @ size).clip(min=1e-9))
    background = 1 - np.exp(-(connectivity**2) / (2 * _CONNECTIVITY**2))

    apart = ((place[:, None] - place[None]) ** 2).sum(-1)
    contrast = (difference * np.exp(-apart / (2 * _DISTANCE**2))) @ background
    contrast = (contrast - contrast.min()) / max(float(np.ptp(contrast)), 1e-9)
    like = np.where(adjacent, np.exp(-(difference**2) / (2 * _COLOUR**2)) + _FLOOR, 0)
    system = np.diag(background + contrast + like.sum(1)) - like
    return np.linalg.solve(system + 1e-9 * np.eye(count), contrast)


def _mean(values: np.ndarray, labels: np.ndarray, size: np.ndarray) -> np.ndarray:
    total = np.bincount(labels.ravel(), values.ravel().astype(float), minlength=len(size))
    return total / size.clip(min=1)


def _adjacent(labels: np.ndarray, count: int) -> np.ndarray:
    touching = np.zeros((count, count), bool)
    for one, two in ((labels[1:], labels[:-1]), (labels[:, 1:], labels[:, :-1])):
        touching[one.ravel(), two.ravel()] = True
    touching |= touching.T
    np.fill_diagonal(touching, False)
    return touching


def _geodesic(cost: np.ndarray) -> np.ndarray:
    from scipy.sparse.csgraph import csgraph_from_dense, dijkstra

    return dijkstra(csgraph_from_dense(cost, null_value=np.inf), directed=False)


def _certainty(salient: np.ndarray) -> np.float32:
    """How surely something stands out at all: the gap between the two sides of the cut."""
    inside = salient > 0.5
    if not inside.any() or inside.mean() > 0.95:
        return np.float32(0.0)
    return np.float32(np.clip(salient[inside].mean() - salient[~inside].mean(), 0, 1))


def _shared_out(salient: np.ndarray, count: int) -> np.ndarray:
    """The largest separate objects, from left to right, one a subject; nothing overlaps."""
    from scipy.ndimage import center_of_mass, label

    masks = np.zeros((count, *salient.shape), np.float32)
    parts, number = label(salient > 0.5)
    if not number:
        return masks
    area = np.bincount(parts.ravel())[1:]
    largest = np.argsort(-area, kind="stable")[:count] + 1
    order = sorted(largest.tolist(), key=lambda part: center_of_mass(parts == part)[1])
    for mask, part in zip(masks, order, strict=False):
        mask[parts == part] = salient[parts == part]
    return masks
