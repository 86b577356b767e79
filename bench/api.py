"""The benchmark from Python: images and prompts in, verdicts and scores out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from bench.errors import UsageError
from bench.judge.colour.named import resolve
from bench.judge.device import require_device
from bench.judge.images import as_rgb8
from bench.judge.picture_arrays import PictureError
from bench.judge.validity import examined
from bench.protocols import Scorer, Segmenter
from bench.records import Generation, Score
from bench.run.components import build, build_scorers
from bench.run.derive import judged
from bench.run.scoring_thread import BATCH, measure
from bench.store.derived import VERDICTS
from bench.store.score_reader import Scored
from prompts.cells import Cell, Sample
from prompts.manifest import TrainingManifest
from prompts.parse import read_prompt

COLUMNS = ("image", "prompt", *VERDICTS.names)


def score_images(
    images: Iterable[Any],
    prompts: Sequence[str | Cell],
    *,
    segmenter: str | Segmenter = "auto",
    scorers: Sequence[str] | Mapping[str, Scorer] = ("segmentation", "clip"),
    clip: str | None = None,
    device: str | None = None,
    training: TrainingManifest | None = None,
    colours: Sequence[str] = (),
) -> pd.DataFrame:
    """Judge images.

    Parameters
    ----------
    images : iterable
        PIL images, arrays or tensors ``(H, W, 3)`` or ``(3, H, W)``, uint8 or float in [0, 1], or
        the bytes of image files; sizes may differ. A batch ``(N, ...)`` will do.
    prompts : sequence of str or Cell
        What each image was asked for.
    segmenter : str or Segmenter
        Its name, as for ``bench run --segmenter``, or the object.
    scorers : sequence of str, or mapping of str to Scorer
    clip, device : str, optional
        As for ``bench run``.
    training : TrainingManifest, optional
        What the model was trained on, for the tags ``seen`` and ``novel``.
    colours : sequence of str
        CSS or XKCD names that mean colours in these prompts (``salmon``). Basic terms, hexadecimal
        codes and names that are nothing else (``teal``, ``forest green``) are read without.

    Returns
    -------
    DataFrame
        A row a binding, in the order of the images: the position of the image, its prompt, and
        the columns of ``verdicts.parquet``. A picture that is damaged or too small has the verdict
        ``invalid``; a prompt that asks for no colour, or is not read, has one row without a
        verdict. ``words`` tells why.

    Raises
    ------
    UsageError
        Not as many images as prompts, or something that is no picture: another type, other axes,
        values out of range.

    Examples
    --------
    >>> frame = bench.score_images([image], ["a blue potato"])  # doctest: +SKIP
    >>> frame[["prompt", "verdict", "words"]]  # doctest: +SKIP
    """
    judge = ImageJudge(segmenter, scorers, clip, device, training, colours)
    return pd.DataFrame(list(judge.rows(images, prompts)), columns=list(COLUMNS))


class ImageJudge:
    """Segmenter and scorers, loaded at the first use, and the way from an image to its rows."""

    def __init__(
        self,
        segmenter: str | Segmenter,
        scorers: Sequence[str] | Mapping[str, Scorer],
        clip: str | None,
        device: str | None,
        training: TrainingManifest | None,
        colours: Sequence[str],
    ) -> None:
        if isinstance(colours, str):
            raise UsageError("colours must be a list of names")
        for name in colours:
            resolve(name)
        self._asked = (segmenter, scorers, clip, device, training, tuple(colours))
        self._training = training
        self._colours = tuple(colours)
        self._loaded: tuple[Segmenter, Mapping[str, Scorer]] | None = None

    def unloaded(self) -> ImageJudge:
        """Return the same without what was loaded."""
        return ImageJudge(*self._asked)

    def rows(
        self, images: Iterable[Any], prompts: Sequence[str | Cell]
    ) -> Iterator[dict[str, Any]]:
        """Yield the verdict rows of some images."""
        if isinstance(prompts, str | Cell):
            raise UsageError("prompts must be a list, one for each image")
        cells = [self._cell(prompt) for prompt in prompts]
        pictures = list(_pictures(images))
        if len(pictures) != len(cells):
            raise UsageError(f"{len(pictures)} images but {len(cells)} prompts")
        generations = []
        unscored: dict[int, str] = {}
        for number, (cell, (picture, damage)) in enumerate(zip(cells, pictures, strict=True)):
            if isinstance(cell, str):
                unscored[number] = cell
            else:
                made = Generation(Sample(cell, number), picture, invalid=damage)
                generations.append(examined(made))
        found: dict[int, list[dict[str, Any]]] = {}
        for start in range(0, len(generations), BATCH):
            for row in self._batch(generations[start : start + BATCH], prompts):
                found.setdefault(row["image"], []).append(row)
        for number in range(len(cells)):
            if number in unscored:
                yield _unscored(number, prompts[number], unscored[number])
            else:
                yield from found[number]

    def _batch(
        self, generations: list[Generation], prompts: Sequence[str | Cell]
    ) -> Iterator[dict[str, Any]]:
        segmenter, scorers = self._parts()
        _, scores = measure(generations, segmenter, scorers)
        by_sample = _by_sample(scores)
        for generation in generations:
            sample = generation.sample
            metrics = tuple(
                by_sample.get((sample.id, number), {})
                for number in range(len(sample.cell.bindings))
            )
            image = Scored(sample.cell, sample.id, sample.index, generation.invalid or "", metrics)
            prompt = prompts[sample.index]
            text = prompt if isinstance(prompt, str) else prompt.text
            for row in judged(image, None):
                yield {"image": sample.index, "prompt": text, **row}

    def _parts(self) -> tuple[Segmenter, Mapping[str, Scorer]]:
        if self._loaded is None:
            segmenter, scorers, clip, device, _, _ = self._asked
            if device is not None:
                require_device(device)
            offered = {"clip": clip, "device": device}
            if isinstance(segmenter, str):
                segmenter = build("segmenter", segmenter, {}, offered)
            if not isinstance(scorers, Mapping):
                scorers = build_scorers(scorers, offered)
            self._loaded = (segmenter, scorers)
        return self._loaded

    def _cell(self, prompt: str | Cell) -> Cell | str:
        """Read a prompt; in words why it cannot be judged."""
        if isinstance(prompt, Cell):
            cell: Cell | str = prompt
        elif isinstance(prompt, str):
            cell = read_prompt(prompt, self._colours, manifest=self._training)
        else:
            raise UsageError(f"a prompt is text or a Cell, not {type(prompt).__name__}")
        if isinstance(cell, str):
            return f"{cell}; name a colour of your own in `colours`, or give a Cell"
        if all(binding.colour is None for binding in cell.bindings):
            return "the prompt asks for no colour"
        return cell


#: Kinds of `PictureError` that are mistakes of the caller, and not of one picture.
MISTAKES = ("no picture", "out of range")
#: Stands for a picture that cannot be read.
_BLANK = np.zeros((8, 8, 3), dtype=np.uint8)


def _pictures(images: Iterable[Any]) -> Iterator[tuple[np.ndarray, str | None]]:
    """Yield each picture, and what is wrong with it."""
    for number, image in enumerate(images):
        try:
            yield as_rgb8(image), None
        except PictureError as error:
            if error.kind in MISTAKES:
                raise UsageError(f"image {number}: {error}") from error
            yield _BLANK, str(error)
        except UsageError as error:
            raise UsageError(f"image {number}: {error}") from error


def _unscored(number: int, prompt: str | Cell, reason: str) -> dict[str, Any]:
    row = dict.fromkeys(COLUMNS)
    text = prompt if isinstance(prompt, str) else prompt.text
    return {**row, "image": number, "prompt": text, "words": f"not scored: {reason}"}


def _by_sample(scores: Mapping[str, Sequence[Score]]) -> dict[tuple[str, int], dict[str, float]]:
    found: dict[tuple[str, int], dict[str, float]] = {}
    for scorer in reversed(list(scores)):
        for score in scores[scorer]:
            found.setdefault((score.sample_id, score.binding), {})[score.metric] = score.value
    return found
