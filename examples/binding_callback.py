"""Colour binding beside the loss, in a training script of diffusers.

In the place where such a script logs its validation images::

    callback = BindingCallback(every=500, log=accelerator.log)
    ...
    callback(global_step, pipeline)

It draws the same prompts from the same noise each time, so that the scores of two steps are paired.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch

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
        Takes a dict of numbers and ``step=``, as ``accelerator.log`` does.
    seeds : int
        Images a prompt.
    batch_size : int
    preset : str
        Grid of the prompts: ``quick`` has 66 prompts of one thing in one colour.
    call : mapping, optional
        More arguments for the pipeline, such as ``num_inference_steps``.
    """

    def __init__(
        self,
        every: int,
        log: Callable[..., object],
        *,
        seeds: int = 1,
        batch_size: int = 16,
        preset: str = "quick",
        call: Mapping[str, Any] | None = None,
    ) -> None:
        cells = [cell for cell in make_grid(preset) if "single" in cell.tags]
        self.samples: list[Sample] = plan(cells, seeds)
        self.every = every
        self.log = log
        self.batch_size = batch_size
        self.call = dict(call or {})
        # Loaded once; each scoring begins with `reset`.
        self.metric = bench.BindingScore()

    def __call__(self, step: int, pipeline: Any) -> dict[str, float] | None:
        """Score and log, where it is time; returns what was logged."""
        if step % self.every:
            return None
        self.metric.reset()
        for start in range(0, len(self.samples), self.batch_size):
            part = self.samples[start : start + self.batch_size]
            with torch.no_grad():
                images = pipeline(
                    [sample.cell.text for sample in part],
                    generator=[torch.Generator().manual_seed(sample.seed) for sample in part],
                    **self.call,
                ).images
            self.metric.update(images, [sample.cell for sample in part])
        # With several processes, each with its share of the samples: self.metric.gather().compute()
        found = self.metric.compute()
        told = {f"binding/{name}": found[name] for name in LOGGED}
        self.log(told, step=step)
        return told
