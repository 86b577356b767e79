"""Colour binding beside the loss, in a training script of diffusers.

In the place where such a script logs its validation images::

    callback = BindingCallback(every=500, log=accelerator.log, seconds=60)
    ...
    callback(global_step, pipeline)

It draws the same prompts from the same noise each time, so that the scores of two steps are paired,
and leaves the training as it was: random states, modes of the modules, gradients.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import distributed

import bench
from prompts.cells import Sample, plan
from prompts.grids import make_grid

#: What is logged of `bench.BindingScore.compute`.
LOGGED = ("binding_score", "binding_given_drawn", "drawn", "leakage_rate")


class BindingCallback:
    """Scores a pipeline now and then.

    Parameters
    ----------
    every : int
        Steps from one scoring to the next.
    log : callable
        Takes a dict of numbers and ``step=``, as ``accelerator.log`` does; called by rank 0.
    seconds : float, optional
        Time for one scoring. The first one finds how many prompts that is; all later ones take the
        same prompts.
    seeds : int
        Images a prompt.
    batch_size : int
    preset : str
        Grid of the prompts: ``quick`` has 66 prompts of one thing in one colour.
    call : mapping, optional
        More arguments for the pipeline, such as ``num_inference_steps``.
    shown : int
        Pictures kept of each scoring, in ``pictures``.

    Attributes
    ----------
    pictures : list of (image, str)
        Of the last scoring on this rank: the picture, and its prompt with the verdict.
    """

    def __init__(
        self,
        every: int,
        log: Callable[..., object],
        *,
        seconds: float | None = None,
        seeds: int = 1,
        batch_size: int = 16,
        preset: str = "quick",
        call: Mapping[str, Any] | None = None,
        shown: int = 8,
    ) -> None:
        cells = [cell for cell in make_grid(preset) if "single" in cell.tags]
        # Shuffled once, so that the first few are of all colours and subjects.
        self.samples: list[Sample] = random.Random(0).sample(plan(cells, seeds), len(cells) * seeds)
        self.every, self.log, self.seconds = every, log, seconds
        self.batch_size, self.shown = batch_size, shown
        self.call = dict(call or {})
        # Loaded once; each scoring begins with `reset`.
        self.metric = bench.BindingScore()
        self.pictures: list[tuple[Any, str]] = []

    def __call__(self, step: int, pipeline: Any) -> dict[str, float] | None:
        """Score and log, where it is time; returns what was logged. Every rank calls it."""
        if step % self.every:
            return None
        self.metric.reset()
        self.pictures = []
        rank, ranks = self._rank()
        mine = self.samples[rank::ranks]
        began, done = time.monotonic(), 0
        while done < len(mine) and (done == 0 or self._time_is_left(began)):
            self._score(mine[done : done + self.batch_size], pipeline)
            done += self.batch_size
        if self.seconds is not None:
            self._keep(done, ranks)
        found = self.metric.gather().compute()
        told = {f"binding/{name}": found[name] for name in LOGGED}
        if rank == 0:
            self.log(told, step=step)
        return told

    def state_dict(self) -> dict[str, Any]:
        """What must be the same after a training is resumed: how many prompts are scored."""
        return {"samples": len(self.samples), "seconds": self.seconds}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up what `state_dict` gave."""
        self.samples, self.seconds = self.samples[: state["samples"]], state["seconds"]

    def _score(self, part: list[Sample], pipeline: Any) -> None:
        with bench.evaluating(pipeline):
            images = pipeline(
                [sample.cell.text for sample in part],
                generator=[torch.Generator().manual_seed(sample.seed) for sample in part],
                **self.call,
            ).images
        before = self.metric.images
        self.metric.update(images, [sample.cell for sample in part])
        verdicts = self.metric.verdicts().set_index("image")["verdict"].to_dict()
        for number, (image, sample) in enumerate(zip(images, part, strict=True), before):
            if len(self.pictures) < self.shown:
                said = verdicts.get(number, "not scored")
                self.pictures.append((image, f"{sample.cell.text}: {said}"))

    def _time_is_left(self, began: float) -> bool:
        return self.seconds is None or time.monotonic() - began < self.seconds

    def _keep(self, done: int, ranks: int) -> None:
        """Fix the prompts by what the slowest rank came to; later scorings take the same."""
        counts: list[Any] = [done]
        if ranks > 1:
            counts = [None] * ranks
            distributed.all_gather_object(counts, done)
        self.samples = self.samples[: min(counts) * ranks]
        self.seconds = None

    @staticmethod
    def _rank() -> tuple[int, int]:
        if distributed.is_available() and distributed.is_initialized():
            return distributed.get_rank(), distributed.get_world_size()
        return 0, 1
