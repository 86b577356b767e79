"""Weight files: half-precision safetensors, with what the model is in the header."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from prompts.hashing import file_sha256
from reference_models.errors import ModelError

FOLDER = Path(__file__).parent / "weights"


#: Where trainings put what they made, below the folder that they are started in.
TRAININGS = Path("training")


def find_weights(name: str, seed: int | None = None) -> Path:
    """Weight file of a model of the family: the bundled one, or that of a training of one's own.

    Parameters
    ----------
    name : str
    seed : int, optional
        Of a training with ``--seed``, which is never bundled.

    Raises
    ------
    ModelError
        It is not bundled and was not trained; the message has the command.
    """
    bundled = FOLDER / f"{name}.safetensors"
    folder, option = (name, "") if seed is None else (f"{name}-seed{seed}", f" --seed {seed}")
    own = TRAININGS / folder / f"{name}.safetensors"
    for path in (bundled, own) if seed is None else (own,):
        if path.is_file():
            return path
    from reference_models.presets import PRESETS

    if name not in PRESETS:
        known = ", ".join(sorted(PRESETS))
        raise ModelError(
            f"{name} is not bundled and is none that can be trained; these can: {known}"
        )
    raise ModelError(
        f"{folder} is not bundled and {own} is not there; train it: "
        f"python -m reference_models.train --preset {name}{option}"
    )


def write_weights(path: Path, tensors: dict[str, Tensor], facts: dict[str, Any]) -> None:
    """Write tensors in float16, and facts (JSON-able) in the header."""
    halves = {name: tensor.detach().half().contiguous() for name, tensor in tensors.items()}
    save_file(halves, path, {"facts": json.dumps(facts, sort_keys=True)})


def read_weights(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors in float32, and facts.

    Raises
    ------
    ModelError
        No such file, or one that is cut short or no safetensors file.
    """
    if not path.is_file():
        raise ModelError(
            f"no weight file {path}; expected the one that comes with the package: reinstall it"
        )
    try:
        with safe_open(path, "pt") as file:
            facts = json.loads((file.metadata() or {}).get("facts", "{}"))
            tensors = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as error:
        raise ModelError(
            f"weight file {path} is damaged ({error}); expected a whole safetensors file: "
            "reinstall the package or train the model again"
        ) from error
    return tensors, facts


def digest(path: Path) -> str:
    """SHA-256 of a file, hexadecimal; empty where there is none."""
    return file_sha256(path) if path.is_file() else ""


def layers_digest(path: Path, prefixes: tuple[str, ...]) -> str:
    """SHA-256 of those tensors of a file whose names begin so, as they are stored: 20 digits."""
    found = hashlib.sha256()
    with safe_open(path, "np") as file:
        for name in sorted(file.keys()):
            if name.startswith(prefixes):
                found.update(name.encode())
                found.update(file.get_tensor(name).tobytes())
    return found.hexdigest()[:20]


def fill(module: torch.nn.Module, tensors: dict[str, Tensor], prefix: str, path: Path) -> None:
    """Load the tensors under ``prefix`` into a module.

    Raises
    ------
    ModelError
        Names or shapes that do not fit.
    """
    own = {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}
    try:
        module.load_state_dict(own)
    except RuntimeError as error:
        first = str(error).splitlines()[-1].strip()
        raise ModelError(f"weight file {path} is of another model: {first}") from error
