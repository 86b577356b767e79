"""What is kept of certified pictures: the bundled references, and the kind that labelled ones make.

The bundled ones are in safetensors beside this module, those of labelled pictures in the
certificate of ``bench validate --labels PATH --out FILE``. The mathematics of both is in
`bench.judge.out_of_distribution`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from bench.errors import BenchError, UsageError
from bench.judge.out_of_distribution import LEAST_PICTURES, Kind, Reference, with_threshold
from prompts.hashing import content_hash, file_sha256

PATH = Path(__file__).parent / "out_of_distribution.safetensors"
#: The kind that pictures with labels of one's own make.
LABELLED = "labelled"
_PARTS = ("mean", "axes", "variances")


def write_references(path: Path, references: Mapping[str, Reference]) -> None:
    """Write references by network, arrays in half precision."""
    from safetensors.numpy import save_file

    arrays: dict[str, np.ndarray] = {}
    facts: dict[str, Any] = {}
    for network, one in references.items():
        arrays |= {f"{network}/centre": one.centre, f"{network}/spread": one.spread}
        kinds = {}
        for name, kind in one.kinds.items():
            arrays |= {f"{network}/{name}/{part}": getattr(kind, part) for part in _PARTS}
            kinds[name] = {"rest": kind.rest, "threshold": kind.threshold}
        facts[network] = {"weights": one.weights, "kinds": kinds}
    halves = {name: np.ascontiguousarray(array, np.float16) for name, array in arrays.items()}
    save_file(halves, path, {"facts": json.dumps(facts, sort_keys=True)})


@lru_cache(maxsize=2)
def read_references(path: Path = PATH) -> Mapping[str, Reference]:
    """Read references by network.

    Raises
    ------
    BenchError
        The file is missing or damaged.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "np") as file:
            facts = json.loads((file.metadata() or {})["facts"])
            arrays = {name: file.get_tensor(name).astype(np.float32) for name in file.keys()}  # noqa: SIM118
        return {
            network: Reference(
                stored["weights"],
                arrays[f"{network}/centre"],
                arrays[f"{network}/spread"],
                {
                    name: Kind(
                        **{part: arrays[f"{network}/{name}/{part}"] for part in _PARTS},
                        **values,
                    )
                    for name, values in stored["kinds"].items()
                },
            )
            for network, stored in facts.items()
        }
    except (SafetensorError, OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BenchError(
            f"{path} is missing or damaged ({type(error).__name__}: {error}); reinstall the "
            "package, or make it with python -m bench.cli.fit ood"
        ) from error


def references_hash() -> str:
    """Hash of the bundled references; empty where there are none."""
    return file_sha256(PATH)[:20] if PATH.is_file() else ""


def labelled_kind(network: str, weights: str, values: np.ndarray) -> dict[str, Any]:
    """A kind of one's own from features (N, F), as JSON has it in a certificate.

    Raises
    ------
    UsageError
        Fewer pictures than `LEAST_PICTURES`, or features of other weights than the references.
    """
    reference = read_references()[network]
    if reference.weights != weights:
        raise UsageError(stale(network, reference.weights, weights))
    kind = with_threshold(reference.standardised(values))
    return {
        "network": network,
        "weights": weights,
        "pictures": len(values),
        "rest": kind.rest,
        "threshold": kind.threshold,
        "mean": np.round(kind.mean, 4).tolist(),
        "axes": np.round(kind.axes, 4).tolist(),
        "variances": kind.variances.tolist(),
    }


def read_labelled(path: Path) -> list[dict[str, Any]]:
    """Kinds of one's own that a certificate holds, one a network.

    Raises
    ------
    UsageError
        It is no certificate, one without labelled pictures, damaged, or made with other weights.
    """
    again = "`bench validate --labels PATH --out FILE`"
    try:
        stored = json.loads(path.read_text(encoding="utf-8-sig"))["labelled_kinds"]
        if not stored:
            raise ValueError("too few pictures")
        for one in stored:
            reference = read_references()[one["network"]]
            _kind(one, len(reference.centre))
            if one["weights"] != reference.weights:
                raise UsageError(
                    f"{path} was made with weights {one['weights']} of the network "
                    f"{one['network']!r}, and these are {reference.weights}: {again} makes it again"
                )
        if len({one["network"] for one in stored}) < len(stored):
            raise ValueError("a network twice")
    except (OSError, ValueError, KeyError, TypeError, OverflowError) as error:
        raise UsageError(
            f"{path} holds no labelled pictures ({type(error).__name__}: {error}); expected what "
            f"{again} writes for {LEAST_PICTURES} pictures or more"
        ) from error
    return list(stored)


def with_labelled(stored: Sequence[Mapping[str, Any]]) -> Mapping[str, Reference]:
    """The bundled references, and the kinds of one's own that `read_labelled` gave."""
    found = dict(read_references())
    for one in stored:
        reference = found[one["network"]]
        kinds = {**reference.kinds, LABELLED: _kind(one, len(reference.centre))}
        found[one["network"]] = Reference(
            reference.weights, reference.centre, reference.spread, kinds
        )
    return found


def _kind(stored: Mapping[str, Any], width: int) -> Kind:
    """The kind that JSON holds, of features of a width; ValueError where it can be none."""
    mean, axes, variances = (np.asarray(stored[part], np.float32) for part in _PARTS)
    axes = axes.reshape(-1, width)
    rest, threshold = float(stored["rest"]), float(stored["threshold"])
    if mean.shape != (width,) or variances.shape != (len(axes),):
        raise ValueError(f"mean, axes and variances are not of {width} features")
    if not all(np.isfinite(one).all() for one in (mean, axes, variances)):
        raise ValueError("mean, axes or variances are not finite")
    if not all(0 < one < math.inf for one in (rest, threshold, *variances)):
        raise ValueError("rest, threshold and variances are not all above zero")
    return Kind(mean, axes, variances, rest, threshold)


def stale(network: str, before: str, now: str) -> str:
    """Tell that references were made with other weights of a network."""
    return (
        f"what certified pictures look like to the network {network!r} is known for weights "
        f"{before}, and these are {now}: python -m bench.cli.fit ood makes it again"
    )


def identity(stored: Sequence[Mapping[str, Any]]) -> str:
    """Hash of the kinds of one's own."""
    return content_hash(json.dumps(list(stored), sort_keys=True))
