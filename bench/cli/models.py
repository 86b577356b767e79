"""``bench models``: what can be run here."""

from __future__ import annotations

import json

import click


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(as_json: bool) -> None:
    """List the models, segmenters and scorers of the tables, and whether they are installed.

    Your own is named as package.module:attribute.
    """
    from bench.registry import TABLES, is_installed

    found = {
        kind: {
            name: {"address": where, "installed": is_installed(kind, name)}
            for name, where in table.items()
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
            click.echo(f"  {name:<{width}}{entry['address']}{note}")
        if kind == "sampler":
            click.echo(
                f"  {'diffusers':<{width}}a folder, a .safetensors file, or org/name@revision"
            )
            click.echo(
                f"  {'openai-images':<{width}}openai-images:NAME, an image API at --base-url"
            )
        click.echo(f"  {'your own':<{width}}package.module:attribute\n")
