"""The command line: which commands there are, and how errors become one line and an exit code.

A command's module is imported when the command is asked for, so that ``bench --help`` is quick.
"""

from __future__ import annotations

import atexit
import contextlib
import importlib
import os
import sys
import threading
from collections.abc import Sequence
from typing import NoReturn

import click

from bench.errors import BenchError

#: Name of a command, its module below ``bench.cli``, and one line of help.
COMMANDS: dict[str, tuple[str, str]] = {
    "run": ("run", "Make and score the images of a grid; go on where it stopped."),
    "score": ("score", "Score pictures that exist already."),
    "show": ("show", "Print the summary of a run."),
    "report": ("report", "Write one HTML page for one run or several."),
    "check": ("check", "Compare a run with a baseline: the gate of a merge."),
    "baseline": ("baseline", "Write the baseline that `bench check` compares with."),
    "plan": ("plan", "Tell how many images a gate needs to see its margin."),
    "agree": ("agree", "Compare the verdicts with labels by people."),
    "export": ("export", "Write a run as PNG files or model-card metadata."),
    "validate": ("validate", "Judge the scorers on scenes whose verdict is known."),
    "serve": ("serve", "Judge pictures that are sent by HTTP, as a reward for trainers."),
    "prompts": ("prompts", "Print the prompts of a grid."),
    "models": ("models", "List the models, segmenters and scorers that can be run."),
    "doctor": ("doctor", "Tell what this machine has and lacks."),
}

#: What numerical libraries read once, when they are loaded; what the user has set stays. A thread
#: of OpenMP that waits for its fellows sleeps instead of spinning: beside a sampler there is a
#: scorer that has work for its core (figures: benchmarks/README.md). Products of NumPy are small,
#: and a run has a thread for each core already.
THREADS = {"OMP_WAIT_POLICY": "PASSIVE", "OPENBLAS_NUM_THREADS": "1"}

INTERRUPTED = 130
INTERNAL = 4


class ReaderGone(Exception):
    """Whoever read our output has closed the pipe (``bench show | head``)."""


class LazyGroup(click.Group):
    """Commands of `COMMANDS`, imported when used."""

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; a closed pipe is told before click or rich make it exit code 1."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:
            raise ReaderGone from error
        except SystemExit as leaving:
            if isinstance(leaving.__context__, BrokenPipeError):
                raise ReaderGone from leaving
            raise

    def list_commands(self, context: click.Context) -> list[str]:
        """Names in the order of the table."""
        return list(COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        """Return the object ``command`` of the command's module."""
        if name not in COMMANDS:
            return None
        module = importlib.import_module(f"bench.cli.{COMMANDS[name][0]}")
        command: click.Command = module.command
        return command

    def resolve_command(
        self, context: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; an unknown one is answered with the nearest."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from bench.registry import unknown

            raise unknown("command", args[0], COMMANDS)
        return super().resolve_command(context, args)

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands from the table, importing none."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


def _print_version(context: click.Context, option: click.Parameter, value: bool) -> None:
    if value and not context.resilient_parsing:
        from importlib import metadata

        try:
            version = metadata.version("binding-bench")
        except metadata.PackageNotFoundError:
            version = "unknown (not installed)"
        click.echo(f"bench {version}")
        context.exit()


#: The backspace is click's mark for lines that stay as they are.
ABOUT = """Measure how text-to-image models bind colours to things.

Ask for a blue potato: does the potato turn blue, or the plate?

\b
bench run --model local       make images, score them, print a summary
bench report                  look at them
"""


@click.group(
    cls=LazyGroup,
    help=ABOUT,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option("--debug", is_flag=True, help="Show the traceback of an unexpected error.")
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Print the version.",
)
@click.pass_context
def cli(context: click.Context, debug: bool) -> None:
    """Print the help where no command is given."""
    if debug:
        os.environ["BENCH_DEBUG"] = "1"
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave with its exit code."""
    for name, value in THREADS.items():
        os.environ.setdefault(name, value)
    from bench.memory import keep_freed_pages, spare_libraries

    keep_freed_pages()
    spare_libraries()
    leave(run(arguments))


def leave(code: int) -> NoReturn:
    """End the process as the interpreter does, without the destructors of libraries of torch.

    Those of the CUDA build of 2.14 take half a second and touch 125 MB for the first time.
    """
    if "torch" not in sys.modules:
        sys.exit(code)
    # The order of Py_FinalizeEx: threads, handlers, streams. Whoever stops a command does not wait
    # for a batch that a scorer still has.
    try:
        if code != INTERRUPTED:
            threading._shutdown()  # type: ignore[attr-defined]
    except KeyboardInterrupt:
        code = INTERRUPTED
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, OSError, ValueError):
            stream.flush()
    os._exit(code)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    0 pass, 1 regression, 2 usage, 3 not comparable or incomplete, 4 internal error, 130
    interrupted.
    """
    try:
        # Not `cli.main`: it makes exit code 1 of a reader that has gone.
        given = sys.argv[1:] if arguments is None else list(arguments)
        with cli.make_context("bench", given) as context:
            code = cli.invoke(context)
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except click.exceptions.Exit as leave:
        return leave.exit_code
    except click.UsageError as error:
        where = error.ctx.command_path if error.ctx else "bench"
        return _fail(f"{error.format_message()} (see `{where} --help`)", 2)
    except click.ClickException as error:
        return _fail(error.format_message(), error.exit_code)
    except BenchError as error:
        _debug()
        return _fail(str(error), error.exit_code)
    except (KeyboardInterrupt, EOFError, click.Abort):
        return _fail("interrupted", INTERRUPTED)
    except (ReaderGone, BrokenPipeError):
        # There is nobody to tell, and nothing to flush to.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        return _unexpected(error)


def _unexpected(error: Exception) -> int:
    from prompts.errors import PromptError

    _debug()
    if isinstance(error, PromptError):
        return _fail(str(error), 2)
    return _fail(
        f"unexpected {type(error).__name__}: {error} (`bench --debug ...` shows where)", INTERNAL
    )


def _fail(message: str, code: int) -> int:
    """One line on stderr."""
    from prompts.errors import printable

    click.echo(f"error: {printable(' '.join(message.split()))}", err=True)
    return code


def _debug() -> None:
    if os.environ.get("BENCH_DEBUG", "") not in ("", "0"):
        import traceback

        traceback.print_exc()
