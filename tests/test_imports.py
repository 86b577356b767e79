"""Imports run one way: read from the syntax trees, so that lazy imports count too."""

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("prompts", "reference_models", "bench", "reports")

#: Whom a package may import of the four.
ALLOWED = {
    "prompts": {"prompts"},
    "reference_models": {"reference_models", "prompts"},
    "bench": {"bench", "prompts"},
    "reports": {"reports", "prompts", "bench"},
}
#: The command modules are where all meet.
MEETING_PLACES = ("bench/cli/", "bench/cli/main.py")
#: The adapters for the bundled models and the known-answer suite, by words of their paths.
ADAPTERS = (
    "bundled",
    "local",
    "bench/known",
    "calibrate",
    "validate",
    "validation",
    "certificate",
)
#: The study looks at runs of the suite with the suite's own statistics.
STUDY = "reference_models/study/"
OF_BENCH_FOR_THE_STUDY = ("bench.records", "bench.store", "bench.statistics", "bench.judge.colour")
#: What reports may import of bench: records, errors, the store, and the pure rooms above it.
OF_BENCH_FOR_REPORTS = (
    "bench.records",
    "bench.errors",
    "bench.store",
    "bench.statistics",
    "bench.judge.colour",
)
#: Never at the top of a command module.
HEAVY = {"torch", "diffusers", "open_clip", "skimage", "pandas", "numpy", "scipy", "pyarrow", "ray",
         "transformers", "PIL", "rich", "jinja2", "pydantic", "matplotlib"}  # fmt: skip

FILES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


def imported(tree):
    """Yield (module, node) for every import anywhere in a tree; relative ones as ``.``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                yield "." * node.level + (node.module or ""), node
            else:
                for alias in node.names:
                    yield f"{node.module}.{alias.name}", node


def name_of(path):
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_imports(path):
    name = name_of(path)
    package = name.split("/")[0]
    tree = ast.parse(path.read_text(encoding="utf-8"))
    meets = name.startswith(MEETING_PLACES)
    adapts = package == "bench" and any(word in name for word in ADAPTERS)
    for module, node in imported(tree):
        where = f"{name}:{node.lineno} imports {module}"
        top = module.split(".")[0]
        assert not module.startswith("."), f"{where}: relative"
        if package == "prompts":
            assert top == "prompts" or top in sys.stdlib_module_names, where
        if top in PACKAGES and not meets:
            allowed = top in ALLOWED[package] or (adapts and top == "reference_models")
            allowed |= name.startswith(STUDY) and module.startswith(OF_BENCH_FOR_THE_STUDY)
            assert allowed, where
        if package == "reports" and top == "bench":
            assert module.startswith(OF_BENCH_FOR_REPORTS), where


@pytest.mark.parametrize(
    "path", [p for p in FILES if name_of(p).startswith(MEETING_PLACES)], ids=name_of
)
def test_commands_are_lazy(path):
    body = ast.parse(path.read_text(encoding="utf-8")).body
    for statement in body:
        if isinstance(statement, ast.Import | ast.ImportFrom):
            for module, node in imported(ast.Module([statement], [])):
                top = module.split(".")[0]
                assert top not in HEAVY, f"{name_of(path)}:{node.lineno} imports {module}"


def test_there_is_something_to_check():
    assert {name_of(path).split("/")[0] for path in FILES} == set(PACKAGES)
