"""What a sampler has used, and what is known of the model, in words."""

from __future__ import annotations

from bench.protocols import Usage
from bench.store.manifest import Manifest


def account_lines(manifest: Manifest, usage: Usage) -> list[str]:
    """Return what a person should know of a sampler's usage, a line each."""
    lines = []
    account = manifest.account
    if account is not None and "requests" in account:
        counts = ", ".join(
            f"{int(account[key]):,} {key.replace('_', ' ')}"
            for key in ("requests", "retries", "images", "refused")
            if key in account
        )
        cost = f"; cost {account['cost']:,.2f}" if "cost" in account else ""
        lines.append(f"{manifest.sampler.name}: {counts} in all{cost}")
    return [*lines, *(f"note: {line}" for line in usage.remarks)]


def model_doubts(manifest: Manifest) -> list[str]:
    """Tell where the model that was asked for is not the model that was scored, a line each."""
    found = [
        f"{one['dropped']:,} of {one['layers']:,} layers of the LoRA {one['name']} found no place "
        "in the model"
        for one in manifest.sampler.options.get("loras", [])
        if one.get("dropped")
    ]
    if cut := int((manifest.account or {}).get("prompts_truncated", 0)):
        found.append(f"the text encoder truncated the prompt of {cut:,} images")
    return found
