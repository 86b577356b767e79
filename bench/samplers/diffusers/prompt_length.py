"""Prompts that the text encoders of a pipeline do not see whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bench.samplers.diffusers.errors import quiet

#: A tokenizer without a limit says so by a number beyond all texts.
NO_LIMIT = 1_000_000


def limits(pipeline: Any, arguments: Mapping[str, Any]) -> dict[str, tuple[Any, int]]:
    """Tokenizers of a pipeline by name, each with the tokens that are read with it.

    Parameters
    ----------
    pipeline : DiffusionPipeline
    arguments : mapping
        Resolved arguments of the call; ``max_sequence_length`` is that of encoders other than
        CLIP's.
    """
    found = {}
    for name, part in pipeline.components.items():
        if not hasattr(part, "get_vocab") or not hasattr(part, "model_max_length"):
            continue
        most = int(min(part.model_max_length, NO_LIMIT))
        longer = arguments.get("max_sequence_length")
        if isinstance(longer, int) and "CLIP" not in type(part).__name__:
            most = longer
        if most < NO_LIMIT:
            found[name] = (part, most)
    return found


def unseen_words(prompt: str, tokenizers: Mapping[str, tuple[Any, int]]) -> str:
    """The end of a prompt that no text encoder sees; empty where one of them sees all of it.

    A family with several encoders, such as Stable Diffusion 3, cuts a long prompt for CLIP and
    gives all of it to T5.
    """
    least: str | None = None
    for tokenizer, most in tokenizers.values():
        with quiet():
            ids = tokenizer(prompt, truncation=False)["input_ids"]
        if len(ids) <= most:
            return ""
        special = set(tokenizer.all_special_ids)
        ends = sum(token in special for token in ids[-1:])
        words = tokenizer.decode([i for i in ids[most - ends :] if i not in special]).strip()
        if least is None or len(words) < len(least):
            least = words
    return least or ""
