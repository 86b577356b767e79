"""Write docs/cli.md from the commands themselves.

``python -m docs.cli_reference`` writes it; a test compares it with what the commands say.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import click

from bench.cli.main import COMMANDS, cli

PAGE = Path(__file__).with_name("cli.md")

HEAD = """\
# The command line

Written by `python -m docs.cli_reference` from the commands themselves; do not edit it by hand.

JSON goes to stdout, progress and errors to stderr. An error is one line. Exit codes: 0 pass,
1 regression, 2 usage, 3 not comparable or incomplete, 4 internal error, 130 interrupted.
"""


def page() -> str:
    """Return the text of docs/cli.md."""
    context = click.Context(cli, info_name="bench")
    lines = [HEAD, *_options(cli, context)]
    lines += ["", "| command | does |", "|---|---|"]
    lines += [f"| [`{name}`](#bench-{name}) | {line} |" for name, (_, line) in COMMANDS.items()]
    for name in COMMANDS:
        command = cli.get_command(context, name)
        assert command is not None, name
        inner = click.Context(command, info_name=name, parent=context)
        usage = " ".join(["bench", name, *command.collect_usage_pieces(inner)])
        lines += ["", f"## bench {name}", "", f"`{usage}`", "", _prose(command.help or "")]
        lines += ["", *_options(command, inner)]
    return "\n".join(lines).rstrip() + "\n"


def _options(command: click.Command, context: click.Context) -> Iterator[str]:
    """Yield the lines of the table of options."""
    yield "| option | meaning |"
    yield "|---|---|"
    for option in command.get_params(context):
        if isinstance(option, click.Option) and not option.hidden and "--help" not in option.opts:
            names = ", ".join(f"`{name}`" for name in (*option.opts, *option.secondary_opts))
            yield f"| {names}{_value(option)} | {_cell(_meaning(option))} |"


def _value(option: click.Option) -> str:
    if option.is_flag or option.count:
        return ""
    if isinstance(option.type, click.Choice):
        return f" `{_cell('|'.join(map(str, option.type.choices)))}`"
    return f" `{option.metavar}`" if option.metavar else ""


def _meaning(option: click.Option) -> str:
    said = _prose(option.help or "").rstrip()
    if option.required:
        return f"{said} Required."
    if option.show_default and not option.is_flag:
        return f"{said} [default: `{option.default}`]"
    return re.sub(r"\s*\[default: (.*)\]$", r" [default: \1]", said)


def _prose(text: str) -> str:
    """Help as it stands in the code, without the marks that only click reads."""
    return inspect.cleandoc(text).replace("\b\n", "").strip()


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
