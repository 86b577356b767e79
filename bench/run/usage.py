"""What a sampler has to account for: requests and money, kept in the record of the run."""

from __future__ import annotations

from typing import Any

from bench.store.manifest import Manifest, write_manifest
from bench.store.run import Run


def with_account(run: Run, sampler: Any) -> Run:
    """Add what a sampler has used since it was made to the record of a run; once a sampler."""
    now = sampler.usage().counts if sampler is not None else {}
    if not now:
        return run
    before = run.manifest.account or {}
    account = {
        key: round(before.get(key, 0) + now.get(key, 0), 6) for key in sorted({*before, *now})
    }
    manifest = run.manifest.model_copy(update={"account": account})
    write_manifest(run.folder, manifest)
    return Run(run.folder, manifest)


def told(run: Run, sampler: Any) -> list[str]:
    """Tell the account of a run and what the sampler remarks, a line each."""
    account = run.manifest.account
    lines = []
    if account is not None and "requests" in account:
        counts = ", ".join(
            f"{int(account[key]):,} {key.replace('_', ' ')}"
            for key in ("requests", "retries", "images", "refused")
            if key in account
        )
        cost = f"; cost {account['cost']:,.2f}" if "cost" in account else ""
        lines.append(f"{run.manifest.sampler.name}: {counts} in all{cost}")
    remarks = sampler.usage().remarks if sampler is not None else ()
    return [*lines, *(f"note: {line}" for line in remarks)]


def model_doubts(manifest: Manifest) -> list[str]:
    """Tell where the model that was asked for is not the model that was scored, a line each."""
    found = [
        f"{one['dropped']:,} of {one['layers']:,} layers of the LoRA {one['name']} found no place "
        "in the model"
        for one in manifest.sampler.options.get("loras", [])
        if one.get("dropped")
    ]
    if cut := int((manifest.account or {}).get("images_cut", 0)):
        found.append(f"the text encoder did not see the whole prompt of {cut:,} images")
    return found
