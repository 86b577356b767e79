"""Training on several devices: every process draws its own pictures, gradients are averaged.

``accelerate launch -m reference_models.train --preset NAME`` starts the processes. Weights begin
alike by the common seed and stay alike, because each step takes the same mean gradient everywhere.
"""

from __future__ import annotations

from typing import Any

import click
import torch
from torch import Tensor, nn


class SingleProcess:
    """One process on one device."""

    rank, count = 0, 1

    def __init__(self, device: str) -> None:
        self.device = torch.device(device)

    def average(self, model: nn.Module) -> None:
        """Nothing to average."""

    def gather(self, value: Tensor) -> Tensor:
        """The value itself."""
        return value

    def wait(self) -> None:
        """Nobody to wait for."""

    def end(self) -> None:
        """Nobody to part from."""


class ProcessGroup:
    """The processes that ``accelerate launch`` started.

    Attributes
    ----------
    rank, count : int
        Of this process, and of all.
    device : torch.device
        Of this process.
    """

    def __init__(self, accelerator: Any) -> None:
        self._accelerator = accelerator
        self.rank: int = accelerator.process_index
        self.count: int = accelerator.num_processes
        self.device: torch.device = accelerator.device

    def average(self, model: nn.Module) -> None:
        """Replace every gradient by its mean over the processes."""
        for p in model.parameters():
            if p.grad is not None:
                p.grad.copy_(self._accelerator.reduce(p.grad, reduction="mean"))

    def gather(self, value: Tensor) -> Tensor:
        """Mean of a scalar over the processes."""
        return self._accelerator.reduce(value, reduction="mean")

    def wait(self) -> None:
        """Wait until all have come here."""
        self._accelerator.wait_for_everyone()

    def end(self) -> None:
        """Wait for the others, then part: one that leaves early can abort the rest."""
        self.wait()
        self._accelerator.end_training()


def workplace(device: str | None) -> SingleProcess | ProcessGroup:
    """Where this process trains: the device asked for, or its place among several processes.

    Raises
    ------
    click.UsageError
        Several processes were started and a device was asked for.
    """
    import os

    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        return SingleProcess(device or "cpu")
    if device is not None:
        raise click.UsageError(
            f"--device {device} goes with one process; accelerate gives each of several its own"
        )
    from accelerate import Accelerator

    return ProcessGroup(Accelerator())
