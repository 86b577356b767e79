"""A result as metadata of a model card on the Hugging Face hub.

Two forms: ``model-index`` in the head of ``README.md`` [1]_, and ``.eval_results/*.yaml`` [2]_,
which needs a benchmark dataset on the hub that the scores are listed under.

References
----------
.. [1] https://huggingface.co/docs/hub/model-cards#evaluation-results
.. [2] https://huggingface.co/docs/hub/eval-results
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.errors import UsageError
from bench.export.target import Staged
from bench.records import Estimate
from bench.store.manifest import Manifest

#: Metrics that travel, and their names for people. The first is the headline.
METRICS: dict[str, str] = {
    "binding_score": "Binding score",
    "binding_given_drawn": "Binding, given drawn",
    "drawn": "Subject drawn",
    "leakage_rate": "Leakage rate",
}
DATASET = "binding-bench"
README = "README.md"
RESULTS = ".eval_results/binding-bench.yaml"


def write(
    manifest: Manifest,
    estimates: Sequence[Estimate],
    target: Staged,
    *,
    out: Path,
    name: str | None = None,
    dataset: str | None = None,
    notes: str = "",
) -> int:
    """Write ``README.md``, and ``.eval_results`` where a dataset is named; returns the metrics.

    Parameters
    ----------
    manifest : Manifest
    estimates : sequence of Estimate
    target : Staged
    out : Path
        Where a ``README.md`` may stand already: its text and other metadata are kept.
    name : str, optional
        Of the model; the run's model where omitted.
    dataset : str, optional
        ``owner/name`` of the benchmark dataset on the hub.
    notes : str
        What a reader should know before the numbers.

    Raises
    ------
    UsageError
        ``dataset`` is no name of the hub, or a ``README.md`` whose metadata cannot be read.
    """
    whole = {one.metric: one for one in estimates if one.group == "all" and one.value == one.value}
    chosen = [whole[metric] for metric in METRICS if metric in whole]
    target.write(README, str(_card(manifest, chosen, out / README, name)))
    if dataset is not None:
        import yaml

        owner, slash, rest = dataset.partition("/")
        if not (owner and slash and rest) or "/" in rest:
            raise UsageError(f"--dataset {dataset!r}; expected OWNER/NAME, as on the hub")
        entries = [_entry(manifest, one, dataset, notes) for one in chosen]
        target.write(RESULTS, yaml.safe_dump(entries, sort_keys=False, allow_unicode=True))
    return len(chosen)


def _card(
    manifest: Manifest, estimates: Sequence[Estimate], existing: Path, name: str | None
) -> Any:
    from huggingface_hub import EvalResult, ModelCard, ModelCardData

    new = [
        EvalResult(
            task_type="text-to-image",
            dataset_type=DATASET,
            dataset_name="Binding Bench",
            dataset_config=manifest.grid.name,
            dataset_revision=manifest.grid.hash,
            dataset_args={"suite": manifest.suite, "seeds": manifest.seeds},
            metric_type=one.metric,
            metric_name=METRICS[one.metric],
            metric_value=round(one.value, 4),
            metric_args=_interval(one),
        )
        for one in estimates
    ]
    model = name or manifest.sampler.name
    if not existing.is_file():
        data = ModelCardData(model_name=model, eval_results=new)
        return ModelCard(
            f"---\n{data.to_yaml()}\n---\n\n# {model}\n\n{_words(manifest, estimates)}"
        )
    try:
        card = ModelCard.load(existing, ignore_metadata_errors=False)
    except Exception as error:
        raise UsageError(f"{existing}: its metadata cannot be read ({error})") from error
    data = card.data
    others = [one for one in data.eval_results or [] if one.dataset_type != DATASET]
    data.eval_results = [*others, *new]
    data.model_name = data.model_name or model
    return card


def _entry(manifest: Manifest, one: Estimate, dataset: str, notes: str) -> dict[str, Any]:
    said = f"grid {manifest.grid.name}, {one.scored} of {one.images} images scored"
    ends = _interval(one)
    if ends:
        said += f", 95% interval {ends['low']} to {ends['high']}"
    return {
        "dataset": {"id": dataset, "task_id": one.metric},
        "value": round(one.value, 4),
        "date": (manifest.finished or manifest.created)[:10],
        "notes": "; ".join(part for part in (said, notes) if part),
    }


def _interval(one: Estimate) -> dict[str, float]:
    if one.low is None or one.high is None:
        return {}
    return {"low": round(one.low, 4), "high": round(one.high, 4)}


def _words(manifest: Manifest, estimates: Sequence[Estimate]) -> str:
    lines = [
        f"Colour binding, measured by Binding Bench on the grid {manifest.grid.name} "
        f"({manifest.images:,} images):",
        "",
        "| metric | value | 95% interval |",
        "|---|---:|---|",
    ]
    for one in estimates:
        ends = _interval(one)
        interval = f"{ends['low']:.1%} to {ends['high']:.1%}" if ends else "none"
        lines.append(f"| {METRICS[one.metric]} | {one.value:.1%} | {interval} |")
    return "\n".join(lines) + "\n"
