"""The GitHub Action: its shell steps are run as GitHub runs them, with real runs."""

import os
import re
import subprocess
import sys

import pytest
import yaml

from bench.gate.baseline import make_baseline
from bench.store.derived import read_estimates, read_verdicts
from tests.bench.runs import make_run
from tests.bench.shapes import crew
from tests.bundled import ROOT

ACTION = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
STEPS = ACTION["runs"]["steps"]
SHAPES = "tests.bench.shapes"
OPTIONS = (
    f"--segmenter {SHAPES}:ShapeSegmenter --scorer {SHAPES}:MeanScorer "
    "--colours red,blue,green --subjects potato,cup --templates single,control --seeds 3"
)


def perform(folder, **given):
    """Run the steps; returns exit code, outputs, summary and all that was printed."""
    inputs = {name: one.get("default", "") for name, one in ACTION["inputs"].items()}
    inputs |= {"install": "false", "python": sys.executable, **given}

    def filled(text):
        return re.sub(r"\$\{\{ inputs\.([\w-]+) \}\}", lambda m: inputs[m[1]], str(text))

    out, summary = folder / "output.txt", folder / "summary.md"
    for file in (out, summary):
        file.write_text("")
    printed, code = "", 0
    for step in STEPS:
        if "if" in step:
            name, sign, value = re.fullmatch(
                r"inputs\.([\w-]+) (==|!=) '(.*)'", step["if"]
            ).groups()
            if (inputs[name] == value) != (sign == "=="):
                continue
        assert step["shell"] == "bash"
        assert "${{" not in step["run"], "an input in the script itself could be run as code"
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
            cwd=folder,
            capture_output=True,
            text=True,
            env={
                **os.environ,
                **{name: filled(value) for name, value in step.get("env", {}).items()},
                "PYTHONPATH": str(ROOT),
                "GITHUB_ACTIONS": "true",
                "GITHUB_ACTION_PATH": str(ROOT),
                "GITHUB_OUTPUT": str(out),
                "GITHUB_STEP_SUMMARY": str(summary),
            },
        )
        printed += done.stdout + done.stderr
        code = done.returncode
        if code:
            break
    outputs = dict(line.split("=", 1) for line in out.read_text().splitlines())
    return code, outputs, summary.read_text(), printed


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("action")
    code, _, _, printed = perform(
        folder,
        model=f"{SHAPES}:ShapeSampler",
        run="main",
        baseline="none.json",
        **{"run-options": OPTIONS},
    )
    assert code == 2, printed
    from bench.store.run import Run

    run = Run(folder / "runs" / "main")
    text = make_baseline([(run.manifest, read_verdicts(run), read_estimates(run))])
    (folder / "b.json").write_text(text)
    return folder


def test_steps_run_check_and_report(place):
    code, outputs, summary, printed = perform(
        place,
        model=f"{SHAPES}:ShapeSampler",
        baseline="b.json",
        margin="0.9",
        **{"run-options": OPTIONS.replace(" --", "\n  --") + "\n"},
    )
    assert code == 0, printed
    assert (outputs["verdict"], outputs["code"]) == ("pass", "0")
    assert (place / outputs["report"]).stat().st_size > 10_000
    assert (place / outputs["junit"]).is_file()
    assert (place / outputs["run"] / "run.json").is_file()
    assert "check against b.json" in summary.replace("\\", "")
    assert "::notice title=bench check::pass" in printed


def test_failure_of_the_gate_fails_the_step_and_keeps_its_outputs(place):
    make_run(place / "runs" / "other", seeds=3, team=crew(steps=5))
    code, outputs, summary, printed = perform(place, run="other", baseline="b.json")
    assert (code, outputs["verdict"], outputs["code"]) == (3, "not comparable", "3")
    assert "::error title=bench check::not comparable" in printed
    assert "not comparable" in summary


def test_a_run_of_blank_pictures_still_has_a_verdict_and_all_files(tmp_path):
    """The run ends with 3: the comparison is made all the same, and says why not."""
    (tmp_path / "black.py").write_text(
        "import numpy as np\n"
        "def load():\n"
        "    black = np.zeros((64, 64, 3), np.uint8)\n"
        "    return lambda prompts, generators: [black for _ in prompts]\n"
    )
    code, outputs, summary, printed = perform(
        tmp_path,
        model="black:load",
        baseline=str(ROOT / ".ci" / "baseline.json"),
        **{"run-options": OPTIONS},
    )
    assert (code, outputs["verdict"], outputs["code"]) == (3, "not comparable", "3"), printed
    assert "not comparable" in summary
    assert "](" not in summary
    for name in ("report", "junit"):
        assert (tmp_path / outputs[name]).stat().st_size > 100
    assert 'errors="1"' in (tmp_path / outputs["junit"]).read_text()


def test_a_strangers_installation_is_kept():
    install = next(step for step in STEPS if step["name"].startswith("Install"))["run"]
    assert "constraints.txt" not in install
    assert install.index("requirements[@]") < install.index("GITHUB_ACTION_PATH")


def test_the_run_before_is_shown_in_the_report(place):
    code, outputs, _, printed = perform(place, run="main", before="main", baseline="b.json")
    assert code == 0, printed
    assert (place / outputs["report"]).stat().st_size > 10_000


def test_inputs_are_never_run_as_code(place):
    code, _, _, _ = perform(place, run="$(touch hacked)", baseline="b.json; touch hacked")
    assert code == 2
    assert not list(place.rglob("hacked"))


def test_a_run_that_is_not_there_is_no_regression(place, tmp_path):
    code, outputs, _, printed = perform(tmp_path, runs="none", baseline=str(place / "b.json"))
    assert (code, outputs["verdict"], outputs["code"]) == (2, "error", "2"), printed


def test_strict_and_allowed_fields_reach_the_gate(place):
    allow = "sampler\n  grid\n"
    code, outputs, _, printed = perform(
        place, run="main", baseline="b.json", strict="true", margin="0.001", allow=allow
    )
    assert (code, outputs["verdict"]) == (3, "underpowered"), printed


def test_every_output_comes_from_a_step_that_is_there():
    ids = {step.get("id") for step in STEPS}
    for one in ACTION["outputs"].values():
        name, key = re.fullmatch(r"\$\{\{ steps\.(\w+)\.outputs\.(\w+) \}\}", one["value"]).groups()
        assert name in ids
        assert f'echo "{key}=' in next(step for step in STEPS if step.get("id") == name)["run"]


def test_gitlab_job_in_the_page_is_yaml_and_its_commands_are_ours():
    page = (ROOT / "docs/gate.md").read_text(encoding="utf-8")
    blocks = [yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)]
    job = next(block["binding"] for block in blocks if "binding" in block)
    assert any(line.startswith("bench check") for line in job["script"])
    assert job["artifacts"]["reports"]["junit"]
    workflow = next(block for block in blocks if "jobs" in block)
    steps = next(iter(workflow["jobs"].values()))["steps"]
    ours = next(step for step in steps if "binding-bench" in step.get("uses", ""))
    assert set(ours["with"]) <= set(ACTION["inputs"])
