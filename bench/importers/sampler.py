"""Pictures that exist, as a sampler: what a run asks for is read instead of made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from bench.errors import UsageError
from bench.importers.census import Census
from bench.importers.layouts import PictureSet
from bench.importers.picture import ImportedPicture, UnreadableError
from bench.judge.images import as_rgb8
from bench.judge.picture_arrays import PictureError
from bench.protocols import Sampler, SamplerInfo, Usage
from bench.records import Fingerprint, Generation
from bench.store.pictures import plain_png
from prompts.cells import Sample

#: What stands for a picture that cannot be read: black, and marked as invalid.
BLANK = np.zeros((64, 64, 3), dtype=np.uint8)
#: Pixels between the samples of a contact sheet, as torchvision draws them.
MARGIN = 2
#: Unreadable pictures that are told one by one.
TOLD = 5


class ExistingPictures(Sampler):
    """Yields the pictures of a set.

    Parameters
    ----------
    source : PictureSet
    census : Census
        Of the same set.
    name : str
        What the pictures are called in the summary: the model that made them, or their folder.
    """

    def __init__(self, source: PictureSet, census: Census, name: str) -> None:
        self._source = source
        self._place = dict(
            zip((sample.id for sample in census.samples), census.places, strict=True)
        )
        self.unreadable: list[str] = []
        self._walk = enumerate(source.pictures())
        self._at = -1
        self.info = SamplerInfo(Fingerprint(kind="pictures", name=name, weights=census.hash))

    def sample(self, samples: Sequence[Sample]) -> Iterator[Generation]:
        """Yield the pictures of the samples; calls in the order of the census are one pass in all.

        Parameters
        ----------
        samples : sequence of Sample
            In the order of the census.

        Raises
        ------
        UsageError
            The set changed while it was read.
        """
        for sample in samples:
            yield self._generation(sample, self._picture(sample))

    def _picture(self, sample: Sample) -> ImportedPicture:
        place = self._place[sample.id]
        if place <= self._at:
            self._walk = enumerate(self._source.pictures())
        for self._at, picture in self._walk:
            if self._at == place:
                return picture
        raise UsageError(
            f"{self._source.path} changed while it was read: the picture for "
            f"{sample.cell.text!r} is not there any more; run again"
        )

    def usage(self) -> Usage:
        """Tell which pictures cannot be read, the first few by name."""
        rest = len(self.unreadable) - TOLD
        more = (f"{rest:,} pictures more are invalid",) if rest > 0 else ()
        return Usage(remarks=(*(f"invalid: {line}" for line in self.unreadable[:TOLD]), *more))

    def _generation(self, sample: Sample, picture: ImportedPicture) -> Generation:
        try:
            data = picture.read()
            image = cut(as_rgb8(data), picture.tile)
        except (PictureError, UnreadableError) as error:
            self.unreadable.append(f"{picture.place}: {error}")
            return Generation(sample, BLANK, invalid=error.kind, source=picture.place)
        png = None if picture.tile else plain_png(data)
        return Generation(sample, image, source=picture.place, png=png)


def cut(image: np.ndarray, tile: tuple[int, int, int, int] | None) -> np.ndarray:
    """Return one sample of a contact sheet.

    Parameters
    ----------
    image : ndarray, uint8, (H, W, 3)
    tile : tuple of int, optional
        Row and column of the sample, and how many rows and columns there are; None for the whole.

    Raises
    ------
    UnreadableError
        The samples do not fill the sheet evenly.

    Notes
    -----
    Sheets with a margin are those of ``torchvision.utils.make_grid``: `MARGIN` pixels of one colour
    around every sample.
    """
    if tile is None:
        return image
    row, column, rows, columns = tile
    height, width = image.shape[:2]
    margin = MARGIN if _has_margin(image, rows, columns) else 0
    tall, left_down = divmod(height - margin * (rows + 1), rows)
    wide, left_across = divmod(width - margin * (columns + 1), columns)
    if left_down or left_across or tall < 1 or wide < 1:
        raise UnreadableError(
            "no sheet of these tiles",
            f"{width} x {height} pixels are not {columns} x {rows} samples of one size",
        )
    top, left = margin + row * (tall + margin), margin + column * (wide + margin)
    return np.ascontiguousarray(image[top : top + tall, left : left + wide])


def _has_margin(image: np.ndarray, rows: int, columns: int) -> bool:
    height, width = image.shape[:2]
    if (height - MARGIN * (rows + 1)) % rows or (width - MARGIN * (columns + 1)) % columns:
        return False
    edges = [image[:MARGIN], image[-MARGIN:], image[:, :MARGIN], image[:, -MARGIN:]]
    return all((edge == image[0, 0]).all() for edge in edges)
