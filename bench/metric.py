"""The binding score as a metric of a training loop."""

from __future__ import annotations

import copy
import random
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np
import pandas as pd

from bench.api import COLUMNS, ImageJudge
from bench.protocols import Scorer, Segmenter
from bench.records import NOT_JUDGED, Estimate
from bench.statistics.metrics import GAPS, SHARES
from bench.statistics.tabulate import WHOLE, tabulate
from prompts.cells import Cell
from prompts.manifest import TrainingManifest


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
        self._judge = ImageJudge(segmenter, scorers, clip, device, training, colours)
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


@contextmanager
def evaluating(*models: Any, autocast: bool = True) -> Iterator[None]:
    """Evaluate inside a training loop: no gradients, no dropout, and every random state restored.

    Parameters
    ----------
    *models : torch.nn.Module or DiffusionPipeline
        Put into evaluation mode, with their parts; each part has its own mode back afterwards.
    autocast : bool
        Keep the autocast of the training; without it the arithmetic is that of the weights.
    """
    import torch

    modules = [module for model in models for part in _parts(model) for module in part.modules()]
    modes = [module.training for module in modules]
    plain, numbers = random.getstate(), np.random.get_state()  # noqa: NPY002
    gpus = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else ()
    with ExitStack() as stack:
        stack.enter_context(torch.random.fork_rng(devices=gpus))
        stack.enter_context(torch.no_grad())
        for device in ("cpu", "cuda") if not autocast else ():
            if torch.is_autocast_enabled(device):
                stack.enter_context(torch.autocast(device, enabled=False))
        try:
            for module in modules:
                module.training = False
            yield
        finally:
            for module, mode in zip(modules, modes, strict=True):
                module.training = mode
            random.setstate(plain)
            np.random.set_state(numbers)  # noqa: NPY002


def _parts(model: Any) -> Iterator[Any]:
    """The torch modules of a module or a pipeline."""
    import torch

    components = getattr(model, "components", None)
    found = components.values() if isinstance(components, dict) else [model]
    yield from (part for part in found if isinstance(part, torch.nn.Module))
