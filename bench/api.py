"""The benchmark from Python: images and prompts in, verdicts and scores out."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from bench.engine.crew import build, build_scorers
from bench.engine.derive import judged
from bench.engine.worker import BATCH, measure
from bench.errors import UsageError
from bench.images import as_rgb8
from bench.protocols import Scorer, Segmenter
from bench.records import Estimate, Generation, Score
from bench.statistics.metrics import GAPS, SHARES
from bench.statistics.tabulate import WHOLE, tabulate
from bench.store.derived import VERDICTS
from bench.store.joined import Scored
from bench.validity import why_void
from prompts.cells import Cell, Sample
from prompts.manifest import TrainingManifest
from prompts.parse import parse

COLUMNS = ("image", "prompt", *VERDICTS.names)


def score_images(
    images: Iterable[Any],
    prompts: Sequence[str | Cell],
    *,
    segmenter: str | Segmenter = "clip",
    scorers: Sequence[str] | Mapping[str, Scorer] = ("segmentation", "clip"),
    clip: str | None = None,
    device: str | None = None,
    training: TrainingManifest | None = None,
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

    Returns
    -------
    DataFrame
        A row a binding, in the order of the images: the position of the image, its prompt, and
        the columns of ``verdicts.parquet``. A prompt without a colour has no row.

    Raises
    ------
    UsageError
        A prompt or an image that cannot be read, or not as many of the one as of the other.

    Examples
    --------
    >>> frame = bench.score_images([image], ["a blue potato"])  # doctest: +SKIP
    >>> frame[["prompt", "verdict", "words"]]  # doctest: +SKIP
    """
    judge = _Judge(segmenter, scorers, clip, device, training)
    return pd.DataFrame(list(judge.rows(images, prompts)), columns=list(COLUMNS))


class BindingScore:
    """The binding score as a metric of a training loop.

    Parameters
    ----------
    segmenter, scorers, clip, device, training
        As for `score_images`; loaded at the first update.

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
        segmenter: str | Segmenter = "clip",
        scorers: Sequence[str] | Mapping[str, Scorer] = ("segmentation", "clip"),
        clip: str | None = None,
        device: str | None = None,
        training: TrainingManifest | None = None,
    ) -> None:
        self._judge = _Judge(segmenter, scorers, clip, device, training)
        self.reset()

    def reset(self) -> None:
        """Forget all images."""
        self._token = uuid.uuid4().hex[:12]
        self._seen = 0
        self._rows: list[dict[str, Any]] = []

    def update(self, images: Iterable[Any], prompts: Sequence[str | Cell]) -> None:
        """Judge some more images; see `score_images` for their forms.

        Where an image or a prompt cannot be read, none of the call is counted.
        """
        rows = list(self._judge.rows(images, prompts))
        for row in rows:
            row["image"] += self._seen
            row["sample_id"] = f"{self._token}-{row['image']}"
        self._rows += rows
        self._seen += len(prompts)

    def merge(self, other: BindingScore) -> BindingScore:
        """Add the images of another metric, from another process say; returns this one."""
        self._rows += other._rows
        self._seen += other._seen
        return self

    @property
    def images(self) -> int:
        """Images that were given since the last reset."""
        return self._seen

    def verdicts(self) -> pd.DataFrame:
        """Return the verdicts so far, in the form of `score_images`."""
        return pd.DataFrame(self._rows, columns=list(COLUMNS))

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
            (NaN where fewer than two prompts were seen). NaN where nothing was seen.
        """
        names = {share.name for share in SHARES} | {gap[0] for gap in GAPS}
        found: dict[str, float] = {}
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
    ) -> None:
        self._asked = (segmenter, scorers, clip, device, training)
        self._training = training
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
        generations = [
            Generation(Sample(cell, number), picture)
            for number, (cell, picture) in enumerate(zip(cells, pictures, strict=True))
        ]
        for start in range(0, len(generations), BATCH):
            yield from self._batch(generations[start : start + BATCH], prompts)

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
            segmenter, scorers, clip, device, _ = self._asked
            offered = {"clip": clip, "device": device}
            if isinstance(segmenter, str):
                segmenter = build("segmenter", segmenter, {}, offered)
            if not isinstance(scorers, Mapping):
                scorers = build_scorers(scorers, offered)
            self._loaded = (segmenter, scorers)
        return self._loaded

    def _cell(self, prompt: str | Cell) -> Cell:
        if isinstance(prompt, Cell):
            return prompt
        cell = parse(prompt, manifest=self._training)
        if cell is None:
            raise UsageError(
                f"cannot read the prompt {prompt[:80]!r}; known are 'a blue potato', 'a blue "
                "potato on a white plate', 'a red apple and a blue cup', ...; or give a Cell"
            )
        return cell


def _pictures(images: Iterable[Any]) -> Iterator[Any]:
    for number, image in enumerate(images):
        try:
            yield as_rgb8(image)
        except UsageError as error:
            raise UsageError(f"image {number}: {error}") from error


def _by_sample(scores: Mapping[str, Sequence[Score]]) -> dict[tuple[str, int], dict[str, float]]:
    found: dict[tuple[str, int], dict[str, float]] = {}
    for scorer in reversed(list(scores)):
        for score in scores[scorer]:
            found.setdefault((score.sample_id, score.binding), {})[score.metric] = score.value
    return found
