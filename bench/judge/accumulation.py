"""Differential accumulation: what the colour word has added up to a step, place by place.

The picture of a prompt and that of its control (the same words without the colours) begin with the
same noise, so that what differs between their predictions at a step is what the colour word has
added up to then. Of that difference the part along the asked colour counts.

The space is CIELAB: a difference there has about the size that the eye gives it, and a mean over
pixels of its coordinates is a mean of colours, so that the steps add up (names of colours, which
the other metrics read, jump at their boundaries, and shares of them do not add up). The direction
at a place leads from the colour that the place has in the control's final picture to the prototype
of the asked colour. It is one for all steps, and serves black, white and gray, which have no hue.
The unit is the whole of that way: 1 where the place has come from the control's colour to the asked
one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from bench.judge.colour.named import resolve
from bench.judge.colour.spaces import to_lab
from bench.judge.excess import SAME
from bench.judge.places import SUPPORT, Picture, clear_of, inner, places_of

#: Places beside those of `bench.judge.places.PLACES`.
SUBJECT, OTHER_SUBJECT = "subject", "other_subject"
#: A place of fewer pixels than this share of the picture is not measured.
LEAST = 0.005


@dataclass(frozen=True, slots=True, eq=False)
class Added:
    """What the colour word has added at a place.

    Attributes
    ----------
    place : str
        ``subject``, ``other_subject`` or one of `bench.judge.places.PLACES`.
    share : float
        Of the picture's area.
    distance : float
        CIELAB, from the control's final colour of the place to the asked one.
    steps : ndarray, float64, (T,)
        What has been added up to each step, as a share of the way; the increments between steps sum
        to the last value, which is the difference of the two last predictions.
    """

    place: str
    share: float
    distance: float
    steps: np.ndarray


def accumulated(
    frames: np.ndarray,
    control: np.ndarray,
    masks: Mapping[str, np.ndarray],
    colour: str,
    last: np.ndarray | None = None,
) -> list[Added]:
    """Sum up what was added, place by place.

    Parameters
    ----------
    frames, control : ndarray, uint8, (T, h, w, 3)
        Predicted clean pictures, sRGB, of the prompt and of its control, from the same noise.
    masks : mapping of str to ndarray, bool, (h, w)
        Of `masks_of`.
    colour : str
        The asked one: a basic term, a CSS or XKCD name, a hexadecimal code.
    last : ndarray, uint8, (h, w, 3), optional
        The control's final picture; its last frame by default.

    Returns
    -------
    list of Added
        A place that is small, or that has the colour in the control already (within
        `bench.judge.excess.SAME`, so that no way is left), is not among them.

    Raises
    ------
    ValueError
        Frames of different shape.
    """
    if frames.shape != control.shape:
        raise ValueError(f"frames of {frames.shape} and {control.shape}")
    difference = to_lab(frames) - to_lab(control)
    end = to_lab(control[-1] if last is None else last)
    found = []
    for place, mask, way in _ways(end, masks, colour):
        distance = float(np.linalg.norm(way))
        steps = difference[:, mask].mean(axis=1) @ way / distance**2
        found.append(Added(place, float(mask.mean()), distance, steps))
    return found


def added_map(
    frames: np.ndarray,
    control: np.ndarray,
    masks: Mapping[str, np.ndarray],
    colour: str,
    last: np.ndarray | None = None,
) -> np.ndarray:
    """What `accumulated` sums up, pixel by pixel.

    Returns
    -------
    ndarray, float64, (T, h, w)
        Its mean over the pixels of a place is what was added there; NaN where no place is measured.
    """
    difference = to_lab(frames) - to_lab(control)
    end = to_lab(control[-1] if last is None else last)
    found = np.full(frames.shape[:-1], np.nan)
    for _, mask, way in _ways(end, masks, colour):
        found[:, mask] = difference[:, mask] @ way / float(way @ way)
    return found


def _ways(
    end: np.ndarray, masks: Mapping[str, np.ndarray], colour: str
) -> list[tuple[str, np.ndarray, np.ndarray]]:
    """Each place that is measured, with the way from its colour in the control to the asked one."""
    target = to_lab(np.array(resolve(colour), dtype=np.uint8))
    found = []
    for place, mask in masks.items():
        if mask.mean() < LEAST:
            continue
        way = target - end[mask].mean(axis=0)
        if np.linalg.norm(way) >= SAME:
            found.append((place, mask, way))
    return found


def masks_of(picture: Picture, binding: int, whole: bool = False) -> dict[str, np.ndarray]:
    """Pixels of the subject of a binding, of another subject, and of every place that is there.

    Parameters
    ----------
    picture : Picture
    binding : int
        Index of the subject among those of the picture.
    whole : bool
        Keep the band around outlines, for a map.

    Returns
    -------
    dict of str to ndarray, bool, (h, w)
    """
    labels = picture.labels
    clear = np.ones_like(labels, dtype=bool) if whole else clear_of(labels)
    masks = {
        name: np.any(pieces, axis=0)
        for name, pieces in places_of(labels, picture.neighbours, clear).items()
    }
    subject = inner(labels == binding + 1, clear)
    others = inner((labels > 0) & (labels < SUPPORT) & (labels != binding + 1), clear)
    return {
        name: mask
        for name, mask in {SUBJECT: subject, OTHER_SUBJECT: others, **masks}.items()
        if mask.any()
    }
