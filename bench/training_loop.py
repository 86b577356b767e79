"""A training that is interrupted to evaluate goes on as if it had not been."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np


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
