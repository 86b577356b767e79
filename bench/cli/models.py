"""``bench models``: what can be run here."""

from __future__ import annotations

import json

import click


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(as_json: bool) -> None:
    """List the models, segmenters and scorers that have a name here, and which are to train.

    Your own is named as package.module:attribute.
    """
    from bench.registry import TABLES, entry_points, is_installed, training_command

    found = {
        kind: {
            **{
                name: {
                    "address": where,
                    "installed": is_installed(kind, name),
                    "to_train": training_command(name) if kind == "sampler" else None,
                }
                for name, where in table.items()
            },
            **{
                name: {"address": where, "installed": True, "to_train": None}
                for name, where in entry_points(kind).items()
                if name not in table
            },
        }
        for kind, table in TABLES.items()
    }
    if as_json:
        click.echo(json.dumps(found, indent=1))
        return
    titles = {
        "sampler": "models (--model)",
        "segmenter": "segmenters (--segmenter)",
        "scorer": "scorers (--scorer)",
    }
    for kind, entries in found.items():
        click.echo(titles[kind])
        width = max(14, *(len(name) + 2 for name in entries))
        for name, entry in entries.items():
            note = "" if entry["installed"] else "  (not installed)"
            if entry["to_train"]:
                note = f"  (to train: {entry['to_train']})"
            click.echo(f"  {name:<{width}}{entry['address']}{note}")
        if kind == "sampler":
            click.echo(
                f"  {'diffusers':<{width}}a folder, a .safetensors file, or org/name@revision"
            )
            click.echo(
                f"  {'openai-images':<{width}}openai-images:NAME, an image API at --base-url"
            )
        click.echo(f"  {'your own':<{width}}package.module:attribute\n")
