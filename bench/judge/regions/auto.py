"""The ``auto`` segmenter, the default: the best that is here for each picture.

Pictures of the rendered world, and nouns of the background, are judged by the bundled networks
(``cutout``). For all others it is a segmenter that knows any word, where its weights are here:
`choose` says which, once, and its name says so from then on (``auto:mmdino+sam2``,
``auto:bundled``). Without one it is ``cutout``, or ``clip`` for subjects that ``cutout`` cannot
name, where the user has given a CLIP that knows the words. The regions name which it was.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from bench.errors import BenchError
from bench.judge.checkpoints import Listing, at_hub, fetch, in_cache, offline
from bench.judge.regions.clip import ClipSegmenter
from bench.judge.regions.cutout import CutoutSegmenter
from bench.judge.regions.stuff import is_stuff
from bench.judge.regions.word_segmenters import DEFAULTS, word_segmenter
from bench.records import Fingerprint, Regions
from prompts.cells import Cell
from prompts.subjects import SUBJECT_NAMES

#: What is chosen where its weights can be had.
STRONG = "mmdino+sam2"
#: Names of the choices: with nothing but what is bundled, and with the strong one.
BUNDLED = "auto:bundled"


class _Segmenter(Protocol):
    name: str
    fingerprint: Fingerprint

    def segment(self, images: Sequence[np.ndarray], cells: Sequence[Cell]) -> list[Regions]: ...


@dataclass(frozen=True, slots=True)
class Choice:
    """Which segmenter ``auto`` is.

    Attributes
    ----------
    name : str
        ``auto:bundled``, or ``auto:mmdino+sam2:DETECTOR@commit,SAM@commit``.
    reason : str
        Why, in words, and how to get a better one; empty where it is the best.
    """

    name: str
    reason: str = ""


def choose(consent: Callable[[str], bool] | None = None) -> Choice:
    """Choose the best segmenter that is here, or that may be fetched.

    Parameters
    ----------
    consent : callable, optional
        Asked once, in words with size and licence, whether weights may be fetched; None where
        nobody can be asked, so that nothing is asked of the hub either.
    """
    here = [in_cache(model) for model in DEFAULTS[STRONG]]
    if all(here):
        return Choice(f"auto:{STRONG}:{','.join(map(str, here))}")
    if offline():
        return Choice(BUNDLED, f"{STRONG} is not in the cache, the hub switched off")
    if consent is None:
        return Choice(BUNDLED, f"{STRONG} is not in the cache (--yes fetches it)")
    try:
        lacking = [m for m, name in zip(DEFAULTS[STRONG], here, strict=True) if name is None]
        if not consent(_question([at_hub(model) for model in lacking])):
            return Choice(BUNDLED, f"{STRONG} was not wanted")
        for model in lacking:
            fetch(model)
    except BenchError as error:
        return Choice(BUNDLED, f"{STRONG} cannot be had: {error}")
    return choose()


def _question(listed: Sequence[Listing]) -> str:
    parts = [f"{one.name.partition('@')[0]} ({_megabytes(one.size)}, {one.licence})"
             for one in listed]  # fmt: skip
    return (
        f"for pictures such as these {STRONG} is a better segmenter than the bundled network; "
        f"fetch {' and '.join(parts)} from the hub?"
    )


def _megabytes(size: int) -> str:
    return f"{max(1, round(size / 1e6)):,} MB"


def chosen_before(options: dict[str, object]) -> str:
    """Return the choice that the record of an ``auto`` segmenter tells, as its name."""
    for name in DEFAULTS:
        recorded = options.get(name)
        if isinstance(recorded, dict):
            return f"auto:{name}:{','.join(map(str, recorded.get('models', [])))}"
    return BUNDLED


class AutoSegmenter:
    """Chooses by picture and prompt among the bundled networks, a strong segmenter and ``clip``.

    Parameters
    ----------
    name : str
        ``auto`` for what is in the cache now, or what `choose` returned.
    clip : str
        What `bench.judge.clip.load_clip` takes; the bundled one adds nothing to ``cutout``.
    device : str
        Of all networks.
    """

    def __init__(self, name: str = "auto", clip: str = "bundled", device: str = "cpu") -> None:
        self.name = "auto"
        wanted = (choose().name if name == "auto" else name).partition(":")[2]
        strong = "" if f"auto:{wanted}" == BUNDLED else wanted
        self.cutout = CutoutSegmenter(device)
        self.open: _Segmenter | None = None
        if strong:
            self.open = word_segmenter(strong, device)
        elif clip != "bundled":
            self.open = ClipSegmenter(clip, device)
        self.strong = bool(strong)
        parts: list[_Segmenter] = [self.cutout, *([self.open] if self.open else [])]
        made = [part.fingerprint for part in parts]
        self.fingerprint = Fingerprint(
            kind="segmenter",
            name=self.name,
            options={part.name: dict(part.options) for part in made},
            weights=" ".join(part.weights for part in made),
            versions={key: value for part in made for key, value in part.versions.items()},
        )

    def segment(self, images: Sequence[np.ndarray], cells: Sequence[Cell]) -> list[Regions]:
        """Regions of each uint8 (H, W, 3) image; each names the segmenter that found them."""
        if len(images) != len(cells):
            raise ValueError(f"{len(images)} images but {len(cells)} cells")
        out: list[Regions | None] = [None] * len(images)
        known = self._known(images, cells)
        for segmenter, wanted in ((self.open, False), (self.cutout, True)):
            chosen = [index for index, one in enumerate(known) if one == wanted]
            if segmenter is None or not chosen:
                continue
            found = segmenter.segment([images[i] for i in chosen], [cells[i] for i in chosen])
            for index, regions in zip(chosen, found, strict=True):
                out[index] = regions
        return [regions for regions in out if regions is not None]

    def _known(self, images: Sequence[np.ndarray], cells: Sequence[Cell]) -> list[bool]:
        """Whether the bundled networks are the best for each picture and its prompt."""
        subjects = [[binding.subject for binding in cell.bindings] for cell in cells]
        if self.open is None:
            return [True] * len(cells)
        if not self.strong:
            return [all(name in SUBJECT_NAMES for name in names) for names in subjects]
        drawn = self.cutout.drawn(images)
        return [
            one or any(is_stuff(name) for name in names)
            for one, names in zip(drawn, subjects, strict=True)
        ]
