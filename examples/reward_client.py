"""Colour binding as a reward, from a `bench serve` on this machine or another.

In a trainer in the manner of flow_grpo, beside its other reward functions::

    reward_fn = binding_reward("http://127.0.0.1:8770")
    scores, _ = reward_fn(images, prompts, metadata)

The trainer's own environment needs nothing of Binding Bench: the judge and its libraries are in the
server's. A picture that cannot be judged is NaN, and the trainer should leave it out of its mean.
"""

from __future__ import annotations

import base64
import io
import json
import math
import os
import urllib.request
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from PIL import Image

#: Pictures of one request.
MOST = 64


def binding_reward(
    url: str, *, soft: bool = True, timeout: float = 600.0
) -> Callable[..., tuple[list[float], dict[str, list[str]]]]:
    """Return a reward function.

    Parameters
    ----------
    url : str
        Of the server. Its token, where it asks for one, is read from ``BENCH_SERVE_TOKEN``.
    soft : bool
        Reward the share of the subject in the colour, less the leak, which has a slope everywhere;
        else 1 for ``bound`` and 0 for any other verdict.
    timeout : float
        Seconds for an answer.
    """

    def reward(
        images: Any, prompts: Sequence[str], metadata: Any = None, **_: Any
    ) -> tuple[list[float], dict[str, list[str]]]:
        """Score images: a tensor (N, 3, H, W) in [0, 1], an array (N, H, W, 3), or PIL images."""
        pictures = [encoded(one) for one in images]
        scores: list[float] = []
        reasons: list[str] = []
        for start in range(0, len(pictures), MOST):
            part = zip(pictures[start : start + MOST], prompts[start : start + MOST], strict=True)
            items = [{"image": image, "prompt": prompt} for image, prompt in part]
            for one in ask(url, items, timeout):
                value = one["soft_score" if soft else "score"]
                scores.append(math.nan if value is None else value)
                reasons.append(f"{one['verdict']}: {one['reason']}")
        return scores, {"reasons": reasons}

    return reward


def ask(url: str, items: Sequence[dict[str, str]], timeout: float) -> list[dict[str, Any]]:
    """Send one request, and return what is said of each item."""
    headers = {"Content-Type": "application/json"}
    if token := os.environ.get("BENCH_SERVE_TOKEN"):
        headers["Authorization"] = f"Bearer {token}"
    request = urllib.request.Request(f"{url}/score", json.dumps({"items": items}).encode(), headers)
    with urllib.request.urlopen(request, timeout=timeout) as answer:
        return json.load(answer)["results"]


def encoded(image: Any) -> str:
    """Encode a picture as PNG, in base64."""
    if hasattr(image, "detach"):
        image = (image.detach().float().cpu().clamp(0, 1) * 255).round().byte()
        image = image.permute(1, 2, 0).numpy()
    if not isinstance(image, Image.Image):
        image = Image.fromarray(np.asarray(image))
    file = io.BytesIO()
    image.convert("RGB").save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()
