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

import math
from functools import cached_property

import numpy as np

from bench.judge.colour.palette import Histograms, Palette
from bench.judge.colour.spaces import lab_of_linear
from prompts.colours import COLOUR_NAMES

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
    """The colours of one region, for `rival`.

    Parameters
    ----------
    palette : Palette
        Of the pictures, light removed.
    regions : Histograms
    region : int
        Which of them.
    valley : (float, float)
        As `VALLEY`.
    """

    def __init__(
        self,
        palette: Palette,
        regions: Histograms,
        region: int,
        valley: tuple[float, float] = VALLEY,
    ) -> None:
        self._palette, self._regions, self._valley = palette, regions, valley
        self._own = slice(*regions.first[region : region + 2])

    def rival(
        self, shares: np.ndarray, requested: int, terms: int, parents: frozenset[int]
    ) -> tuple[float, float]:
        """Largest paint of its own beside the asked one on a subject, and the commonest name.

        Parameters
        ----------
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
        of = shares.tolist()
        others = [t for t in range(terms) if t != requested and t not in parents]
        # An asked colour that is no basic term shares pixels with the basic terms around it.
        most = 1.0 - of[requested] if requested >= terms else 1.0
        net = {t: min(of[t], most) for t in others}
        common = dict(net)
        large = [t for t in others if net[t] > LEAST_SECOND]
        if large and of[requested] > LEAST_SECOND:
            pixels = self._regions.solid[self._own]
            named = self._palette.named[self._regions.colour[self._own]]
            first = named[:, :terms].argmax(axis=1)
            named_so = first == requested if requested < terms else named[:, requested] > 0.5
            own, looked = self._some(named_so, pixels), False
            for term in large:
                other = self._some((first == term) & ~named_so, pixels)
                if min(own.count, other.count) < LEAST_PIXELS:
                    continue
                looked = True
                one = unity(own, other, self._valley)
                if _is_shade(other, own) and common[term] <= MOST_SHADE * of[requested]:
                    common[term] *= 1.0 - one
                net[term] *= 1.0 - one
            if looked and {_WHITE, _GRAY} <= set(large):
                white, gray = (self._some(first == term, pixels) for term in (_WHITE, _GRAY))
                if min(white.count, gray.count) >= LEAST_PIXELS:
                    # A white paint and its shade are one rival under two names.
                    net[_WHITE] += unity(white, gray, self._valley) * net[_GRAY]
        return min(1.0, max(0.0, *net.values())), min(1.0, max(0.0, *common.values()))

    def _some(self, which: np.ndarray, pixels: np.ndarray) -> Spread:
        chosen = (which & (pixels > 0)).nonzero()[0]
        linear = self._regions.linear[:, self._own].take(chosen, axis=1)
        return Spread(linear.T, pixels[chosen])


class Spread:
    """Colours of some pixels.

    Parameters
    ----------
    linear : ndarray, float, (N, 3)
        Linear light.
    pixels : ndarray, intp, (N,)
        How many there are of each.
    """

    def __init__(self, linear: np.ndarray, pixels: np.ndarray) -> None:
        self._linear, self.pixels = linear, pixels
        self.count = int(pixels.sum())

    @cached_property
    def lab(self) -> np.ndarray:
        """CIELAB, float64 (N, 3)."""
        return lab_of_linear(self._linear)

    @cached_property
    def median(self) -> np.ndarray:
        """Of the pixels, channel by channel: float64 (3,)."""
        order = self.lab.argsort(axis=0)
        below = self.pixels[order].cumsum(axis=0)
        both = [
            (below > place).argmax(axis=0) for place in ((self.count - 1) // 2, self.count // 2)
        ]
        channels = np.arange(3)
        low, high = (self.lab[order[place, channels], channels] for place in both)
        return np.asarray((low + high) / 2)


def _is_shade(other: Spread, lit: Spread) -> bool:
    """Whether colours are darker than the lit ones and no stronger: shade adds no colour."""
    (dark, *dull), (light, *strong) = other.median.tolist(), lit.median.tolist()
    return bool(dark < light and math.hypot(*dull) <= math.hypot(*strong) + _MORE_CHROMA)


def unity(first: Spread, second: Spread, valley: tuple[float, float] = VALLEY) -> float:
    """How far the colours of two names are one surface, in [0, 1].

    Parameters
    ----------
    first, second : Spread
        Of the pixels of each name.
    valley : (float, float)

    Returns
    -------
    float
        0 where the distribution along the line between their medians has a valley of less than
        the first share of the lower peak, 1 from the second on.
    """
    here, line = first.median, second.median - first.median
    power = float(line @ line)
    if power < _ALIKE**2:
        return 1.0
    counts = np.zeros(len(_BINS) + 1)
    for part in (first, second):
        along = (part.lab - here) @ line / power
        # The medians lie on edges of bins, and are of the upper one whatever the rounding.
        place = _BINS.searchsorted(along + 1e-6, side="right")
        counts += np.bincount(place, part.pixels, len(counts))
    counts = np.convolve(counts[1:-1], (0.25, 0.5, 0.25), "same")
    low = int(counts[:_MIDDLE].argmax())
    high = _MIDDLE + int(counts[_MIDDLE:].argmax())
    peak = float(min(counts[low], counts[high]))
    if peak <= 0.0:
        return 0.0
    depth = float(counts[low : high + 1].min()) / peak
    two, one = valley
    return min(1.0, max(0.0, (depth - two) / (one - two)))
