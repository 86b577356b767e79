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
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bench.judge.colour.palette import Histograms, Palette
from bench.judge.colour.spaces import lab_of_linear
from prompts.colours import COLOUR_NAMES


@dataclass(frozen=True, slots=True)
class PaintModel:
    """Constants of `Paints`, fitted by ``python -m bench.cli.fit light``.

    Attributes
    ----------
    valley : (float, float)
        Depth of the valley (its height over the lower peak's) at which two names are two paints,
        and one; in between in proportion.
    edge : float
        A pixel whose neighbours on either side differ by this share of the way from one colour to
        the other lies on an edge. Shade runs over more pixels than an edge between paints, and
        what a lens or a codec mixes there would fill the valley.
    most_shade : float
        Shade is no more than so many times its lit paint: of a ball lit from the side, three
        fifths lie beyond the boundary of two words.
    more_chroma : float
        CIELAB chroma that shade may have more than what is lit: other things throw their colour
        on a pale one.
    """

    valley: tuple[float, float] = (0.15, 0.6)
    edge: float = 0.35
    most_shade: float = 2.0
    more_chroma: float = 20.0


DEFAULT = PaintModel()
#: Pixels off edges count alone where they are this share of all.
LEAST_EVEN = 0.2
#: A second colour below this share of the subject is no paint that anyone looks into.
LEAST_SECOND = 0.05
#: Fewer pixels than this of a name have no distribution.
LEAST_PIXELS = 8
#: Bins of the histogram along the line between the two colours, which stand at 0 and 1.
_BINS = np.linspace(-0.8, 1.8, 27)
_MIDDLE = 13
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
    mask : ndarray, float32, (H, W)
        Of the region.
    model : PaintModel
    """

    def __init__(
        self,
        palette: Palette,
        regions: Histograms,
        region: int,
        mask: np.ndarray,
        model: PaintModel = DEFAULT,
    ) -> None:
        self._palette, self._regions, self._model = palette, regions, model
        self._own = slice(*regions.first[region : region + 2])
        self._picture, self._mask = int(regions.picture[region]), mask

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
            it, darker, and no more than ``most_shade`` times as large.
        """
        of = shares.tolist()
        others = [t for t in range(terms) if t != requested and t not in parents]
        # An asked colour that is no basic term shares pixels with the basic terms around it.
        most = 1.0 - of[requested] if requested >= terms else 1.0
        net = {t: min(of[t], most) for t in others}
        common = dict(net)
        large = [t for t in others if net[t] > LEAST_SECOND]
        if large and of[requested] > LEAST_SECOND:
            named = self._palette.named[self._regions.colour[self._own]]
            first = named[:, :terms].argmax(axis=1)
            named_so = first == requested if requested < terms else named[:, requested] > 0.5
            own, looked = self._some(named_so), False
            most_shade = self._model.most_shade
            for term in large:
                other = self._some((first == term) & ~named_so)
                if min(own.count, other.count) < LEAST_PIXELS:
                    continue
                looked = True
                one = self._unity(own, other)
                if self._is_shade(other, own) and common[term] <= most_shade * of[requested]:
                    common[term] *= 1.0 - one
                net[term] *= 1.0 - one
            if looked and {_WHITE, _GRAY} <= set(large):
                white, gray = (self._some(first == term) for term in (_WHITE, _GRAY))
                if min(white.count, gray.count) >= LEAST_PIXELS:
                    # A white paint and its shade are one rival under two names.
                    net[_WHITE] += self._unity(white, gray) * net[_GRAY]
        return min(1.0, max(0.0, *net.values())), min(1.0, max(0.0, *common.values()))

    def _some(self, which: np.ndarray) -> Spread:
        chosen = (which & (self._regions.solid[self._own] > 0)).nonzero()[0]
        return Spread(self._lab[chosen], self._regions.solid[self._own][chosen], chosen)

    def _is_shade(self, other: Spread, lit: Spread) -> bool:
        """Whether colours are darker than the lit ones and not much stronger."""
        (dark, *dull), (light, *strong) = other.median.tolist(), lit.median.tolist()
        most = math.hypot(*strong) + self._model.more_chroma
        return bool(dark < light and math.hypot(*dull) <= most)

    def _unity(self, first: Spread, second: Spread) -> float:
        return unity(first, second, self._model.valley, self._even)

    @cached_property
    def _places(self) -> np.ndarray:
        """Which colour of the region each pixel about it has, -1 outside: intp (h, w)."""
        solid = self._mask > 0.5
        rows, columns = (np.flatnonzero(solid.any(axis=1 - axis)) for axis in (0, 1))
        box = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
        of_pixel = self._palette.colours.of_pixel[self._picture].reshape(solid.shape)[box]
        first, last = self._palette.colours.first[self._picture : self._picture + 2]
        own = self._regions.colour[self._own]
        place = np.full(last - first, -1)
        place[own - first] = np.arange(len(own))
        found = np.full((of_pixel.shape[0] + 2, of_pixel.shape[1] + 2), -1)
        found[1:-1, 1:-1] = np.where(solid[box], place.take(of_pixel - first), -1)
        return found

    @cached_property
    def _lab(self) -> np.ndarray:
        return lab_of_linear(self._regions.linear[:, self._own].T)

    def _even(self, here: np.ndarray, line: np.ndarray) -> np.ndarray:
        """How many pixels of each colour lie on no edge along a line of CIELAB: intp (n,)."""
        along = np.append((self._lab - here) @ line / float(line @ line), np.nan).take(self._places)
        inner, edge = self._places[1:-1, 1:-1], self._model.edge
        even = np.abs(along[1:-1, 2:] - along[1:-1, :-2]) < edge
        even &= np.abs(along[2:, 1:-1] - along[:-2, 1:-1]) < edge
        even &= inner >= 0
        return np.bincount(inner[even], minlength=len(self._lab))


class Spread:
    """Colours of some pixels.

    Parameters
    ----------
    lab : ndarray, float, (N, 3)
        CIELAB.
    pixels : ndarray, intp, (N,)
        How many there are of each.
    places : ndarray, intp, (N,)
        Of the colours among those of the region.
    """

    def __init__(self, lab: np.ndarray, pixels: np.ndarray, places: np.ndarray) -> None:
        self.lab, self.pixels, self.places = lab, pixels, places
        self.count = int(pixels.sum())

    @cached_property
    def median(self) -> np.ndarray:
        """Of the pixels, channel by channel: float64 (3,)."""
        order, channels = self.lab.argsort(axis=0), np.arange(3)
        below = self.pixels[order].cumsum(axis=0)
        two = [
            self.lab[order[(below <= place).sum(axis=0), channels], channels]
            for place in ((self.count - 1) // 2, self.count // 2)
        ]
        return np.asarray((two[0] + two[1]) / 2)


def unity(
    first: Spread,
    second: Spread,
    valley: tuple[float, float] = DEFAULT.valley,
    even: Callable[[np.ndarray, np.ndarray], np.ndarray] | None = None,
) -> float:
    """How far the colours of two names are one surface, in [0, 1].

    Parameters
    ----------
    first, second : Spread
        Of the pixels of each name.
    valley : (float, float)
    even : callable, optional
        How many pixels of each colour of the region lie on no edge, given the first median and
        the line to the second. Those alone count where there are enough of them.

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
    pixels = [first.pixels, second.pixels]
    if even is not None:
        flat = even(here, line)
        inner = [flat[first.places], flat[second.places]]
        if sum(map(np.sum, inner)) >= LEAST_EVEN * (first.count + second.count):
            pixels = inner
    counts = np.zeros(len(_BINS) + 1)
    for part, count in zip((first, second), pixels, strict=True):
        along = (part.lab - here) @ line / power
        # The medians lie on edges of bins, and are of the upper one whatever the rounding.
        place = _BINS.searchsorted(along + 1e-6, side="right")
        counts += np.bincount(place, count, len(counts))
    counts = np.convolve(counts[1:-1], (0.25, 0.5, 0.25), "same")
    low = int(counts[:_MIDDLE].argmax())
    high = _MIDDLE + int(counts[_MIDDLE:].argmax())
    peak = float(min(counts[low], counts[high]))
    if peak <= 0.0:
        return 0.0
    depth = float(counts[low : high + 1].min()) / peak
    two, one = valley
    return min(1.0, max(0.0, (depth - two) / (one - two)))
