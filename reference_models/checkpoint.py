"""Saving and restoring a training: tensors in safetensors, the rest in its header; no pickle."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from reference_models.ema import Average


def save(
    path: Path,
    model: nn.Module,
    average: Average,
    optimisers: list[torch.optim.Optimizer],
    generator: torch.Generator,
    facts: dict[str, Any],
) -> None:
    """Write everything that a restart needs; the old file stays until the new one is whole."""
    tensors: dict[str, Tensor] = {"generator": generator.get_state()}
    for name, p in model.named_parameters():
        tensors[f"model.{name}"] = p.detach()
        tensors[f"ema.{name}"] = average.weights[name]
    for k, optimiser in enumerate(optimisers):
        for index, state in optimiser.state_dict()["state"].items():
            for key, value in state.items():
                tensors[f"optimiser.{k}.{index}.{key}"] = torch.as_tensor(value)
    whole = {name: t.contiguous().clone() for name, t in tensors.items()}
    temporary = path.with_suffix(".partial")
    save_file(whole, temporary, {"facts": json.dumps({**facts, "updates": average.updates})})
    os.replace(temporary, path)


def restore(
    path: Path,
    model: nn.Module,
    average: Average,
    optimisers: list[torch.optim.Optimizer],
    generator: torch.Generator,
) -> dict[str, Any]:
    """Read a file of ``save`` back into the given objects; returns its facts."""
    with safe_open(path, "pt") as file:
        facts: dict[str, Any] = json.loads(file.metadata()["facts"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    with torch.no_grad():
        for name, p in model.named_parameters():
            p.copy_(tensors[f"model.{name}"])
            average.weights[name].copy_(tensors[f"ema.{name}"])
    average.updates = facts["updates"]
    generator.set_state(tensors["generator"])
    for k, optimiser in enumerate(optimisers):
        held = optimiser.state_dict()
        state: dict[int, dict[str, Tensor]] = {}
        for name, value in tensors.items():
            if name.startswith(f"optimiser.{k}."):
                _, _, index, key = name.split(".")
                state.setdefault(int(index), {})[key] = value
        optimiser.load_state_dict({"state": state, "param_groups": held["param_groups"]})
    return facts
