"""What ``--clip`` can say, read into one value before anything heavy is imported."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bench.errors import UsageError

#: Suffixes of files that can run code when they are read.
_PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle")

#: In the place of a tag: weights of one's own, with the defaults of open_clip.
PLAIN = "plain"

_FORMS = (
    "'bundled', 'tipsv2', 'MODEL:TAG' (ViT-B-16:openai), 'MODEL:TAG=FILE.safetensors', "
    "'MODEL:FILE.safetensors' or 'CONFIG.json:FILE.safetensors'"
)


@dataclass(frozen=True, slots=True)
class ClipSpec:
    """A CLIP to load.

    Attributes
    ----------
    name : str
        What the user wrote.
    model : str
        open_clip model name; empty where ``config`` is given.
    config : Path or None
        A model config of the user's own (JSON).
    weights : Path or None
        A safetensors file.
    tag : str
        open_clip pretrained tag; beside a file the one that its weights are of.
    """

    name: str
    model: str = ""
    config: Path | None = None
    weights: Path | None = None
    tag: str = ""

    @property
    def label(self) -> str:
        """What stands in the record: the name, without the way to a file."""
        if self.weights is None or self.name == "bundled":
            return self.name
        left = self.config.name if self.config else self.model
        return f"{left}:{f'{self.tag}=' if self.tag else ''}{self.weights.name}"


def parse_spec(spec: str) -> ClipSpec:
    """Read ``bundled``, ``MODEL:TAG``, ``MODEL:TAG=FILE``, ``MODEL:FILE`` or ``CONFIG.json:FILE``.

    Raises
    ------
    UsageError
        Where the form is unknown, a file is missing, or the weights are a pickle.
    """
    if spec == "bundled":
        return ClipSpec(spec)
    left, colon, right = spec.partition(":")
    if not colon or not left or not right:
        raise UsageError(f"--clip {spec!r} is not understood; expected {_FORMS}")
    config = None
    if left.endswith(".json"):
        config = Path(left)
        if not config.is_file():
            raise UsageError(f"--clip {spec!r}: no model config at {left}")
    tag, equals, file = right.partition("=")
    tagged = bool(equals) and "/" not in tag and config is None
    right = file if tagged else right
    if not tagged and not _looks_like_file(right):
        if config is not None:
            raise UsageError(f"--clip {spec!r}: a config needs a weights file, expected {_FORMS}")
        return ClipSpec(spec, model=left, tag=right)
    weights = Path(right)
    refuse_pickle(weights)
    if not weights.is_file():
        raise UsageError(f"--clip {spec!r}: no weights file at {right}")
    model = "" if config else left
    return ClipSpec(spec, model, config, weights, tag if tagged else "")


def refuse_pickle(path: Path) -> None:
    """Raise where the file's suffix says that reading it can run code."""
    if path.suffix.lower() in _PICKLES:
        raise UsageError(
            f"{path} is a pickle, which can run code when it is read; convert it once, where you "
            "trust it: state = torch.load(FILE, weights_only=True); "
            "safetensors.torch.save_file(state, 'model.safetensors')"
        )


def _looks_like_file(text: str) -> bool:
    path = Path(text)
    return path.suffix.lower() in (".safetensors", *_PICKLES) or "/" in text or path.is_file()
