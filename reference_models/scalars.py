"""Scalars of a training for TensorBoard, beside ``log.csv``; an extra."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from reference_models.errors import ModelError


class Scalars:
    """Event files of one training.

    Parameters
    ----------
    folder : Path
        Made where it is missing.
    step : int
        Of the checkpoint that the training goes on from: what an earlier, stopped one wrote of
        later steps is no longer shown.

    Raises
    ------
    ModelError
        TensorBoard is not installed.
    """

    def __init__(self, folder: Path, step: int = 0) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ModuleNotFoundError as error:
            raise ModelError(
                f"--tensorboard needs TensorBoard ({error}); install it with "
                "pip install 'binding-bench[tensorboard]', or leave the option out: log.csv is "
                "written anyway"
            ) from error
        self._writer = SummaryWriter(str(folder), purge_step=step or None)

    def write(self, values: Mapping[str, float], step: int) -> None:
        """Write values by name at a step; they are on disk when it returns."""
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)
        self._writer.flush()

    def close(self) -> None:
        """Close the file."""
        self._writer.close()
