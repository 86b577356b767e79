"""A second paint, or the same surface under another name.

Of a brown bear a third is black by name, and yet it has one paint: from its lit fur to its shade
the colours run on without a gap. A blue cup with white halves has two: between them lies nothing.
What tells the two cases apart is the valley of the distribution of colours between two names. It
is deep where there are two paints, and there is none where one surface runs over a boundary of
words, which is more than the dichromatic model (`bench.judge.dichromatic`) can give to shade and
gloss: inter-reflection, fur, cloth and a camera's own curve bend the line of shades.

References
----------
Otsu. A threshold selection method from gray-level histograms. IEEE Transactions on Systems, Man,
and Cybernetics 9 (1979) 62-66: two classes of a histogram and the valley between them.
"""

from __future__ import annotations

import numpy as np

from bench.judge.colour.palette import Palette
from bench.judge.lattice import lattice
from prompts.colours import COLOUR_NAMES

#: Longer side of the lattice of pixels that are looked at.
SIDE = 160
#: Depth of the valley (its height over the lower peak's) at which two names are two paints, and
#: one; in between in proportion. Chosen by ``python -m bench.cli.fit light --only valley``.
VALLEY = (0.15, 0.6)
#: A second colour below this share of the subject is no paint that anyone looks into.
LEAST_SECOND = 0.1
#: Shade is no more than so many times its lit paint: of a ball lit from the side, three fifths lie
#: beyond the boundary of two words.
MOST_SHADE = 1.5
#: Fewer pixels than this of a name have no distribution.
LEAST_PIXELS = 8
#: Bins of the histogram along the line between the two colours, which stand at 0 and 1.
_BINS = np.linspace(-0.8, 1.8, 27)
_MIDDLE = 13
#: CIELAB chroma that shade may have more than what is lit: noise and coloured light.
_MORE_CHROMA = 5.0
_WHITE, _GRAY = COLOUR_NAMES.index("white"), COLOUR_NAMES.index("gray")
#: Names nearer to each other than this in CIELAB are not told apart.
_ALIKE = 1.0


class Paints:
    """The pixels of one picture on a lattice, for `rival`.

    Parameters
    ----------
    palette : Palette
        Of the picture, light removed.
    shape : (int, int)
        Height and width; their product is P.
    valley : (float, float)
        As `VALLEY`.
    """

    def __init__(
        self, palette: Palette, shape: tuple[int, int], valley: tuple[float, float] = VALLEY
    ) -> None:
        rows, columns = lattice(*shape, SIDE)
        self._places = (
            np.arange(shape[0])[rows, None] * shape[1] + np.arange(shape[1])[None, columns]
        ).ravel()
        self._palette = palette
        self._valley = valley

    def rival(
        self,
        mask: np.ndarray,
        shares: np.ndarray,
        requested: int,
        terms: int,
        parents: frozenset[int],
    ) -> tuple[float, float]:
        """Largest paint of its own beside the asked one on a subject, and the commonest name.

        Parameters
        ----------
        mask : ndarray, float32, (P,)
            Of the subject.
        shares : ndarray, float32, (C,)
            Shares of the subject in the colours asked about (`dichromatic.surface_shares`).
        requested : int
            Column of the asked colour.
        terms : int
            Number of basic terms, the first columns.
        parents : frozenset of int
            Columns of the basic terms that the asked colour is a kind of: crimson is red.

        Returns
        -------
        rival : float
            Share of the subject in the largest other paint.
        commonest : float
            Share in the commonest other name that is no shade of the asked paint: one surface with
            it, darker, and no more than `MOST_SHADE` times as large.
        """
        others = [t for t in range(terms) if t != requested and t not in parents]
        # An asked colour that is no basic term shares pixels with the basic terms around it.
        most = 1.0 - float(shares[requested]) if requested >= terms else 1.0
        net = {t: min(float(shares[t]), most) for t in others}
        common = dict(net)
        large = [t for t in others if net[t] > LEAST_SECOND]
        if large and float(shares[requested]) > LEAST_SECOND:
            places = self._places[mask[self._places] > 0.5]
            colours, lab = self._palette.of_pixel[places], None
            named = self._palette.named[colours]
            first = named[:, :terms].argmax(axis=1)
            own = first == requested if requested < terms else named[:, requested] > 0.5
            for term in large:
                other = (first == term) & ~own
                if own.sum() < LEAST_PIXELS or other.sum() < LEAST_PIXELS:
                    continue
                lab = self._palette.lab[colours] if lab is None else lab
                one = unity(lab[own], lab[other], self._valley)
                if _is_shade(lab[other], lab[own]) and common[term] <= MOST_SHADE * float(
                    shares[requested]
                ):
                    common[term] *= 1.0 - one
                net[term] *= 1.0 - one
            white, gray = first == _WHITE, first == _GRAY
            both = {_WHITE, _GRAY} <= set(large)
            if both and lab is not None and min(white.sum(), gray.sum()) >= LEAST_PIXELS:
                # A white paint and its shade are one rival under two names.
                net[_WHITE] += unity(lab[white], lab[gray], self._valley) * net[_GRAY]
        return min(1.0, max(0.0, *net.values())), min(1.0, max(0.0, *common.values()))


def _is_shade(other: np.ndarray, lit: np.ndarray) -> bool:
    """Whether colours are darker than the lit ones and no stronger: shade adds no colour."""
    (dark, *dull), (light, *strong) = np.median(other, axis=0), np.median(lit, axis=0)
    return bool(dark < light and np.hypot(*dull) <= np.hypot(*strong) + _MORE_CHROMA)


def unity(first: np.ndarray, second: np.ndarray, valley: tuple[float, float] = VALLEY) -> float:
    """How far the colours of two names are one surface, in [0, 1].

    Parameters
    ----------
    first, second : ndarray, float, (N, 3) and (M, 3)
        CIELAB of the pixels of each name.
    valley : (float, float)

    Returns
    -------
    float
        0 where the distribution along the line between their medians has a valley of less than
        the first share of the lower peak, 1 from the second on.
    """
    here, there = np.median(first, axis=0), np.median(second, axis=0)
    line = there - here
    power = float(line @ line)
    if power < _ALIKE**2:
        return 1.0
    along = np.concatenate([(part - here) @ line / power for part in (first, second)])
    counts = np.convolve(np.histogram(along, _BINS)[0], (0.25, 0.5, 0.25), "same")
    low = int(counts[:_MIDDLE].argmax())
    high = _MIDDLE + int(counts[_MIDDLE:].argmax())
    peak = float(min(counts[low], counts[high]))
    if peak <= 0.0:
        return 0.0
    depth = float(counts[low : high + 1].min()) / peak
    two, one = valley
    return min(1.0, max(0.0, (depth - two) / (one - two)))
