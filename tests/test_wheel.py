"""The built wheel: what is in it, and that it runs where there is no clone.

The wheel is installed alone (``--no-deps --no-index``) into a fresh virtual environment. Its
dependencies are not installed a second time: a ``.pth`` file lends the site-packages of the
environment that runs the tests, after the new environment's own. That the declared dependencies
are enough is what the README's first command shows.
"""

import json
import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path, PurePosixPath

import pytest

from reference_models.presets import PRESETS
from tests.bundled import FILES, ROOT, require_weights

PACKAGES = ("bench", "prompts", "reference_models", "reports")
#: Files that are no code and that the program reads.
DATA = (
    "bench/judge/colour/anchors.csv",
    "bench/judge/colour/terms.json",
    "reference_models/clip/weights/bundled.json",
    "reference_models/clip/weights/merges.txt.gz",
    "reports/static/base.css",
    "reports/static/main.js",
    "reports/templates/page.html",
)
#: Members of the family whose weights come with the wheel; the others are a command away.
MEMBERS = ("local", "local-clean", "local-teacher")
# Three models of the family at 6 MB each, local-sd, the judges (the network over photographs has 10
# MB) and the photoreal test set of 5 MB; an index takes 100 MB.
MOST_BYTES = 55e6


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT],
        check=True,
        capture_output=True,
        text=True,
    )
    (found,) = folder.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def names(wheel) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_wheel_is_the_four_packages_and_nothing_else(wheel, names):
    tops = {PurePosixPath(name).parts[0] for name in names}
    assert tops == {*PACKAGES, f"{'-'.join(wheel.name.split('-')[:2])}.dist-info"}
    assert wheel.stat().st_size < MOST_BYTES


def test_wheel_holds_every_file_of_the_tree(names):
    kinds = {".py", ".html", ".css", ".js", ".csv", ".json", ".gz", ".safetensors", ".md"}
    tree = {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and path.suffix in kinds
    }
    left_out = {PurePosixPath(name) for name in tree - names}
    assert {path.suffix for path in left_out} == {".safetensors"}
    assert {path.parent.as_posix() for path in left_out} == {"reference_models/weights"}
    assert not {path.stem for path in left_out} & {*MEMBERS, "classifier"}
    assert all(path.stem in PRESETS for path in left_out)
    assert set(DATA) <= names


def test_wheel_holds_the_licence(names):
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)


def test_wheel_holds_the_weights(names):
    require_weights()
    assert {name for name in FILES if PurePosixPath(name).stem != "local-atomic"} <= names
    kept = {
        PurePosixPath(name).stem
        for name in names
        if name.startswith("reference_models/weights/local") and name.endswith(".safetensors")
    }
    assert kept == set(MEMBERS)


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Path:
    """The folder of the scripts of a fresh environment with the wheel in it."""
    home = tmp_path_factory.mktemp("venv")
    venv.create(home, with_pip=False, symlinks=os.name != "nt")
    python = home / ("Scripts" if os.name == "nt" else "bin") / "python"
    own = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    pip = [sys.executable, "-m", "pip", "--python", python, "--disable-pip-version-check"]
    subprocess.run(
        [*pip, "install", "--quiet", "--no-deps", "--no-index", wheel],
        check=True,
        capture_output=True,
        text=True,
    )
    (Path(own) / "lent.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python.parent


def bench(installed: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return subprocess.run(
        [installed / "bench", *arguments],
        cwd=folder,
        env=kept,
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_installed_code_is_the_wheels_own(installed, tmp_path):
    code = "import bench, prompts, reports; print(bench.__file__, reports.__file__)"
    done = subprocess.run(
        [installed / "python", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    for path in done.stdout.split():
        assert Path(path).is_relative_to(installed.parent)


def test_help_version_and_models(installed, tmp_path):
    help_page = bench(installed, tmp_path, "--help")
    assert help_page.returncode == 0, help_page.stderr
    assert help_page.stdout.startswith("Usage: bench ")
    assert bench(installed, tmp_path, "--version").stdout.startswith("bench 0.")
    models = bench(installed, tmp_path, "models")
    assert models.returncode == 0, models.stderr
    assert "local" in models.stdout
    assert "not installed" not in models.stdout
    assert "to train: python -m reference_models.train --preset local-dit" in models.stdout
    assert list(tmp_path.iterdir()) == []


def test_run_and_report_from_an_empty_folder(installed, tmp_path):
    require_weights()
    made = bench(installed, tmp_path, "run", "--model", "local", "--limit", "8", "--json")
    assert made.returncode == 0, made.stderr
    assert json.loads(made.stdout)["stored"] == 8
    page = bench(installed, tmp_path, "report")
    assert page.returncode == 0, page.stderr
    html = (tmp_path / page.stdout.strip()).read_text(encoding="utf-8")
    assert html.lower().startswith("<!doctype html>")
