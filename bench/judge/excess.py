"""What leaked into each place beyond the control: the same prompt without its colours, same noise.

What counts is the colour that the control does not have at the same pixels, in a colour that
differs to the eye.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from bench.judge.colour.difference import membership_table
from bench.judge.colour.model import table
from bench.judge.colour.named import basic_term
from bench.judge.colour.spaces import cube_index, to_lab
from bench.judge.places import SUPPORT, WALL, Picture, grown, places_of

# ``python -m bench.cli.fit places`` fits the constants below and prints which values are as good:
# docs/metrics.md has the ranges, in which any value is as good by this fit.

#: CIELAB distance below which a pixel and the control's are one colour, whatever their names: the
#: boundary of white and gray runs through many a wall. Half the distance at which people give two
#: patches two names (`bench.judge.colour.difference.TOLERANCE` and its source).
SAME = 10.0
#: Colours that light and shade make of one another, and the same distance for them.
NEUTRAL = ("white", "gray")
SAME_NEUTRAL = 20.0
#: A neighbour of which more than this share lies on the control's subject, or within the outline
#: of the picture's own, is the subject.
ON_SUBJECT = 0.6
#: So is one that touches the subject and has, the band left out, less than this share of its area:
#: a handle, a foot. The fit would have 0.18 or less, by few pictures of 1,200; its scenes have no
#: brims, and one of a fifth of the thing is a part of it.
PART = 0.25
#: But a neighbour that has the asked colour over more than `WHOLE` of it, where the subject has it
#: over less than `UNTOUCHED`, is no part of the subject. Looked at in pictures of a model that
#: leaks: plates under houses and elephants of another colour. The fit would have `WHOLE` from 0.3
#: to 0.6, by 2 pictures of 1,200; 0.7 is the value that was looked at.
UNTOUCHED, WHOLE = 0.1, 0.7
#: Nor is one that is longer than the subject is along it, where the control has the colours of
#: its own subject over less than `ALIKE` of the same pixels: a brim has them there too, a plate has
#: not. The subject's colours are the basic terms that cover `SUBJECT_TERM` of it. Looked at in the
#: same pictures: from 0.2 to 0.5 the same plates are told.
ALIKE, SUBJECT_TERM = 0.3, 0.1
#: A connected patch of the colour counts beside its share of the place from this share of the
#: picture on; it is then held against the area of the subject. Not for white and gray, of which
#: shadows and lights are made.
LEAST_PATCH = 0.02


def excess(
    picture: Picture,
    control: Picture,
    colour: str,
    code: str | None = None,
    clear: np.ndarray | None = None,
) -> dict[str, float]:
    """Leak of a colour into each place beyond the control at the same pixels.

    Parameters
    ----------
    picture, control : Picture
        Of one shape, from the same noise.
    colour : str
        The asked one.
    code : str, optional
        What it means, where the name alone does not say.
    clear : ndarray, bool, (h, w), optional
        Of `clear_of` for the picture by default.

    Returns
    -------
    dict of str to float
        By the names of `PLACES`, in [-1, 1]; places that are not there are left out. The share of
        the place that has the colour and, at the same pixels of the control, has it not, less the
        share the other way; or the largest connected patch of it over the area of the subject,
        where that is more. Of several neighbours of one name the greatest; of a neighbour that lies
        on the control's subject, or is a small one that touches the picture's, 0: it is the
        subject, unless it alone has the colour, or is longer than the subject where the control has
        other colours than its own subject's (`ALIKE`).

    Raises
    ------
    ValueError
        The pictures are of different shape.
    """
    if picture.labels.shape != control.labels.shape:
        raise ValueError(f"pictures of {picture.labels.shape} and {control.labels.shape}")
    asked = membership_table((code or colour,))[:, 0]
    has = asked[cube_index(picture.byte)]
    gain = has - asked[cube_index(control.byte)]
    neutral = basic_term(colour) in NEUTRAL
    same = SAME_NEUTRAL if neutral else SAME
    gain[np.linalg.norm(_lab(picture) - _lab(control), axis=0) < same] = 0.0
    own = _subjects(picture)
    area = max(int(np.count_nonzero(own)), 1)
    places = places_of(picture.labels, picture.neighbours, clear)
    if not places.keys() <= {"wall", "support"}:
        subject = _subjects(control) | _within(own)
        near = grown(own)
        # A foot or a brim has the colour of the thing: one that alone has the asked colour is none.
        untouched = bool(own.any()) and float(has[own].mean()) < UNTOUCHED
        alike = _like_subject(control, SUBJECT_TERM)
    ground = (control.labels == WALL) | (control.labels == SUPPORT)
    found: dict[str, float] = {}
    for name, masks in places.items():
        values = []
        for mask in masks:
            if not mask.any():
                continue
            if name not in ("wall", "support"):
                small = mask.sum() < PART * area and bool((mask & near).any())
                is_subject = small or subject[mask].mean() > ON_SUBJECT
                other = untouched or (
                    float(alike[mask].mean()) < ALIKE
                    and _reaches_beyond(picture.labels == picture.labels[mask][0], own)
                )
                beside = other and float(has[mask].mean()) > WHOLE
                values.append(0.0 if is_subject and not beside else float(gain[mask].mean()))
                continue
            # Ground that comes to light where the control has a thing says nothing.
            mask = mask & ground
            if not mask.any():
                continue
            least = LEAST_PATCH * mask.size
            hot = (gain > 0.5) & mask
            patch = 0 if neutral or np.count_nonzero(hot) < least else _largest(hot)
            counted = min(1.0, patch / area) if patch >= least else 0.0
            values.append(max(float(gain[mask].mean()), counted))
        if values:
            found[name] = max(values)
    return found


@lru_cache(maxsize=64)
def _like_subject(picture: Picture, least: float) -> np.ndarray:
    """How far each pixel has a colour that covers ``least`` of the subject: float32 (h, w)."""
    named = table().take(cube_index(picture.byte), axis=0)
    own = _subjects(picture)
    if not own.any():
        return np.ones(own.shape, np.float32)
    terms = named[own].mean(axis=0) >= least
    shares: np.ndarray = named[..., terms].sum(axis=-1)
    return shares


@lru_cache(maxsize=64)
def _lab(picture: Picture) -> np.ndarray:
    """CIELAB of a picture, (3, h, w): a control is compared with many."""
    return np.moveaxis(to_lab(picture.byte), -1, 0)


def _subjects(picture: Picture) -> np.ndarray:
    return (picture.labels > WALL) & (picture.labels < SUPPORT)


def _within(inside: np.ndarray) -> np.ndarray:
    """The convex hull of a region."""
    from skimage.morphology import convex_hull_image

    return convex_hull_image(inside) if inside.sum() > 3 else inside


def _reaches_beyond(neighbour: np.ndarray, own: np.ndarray) -> bool:
    """Whether a neighbour is longer, along its longer side, than the subjects' region."""
    if not own.any():
        return False
    lengths = [_lengths(neighbour), _lengths(own)]
    along = int(lengths[0][1] > lengths[0][0])
    return bool(lengths[0][along] > lengths[1][along])


def _lengths(region: np.ndarray) -> tuple[int, int]:
    """From the first row to the last, and the same of columns."""
    rows, columns = np.nonzero(region)
    return int(np.ptp(rows)), int(np.ptp(columns))


def _largest(inside: np.ndarray) -> int:
    """Pixels of the largest connected patch."""
    from scipy.ndimage import label

    parts, count = label(inside)
    return int(np.bincount(parts.ravel())[1:].max()) if count else 0
