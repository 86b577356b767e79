"""The benchmark from Python: images and prompts in, verdicts and scores out."""

from __future__ import annotations

import copy
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from bench.errors import UsageError
from bench.judge.colour.named import resolve
from bench.judge.images import PictureError, as_rgb8
from bench.judge.validity import why_void
from bench.protocols import Scorer, Segmenter
from bench.records import NOT_JUDGED, Estimate, Generation, Score
from bench.run.components import build, build_scorers
from bench.run.derive import judged
from bench.run.scoring_thread import BATCH, measure
from bench.statistics.metrics import GAPS, SHARES
from bench.statistics.tabulate import WHOLE, tabulate
from bench.store.derived import VERDICTS
from bench.store.score_reader import Scored
from bench.training_loop import evaluating
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
    judge = _Judge(segmenter, scorers, clip, device, training, colours)
    return pd.DataFrame(list(judge.rows(images, prompts)), columns=list(COLUMNS))


class BindingScore:
    """The binding score as a metric of a training loop.

    Parameters
    ----------
    segmenter, scorers, clip, device, training, colours
        As for `score_images`; loaded at the first update. Images come from any device; ``device``
        is that of the scorers.

    Notes
    -----
    Works with several processes: each updates its own, and `gather` joins them (or `merge`, where
    they come by another way). The models are not part of a pickled metric.

    Examples
    --------
    >>> metric = bench.BindingScore()  # doctest: +SKIP
    >>> for prompts in loader:  # doctest: +SKIP
    ...     metric.update(pipeline(prompts).images, prompts)
    >>> metric.compute()["binding_score"]  # doctest: +SKIP
    """

    #: A better model has a higher binding score.
    higher_is_better = True

    def __init__(
        self,
        *,
        segmenter: str | Segmenter = "auto",
        scorers: Sequence[str] | Mapping[str, Scorer] = ("segmentation", "clip"),
        clip: str | None = None,
        device: str | None = None,
        training: TrainingManifest | None = None,
        colours: Sequence[str] = (),
    ) -> None:
        self._judge = _Judge(segmenter, scorers, clip, device, training, colours)
        self.reset()

    def reset(self) -> None:
        """Forget all images."""
        self._token = uuid.uuid4().hex[:12]
        self._seen = 0
        self._rows: list[dict[str, Any]] = []

    def update(self, images: Iterable[Any], prompts: Sequence[str | Cell]) -> None:
        """Judge some more images; see `score_images` for their forms.

        Random states, gradients and autocast are afterwards what they were. What cannot be scored
        is counted and told by `unscored`. Where the call raises, none of it is counted.
        """
        with evaluating(autocast=False):
            rows = list(self._judge.rows(images, prompts))
        for row in rows:
            row["image"] += self._seen
            row["sample_id"] = f"{self._token}-{row['image']}"
        self._rows += rows
        self._seen += len(prompts)

    def merge(self, other: BindingScore) -> BindingScore:
        """Add the images of another metric, from another process say; returns this one."""
        self._rows += [{**row, "image": row["image"] + self._seen} for row in other._rows]
        self._seen += other._seen
        return self

    def gather(self) -> BindingScore:
        """Return a metric over the images of all ranks of ``torch.distributed``.

        Every rank must call it, and gets the same. Without a process group it is a copy of this.
        """
        from torch import distributed

        states: list[Any] = [(self._rows, self._seen)]
        if distributed.is_available() and distributed.is_initialized():
            states = [None] * distributed.get_world_size()
            distributed.all_gather_object(states, (self._rows, self._seen))
        whole = copy.copy(self)
        whole.reset()
        for rows, seen in states:
            part = copy.copy(self)
            part._rows, part._seen = rows, seen
            whole.merge(part)
        return whole

    @property
    def images(self) -> int:
        """Images that were given since the last reset."""
        return self._seen

    def verdicts(self) -> pd.DataFrame:
        """Return the verdicts so far, in the form of `score_images`, without what is unscored."""
        judged = [row for row in self._rows if row["verdict"] is not None]
        return pd.DataFrame(judged, columns=list(COLUMNS))

    @property
    def unscored(self) -> pd.DataFrame:
        """Images without a score: ``image, prompt, reason``."""
        rows = [
            (row["image"], row["prompt"], row["words"])
            for row in self._rows
            if row["verdict"] in (None, *NOT_JUDGED)
        ]
        return pd.DataFrame(rows, columns=["image", "prompt", "reason"]).drop_duplicates("image")

    def estimates(self) -> list[Estimate]:
        """Return every estimate, by group, with intervals."""
        return tabulate(self.verdicts())

    def compute(self) -> dict[str, float]:
        """Return the headline numbers over all images so far.

        Returns
        -------
        dict of str to float
            ``binding_score``, ``binding_given_drawn``, ``leakage_rate`` and the other shares, the
            gaps where they are known, and for each its interval as ``..._low`` and ``..._high``
            (NaN where fewer than two prompts were seen). NaN where nothing was seen. ``images`` is
            the number that was given, ``unscored`` how many of them say nothing.
        """
        names = {share.name for share in SHARES} | {gap[0] for gap in GAPS}
        found: dict[str, float] = {"images": self._seen, "unscored": len(self.unscored)}
        for one in tabulate(self.verdicts(), each_cell=False):
            if one.group == WHOLE and one.metric in names:
                found[one.metric] = one.value
                found[f"{one.metric}_low"] = float("nan") if one.low is None else one.low
                found[f"{one.metric}_high"] = float("nan") if one.high is None else one.high
        return found

    def __getstate__(self) -> dict[str, Any]:
        """Leave the loaded models behind: they are loaded again where the copy is used."""
        return {**self.__dict__, "_judge": self._judge.unloaded()}


class _Judge:
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

    def unloaded(self) -> _Judge:
        """Return the same without what was loaded."""
        return _Judge(*self._asked)

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
                generations.append(Generation(Sample(cell, number), picture, invalid=damage))
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
            image = Scored(sample.cell, sample.id, sample.index, why_void(generation), metrics)
            prompt = prompts[sample.index]
            text = prompt if isinstance(prompt, str) else prompt.text
            for row in judged(image, None):
                yield {"image": sample.index, "prompt": text, **row}

    def _parts(self) -> tuple[Segmenter, Mapping[str, Scorer]]:
        if self._loaded is None:
            segmenter, scorers, clip, device, _, _ = self._asked
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
