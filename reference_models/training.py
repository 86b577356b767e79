"""The loop that every model of the family is trained in: rates, average, checkpoints, log."""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
import torch
from torch import Tensor, nn

from reference_models.checkpoint import restore, save
from reference_models.ema import Average
from reference_models.optimiser import make_optimisers
from reference_models.parallel import ProcessGroup, SingleProcess
from reference_models.presets import TrainingPreset
from reference_models.scalars import Scalars


def rate(done: float, preset: TrainingPreset) -> float:
    """Factor on the learning rates when a share ``done`` of the training is over."""
    rise = min(1.0, done / preset.warm) if preset.warm else 1.0
    fall = min(1.0, (1 - done) / preset.cool) if preset.cool else 1.0
    return max(0.0, min(rise, fall))


class Training:
    """A training that can be stopped at any moment and goes on from its last checkpoint.

    Parameters
    ----------
    preset : TrainingPreset
    out : Path
        Folder of the training: ``checkpoint.safetensors``, ``log.csv``, ``preset.json``.
    model : nn.Module
    place : SingleProcess or ProcessGroup, optional
        Of this process among several.

    Attributes
    ----------
    average : Average
        The weights to sample with.
    generator : torch.Generator
        Of all that is drawn by chance; restored with the checkpoint.
    facts : dict
        What the checkpoint said; empty at the start.
    scalars : Scalars or None
        Where loss, speed and learning rates are written beside ``log.csv``.
    """

    def __init__(
        self,
        preset: TrainingPreset,
        out: Path,
        model: nn.Module,
        place: SingleProcess | ProcessGroup | None = None,
    ) -> None:
        out.mkdir(parents=True, exist_ok=True)
        self.preset, self.out, self.model = preset, out, model
        self.place = place or SingleProcess("cpu")
        # The batch is shared out; each process draws its part of it by chance of its own.
        self.batch = max(1, preset.batch // self.place.count)
        self.generator = torch.Generator().manual_seed(preset.seed + 1000 * self.place.rank)
        self.average = Average(model, preset.ema)
        self.optimisers = make_optimisers(model, preset.lr, preset.matrix_lr)
        self.step, self.steps = 0, preset.images // preset.batch
        self.seconds = 0.0
        self.facts: dict[str, Any] = {}
        self.scalars: Scalars | None = None
        self.file = out / "checkpoint.safetensors"
        if self.file.exists():
            self.facts = restore(self.file, model, self.average, self.optimisers, self.generator)
            self.step, self.seconds = self.facts["step"], self.facts["seconds"]
            pictures = self.step * preset.batch
            if self.place.rank:
                self.generator.manual_seed(preset.seed + 1000 * self.place.rank + self.step)
            click.echo(f"going on from {self.file}, {pictures:,} pictures seen", err=True)
        (out / "preset.json").write_text(json.dumps(asdict(preset), indent=1))

    def run(
        self,
        loss_of: Callable[[], Tensor],
        facts: Callable[[], dict[str, Any]] = dict,
        sheet: Callable[[Path], None] | None = None,
        every: float = 180.0,
        sheet_every: float = 600.0,
    ) -> None:
        """Train to the end.

        Parameters
        ----------
        loss_of : callable
            Draws a batch; returns its loss, a scalar that can be differentiated.
        facts : callable
            What the checkpoint should say beside step, time and preset.
        sheet : callable, optional
            Writes a sample sheet to a path.
        every, sheet_every : float
            Seconds between checkpoints and between sheets.
        """
        peaks = [[g["lr"] for g in o.param_groups] for o in self.optimisers]
        started = last_save = last_log = last_sheet = time.monotonic()
        before, first, recent = self.seconds, self.step, []
        while self.step < self.steps:
            factor = rate(self.step / self.steps, self.preset)
            for optimiser, lrs in zip(self.optimisers, peaks, strict=True):
                for group, lr in zip(optimiser.param_groups, lrs, strict=True):
                    group["lr"] = lr * factor
            loss = loss_of()
            loss.backward()
            self.place.average(self.model)
            nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
            for optimiser in self.optimisers:
                optimiser.step()
                optimiser.zero_grad()
            self.average.update(self.model)
            recent.append(self.place.gather(loss.detach()))
            self.step += 1
            now = time.monotonic()
            self.seconds = before + now - started
            end = self.step == self.steps
            if self.place.rank:
                continue
            if now - last_log > 15 or end:
                speed = (self.step - first) * self.preset.batch / (now - started)
                self._log(float(torch.stack(recent).mean()), speed)
                last_log, recent = now, []
            if now - last_save > every or end:
                self._save(facts())
                last_save = now
            if sheet is not None and (now - last_sheet > sheet_every or end):
                sheet(self.out / f"sheet-{self.step:06d}.png")
                last_sheet = now

    def _log(self, loss: float, speed: float) -> None:
        preset, pictures = self.preset, self.step * self.preset.batch
        left = (preset.images - pictures) / speed / 60
        click.echo(
            f"{pictures:>9,} of {preset.images:,} pictures  loss {loss:.4f}  "
            f"{speed:.0f}/s  {left:.0f} min left",
            err=True,
        )
        with (self.out / "log.csv").open("a", newline="") as log:
            csv.writer(log).writerow([pictures, round(self.seconds, 1), round(loss, 5)])
        if self.scalars is not None:
            rates = {
                f"learning_rate/{type(one).__name__.lower()}": one.param_groups[0]["lr"]
                for one in self.optimisers
            }
            self.scalars.write(
                {"loss": loss, "pictures_per_second": speed, "pictures": pictures, **rates},
                self.step,
            )

    def _save(self, facts: dict[str, Any]) -> None:
        whole = {
            **facts,
            "step": self.step,
            "seconds": self.seconds,
            "preset": asdict(self.preset),
        }
        save(self.file, self.model, self.average, self.optimisers, self.generator, whole)
