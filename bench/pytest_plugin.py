"""Binding as a test: a fixture ``binding_run`` for pytest, with ``assert_no_regression``.

Loaded by pytest in every project where the package is installed: nothing heavy is imported before
a test asks for the fixture.
"""

from __future__ import annotations

import contextlib
import os
import shlex
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from bench.gate.decide import Decision
    from bench.records import Estimate

#: Setting, and its help. Each is an ini value ``binding_...`` and an option ``--binding-...``.
SETTINGS = {
    "run": "folder of a run that exists",
    "model": "model to make the run with, as for `bench run --model`",
    "options": "more options of `bench run`",
    "out": "folder of the runs (default: runs)",
    "baseline": "file that `bench baseline` wrote",
}

_TOLD = pytest.StashKey[list[str]]()


class BindingRun:
    """A finished run, to make assertions about.

    Attributes
    ----------
    folder : Path
    baseline : Path or None
        The one that was set for the session.
    """

    def __init__(
        self, folder: Path, baseline: Path | None = None, notes: list[str] | None = None
    ) -> None:
        self.folder = folder
        self.baseline = baseline
        self._told = [] if notes is None else notes

    def estimate(self, metric: str = "binding_score", group: str = "all") -> Estimate:
        """Return one estimate: value, interval, numbers of images and cells.

        Raises
        ------
        KeyError
            There is none of this metric in this group.
        """
        from bench.run.derive import current_estimates
        from bench.store.run import Run

        for one in current_estimates(Run(self.folder)):
            if (one.metric, one.group) == (metric, group):
                return one
        raise KeyError(f"{self.folder} has no estimate {metric!r} of {group!r}")

    def check(
        self,
        baseline: str | Path | None = None,
        *,
        margin: float = 0.02,
        alpha: float = 0.05,
        strict: bool = False,
        allow: Collection[str] = (),
    ) -> Decision:
        """Compare the run with a baseline, as ``bench check`` does.

        Raises
        ------
        bench.errors.BenchError
            No baseline, or one that cannot be compared with the run.
        """
        from bench.errors import UsageError
        from bench.gate.check import check

        chosen = self.baseline if baseline is None else Path(baseline)
        if chosen is None:
            raise UsageError("no baseline: give one here, or set --binding-baseline FILE")
        decision = check(self.folder, chosen, margin, alpha, strict, allow)
        self._told.append(decision.sentence)
        return decision

    def assert_no_regression(
        self,
        baseline: str | Path | None = None,
        *,
        margin: float = 0.02,
        alpha: float = 0.05,
        strict: bool = False,
        allow: Collection[str] = (),
    ) -> Decision:
        """Fail where `bench check` would not leave with code 0: see `check` for the parameters."""
        __tracebackhide__ = True
        from bench.errors import BenchError

        try:
            decision = self.check(baseline, margin=margin, alpha=alpha, strict=strict, allow=allow)
        except BenchError as error:
            pytest.fail(str(error), pytrace=False)
        if decision.code != 0:
            worst = "".join(f"\n  {one.words}" for one in decision.changes)
            pytest.fail(decision.sentence + worst, pytrace=False)
        return decision


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the settings to the command line and to the ini file."""
    group = parser.getgroup("binding-bench")
    for name, words in SETTINGS.items():
        group.addoption(f"--binding-{name}", metavar="X", help=words)
        parser.addini(f"binding_{name}", words)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Tell the verdicts, those that passed too."""
    told = config.stash.get(_TOLD, [])
    if told:
        terminalreporter.section("Binding Bench")
        for line in told:
            terminalreporter.line(line)


@pytest.fixture(scope="session")
def binding_run(pytestconfig: pytest.Config) -> BindingRun:
    """Give the run that was named, or made with the model that was named."""
    root = pytestconfig.rootpath
    told = pytestconfig.stash.setdefault(_TOLD, [])
    baseline = _setting(pytestconfig, "baseline")
    model, run = _setting(pytestconfig, "model"), _setting(pytestconfig, "run")
    if not run and not model:
        pytest.fail(
            "binding_run needs a run: set --binding-run FOLDER, or --binding-model MODEL to make "
            "one (or binding_run, binding_model in the ini file)",
            pytrace=False,
        )
    if baseline and not (root / baseline).is_file():
        # Before the images are made, which takes long.
        made = f"bench run --model {model} --name pytest" if model else "bench run ..."
        pytest.fail(
            f"there is no baseline {root / baseline}; write it with `{made}` and "
            f"`bench baseline {run or 'pytest'} --out {baseline}`",
            pytrace=False,
        )
    folder = root / run if run else _make(pytestconfig, model)
    return BindingRun(folder, root / baseline if baseline else None, told)


def _setting(config: pytest.Config, name: str) -> str:
    given = config.getoption(f"--binding-{name}")
    return str(given if given is not None else config.getini(f"binding_{name}"))


def _make(config: pytest.Config, model: str) -> Path:
    """Make the run, or what is missing of it; the command line says what went wrong.

    Processes of pytest-xdist share one: the first makes it, the others wait for it.
    """
    from filelock import FileLock

    from bench.cli.main import run as bench

    out = config.rootpath / (_setting(config, "out") or "runs")
    out.mkdir(parents=True, exist_ok=True)
    session = os.environ.get("PYTEST_XDIST_TESTRUNUID", "")
    made = out / ".pytest-session"
    with FileLock(out / ".pytest.lock"):
        if session and made.is_file() and made.read_text(encoding="utf-8") == session:
            return out / "pytest"
        arguments = ["run", "--model", model, "--runs", str(out), "--name", "pytest"]
        if _weights_unknown(out / "pytest"):
            arguments.append("--fresh")
        # Wherever pytest is started, the model and files of options are looked for from the root.
        with contextlib.chdir(config.rootpath):
            code = bench([*arguments, *shlex.split(_setting(config, "options"))])
        if code != 0:
            pytest.fail(f"`bench run --model {model}` left with code {code}", pytrace=False)
        made.write_text(session, encoding="utf-8")
    return out / "pytest"


def _weights_unknown(folder: Path) -> bool:
    """Whether images lie there of which nobody can tell if they are of the weights of today.

    A test that passes on the images of the checkpoint before the last says nothing.
    """
    from bench.errors import BenchError
    from bench.store.manifest import FILE, read_manifest

    if not (folder / FILE).is_file():
        return False
    try:
        return not read_manifest(folder).sampler.weights
    except BenchError:
        return False  # `bench run` says what is wrong with it.
