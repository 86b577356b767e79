"""How colour binding is measured: samplers, regions, colour naming, scorers, statistics, store.

From Python: `score_images` judges images that exist, `BindingScore` is a metric for a training
loop.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bench.api import score_images
    from bench.metric import BindingScore, evaluating

__all__ = ["BindingScore", "evaluating", "score_images"]


def __getattr__(name: str) -> Any:
    """Import the public names when they are first used."""
    if name in __all__:
        from bench.package_names import require_own

        require_own()
        if name == "evaluating":
            from bench.metric import evaluating

            return evaluating
        if name == "BindingScore":
            from bench.metric import BindingScore

            return BindingScore
        from bench.api import score_images

        return score_images
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
