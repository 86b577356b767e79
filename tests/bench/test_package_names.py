"""A project that has packages of its own named as the suite's."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench import package_names


@pytest.fixture
def project(tmp_path):
    for name in ("prompts", "reports"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("MINE = 1\n", encoding="utf-8")
    return tmp_path


def python(project, *arguments):
    path = os.pathsep.join([str(package_names.HOME), *sys.path])
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=project,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


def test_module_runs_where_a_project_has_its_own_prompts(project):
    done = python(project, "-m", "bench", "prompts", "--preset", "quick", "--format", "text")
    assert done.returncode == 0, done.stderr
    assert "a red apple" in done.stdout


def test_import_from_such_a_project_is_one_line_with_the_remedy(project):
    code = "import sys; sys.path.insert(0, '.'); import bench; bench.score_images"
    done = python(project, "-c", code)
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("ImportError: ")
    assert str(project / "prompts") in last
    assert "rename it" in last


def test_own_packages_are_not_foreign():
    assert [package_names.foreign(name) for name in package_names.BESIDE] == [None] * 3
    package_names.require_own()


def test_folder_that_clashes_is_named(project):
    assert package_names.clashes(project) == ["prompts", "reports"]
    assert package_names.clashes(package_names.HOME) == []
    (project / "reference_models.py").write_text("", encoding="utf-8")
    assert package_names.clashes(project) == list(package_names.BESIDE)


def test_folder_without_init_is_no_package_before_ours(tmp_path):
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts" / "first.txt").write_text("a blue potato\n", encoding="utf-8")
    assert package_names.clashes(tmp_path) == []
    done = python(tmp_path, "-c", "import bench; print(bench.score_images.__name__)")
    assert done.stdout.strip() == "score_images", done.stderr


def test_home_is_the_folder_of_bench():
    assert (package_names.HOME / "bench" / "__init__.py").samefile(
        Path(package_names.__file__).with_name("__init__.py")
    )


def test_model_that_wants_its_own_prompts_is_told_why_not(project):
    (project / "my_models.py").write_text("from prompts import MINE\n", encoding="utf-8")
    done = python(project, "-m", "bench", "run", "--model", "my_models:load", "--preset", "quick")
    assert done.returncode == 2
    *notes, line = done.stderr.strip().splitlines()
    assert all(note.startswith("note: ") for note in notes)
    assert "cannot import name 'MINE'" in line
    assert "'prompts' and 'reports' of this folder cannot be imported beside Binding Bench" in line
    assert line.endswith("rename yours")
