"""The pytest plugin in a project of its own."""

import subprocess
import sys
import tomllib

import pytest

from bench.gate.baseline import make_baseline
from bench.store.derived import read_estimates, read_verdicts
from tests.bench.runs import make_run
from tests.bench.shapes import DamagedSampler, crew
from tests.bundled import ROOT

pytest_plugins = ("pytester",)

SHAPES = "tests.bench.shapes"
INI = f"""
[pytest]
pythonpath = {ROOT}
filterwarnings = error
binding_model = {SHAPES}:ShapeSampler
binding_options = --segmenter {SHAPES}:ShapeSegmenter --scorer {SHAPES}:MeanScorer
    --colours red,blue --subjects potato,cup --templates single,control --seeds 3
binding_baseline = b.json
"""


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A whole and a damaged run, and the baseline of the whole one.

    They are made here, because pytester forgets the modules that are first imported in its tests.
    """
    folder = tmp_path_factory.mktemp("plugin")
    team = crew()
    whole = make_run(folder / "whole", seeds=12)
    text = make_baseline([(whole.manifest, read_verdicts(whole), read_estimates(whole))])
    (folder / "b.json").write_text(text)
    damaged = type(team)(DamagedSampler(), team.segmenter, team.scorers)
    make_run(folder / "damaged", seeds=12, team=damaged)
    return folder


@pytest.fixture
def project(runs, pytester, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    pytester.makeini(INI)
    return pytester


def run(project, *arguments):
    # Where the package is installed the plugin is loaded under the name of its entry point.
    return project.runpytest_subprocess(
        *("-p", "no:binding_bench", "-p", "bench.pytest_plugin", "-p", "no:cacheprovider"),
        *arguments,
    )


def test_run_is_made_compared_and_told(project):
    project.makepyfile(
        first="""
        import pathlib
        from bench.gate.baseline import make_baseline
        from bench.store.derived import read_estimates, read_verdicts
        from bench.store.run import Run

        def test_write(binding_run):
            run = Run(binding_run.folder)
            text = make_baseline([(run.manifest, read_verdicts(run), read_estimates(run))])
            pathlib.Path("b.json").write_text(text)

        def test_binding(binding_run):
            assert binding_run.assert_no_regression("b.json", margin=0.9).verdict == "pass"
            assert 0 < binding_run.estimate().value < 1
            assert binding_run.estimate(group="colour:blue").cells == 2

        def test_strict(binding_run):
            binding_run.assert_no_regression("b.json", margin=0.001, strict=True)

        def test_other_baseline(binding_run):
            binding_run.assert_no_regression("none.json")
        """
    )
    result = run(project, "first.py", "--binding-baseline=")
    result.assert_outcomes(passed=2, failed=2)
    result.stdout.fnmatch_lines(
        [
            "*underpowered: binding score went from*",
            "*there is no baseline none.json; write it with*",
            "*= Binding Bench =*",
            "pass: binding score went from*",
        ]
    )
    assert "Traceback" not in result.stdout.str()


def test_damaged_model_fails_and_a_missing_one_is_told(project, runs):
    project.makepyfile(
        second="""
        def test_binding(binding_run):
            binding_run.assert_no_regression()
        """
    )
    result = run(
        project, "second.py", f"--binding-run={runs}/damaged", f"--binding-baseline={runs}/b.json"
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["*regression: binding score went from*", "*bound before, 0 of 12 now*"]
    )
    result = run(project, "second.py", "--binding-model=", "-o", "binding_model=")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*binding_run needs a run: set --binding-run FOLDER*"])


def test_processes_of_xdist_share_one_run_in_any_folder(project):
    project.mkdir("sub")
    for name in ("test_a", "test_b"):
        text = "def test_it(binding_run):\n    assert binding_run.estimate().value > 0\n"
        (project.path / "sub" / f"{name}.py").write_text(text)
    result = run(project, "-n", "2", "--dist", "loadfile", "--binding-baseline=", "sub")
    result.assert_outcomes(passed=2)
    assert [one.name for one in (project.path / "runs").glob("[!.]*")] == ["pytest"]


def test_images_of_unknown_weights_are_not_those_of_an_earlier_session(project, monkeypatch):
    # Workers of one session share a run; here each inner session is one of its own.
    monkeypatch.delenv("PYTEST_XDIST_TESTRUNUID", raising=False)
    project.makepyfile(
        own="""
        from pathlib import Path
        import numpy as np

        def load():
            shade = int(Path("checkpoint.txt").read_text())

            def draw(prompts, generators):
                with open("drawn.txt", "a") as file:
                    file.write(str(shade) * len(prompts))
                noise = np.random.default_rng(shade)
                return [noise.integers(0, 255, (64, 64, 3), np.uint8) for _ in prompts]

            return draw
        """,
        test_it="def test_it(binding_run):\n    pass\n",
    )
    drawn, seen = project.path / "drawn.txt", []
    for shade in (1, 2):
        (project.path / "checkpoint.txt").write_text(str(shade))
        run(
            project, "--binding-model=own:load", "--binding-baseline=", "test_it.py"
        ).assert_outcomes(passed=1)
        seen.append(drawn.read_text())
    assert set(seen[0]) == {"1"}
    assert seen[1] == seen[0] + "2" * len(seen[0])


def test_a_missing_baseline_is_told_before_an_image_is_made(project):
    project.makepyfile(third="def test_binding(binding_run):\n    pass\n")
    result = run(project, "third.py")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*there is no baseline *b.json; write it with `bench run *"])
    assert not (project.path / "runs").exists()


def test_pytest_starts_without_torch():
    code = (
        "import sys, bench.pytest_plugin\n"
        "heavy = {'torch', 'numpy', 'pandas', 'open_clip', 'diffusers'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_plugin_is_an_entry_point():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["entry-points"]["pytest11"] == {"binding_bench": "bench.pytest_plugin"}
