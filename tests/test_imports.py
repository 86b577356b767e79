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
#: Rooms of bench, from the top down: each uses those after it. What is loose in bench belongs to
#: the room that is named for it, else to the ground floor. The judge is pure, and stands below the
#: store, which keeps what it gives.
ROOMS = (
    ("cli", "pytest_plugin", "__main__"),
    ("serve",),
    ("api", "metric", ""),
    ("gate", "export", "annotations"),
    ("run",),
    ("importers",),
    ("certificate",),
    ("samplers",),
    ("store",),
    ("judge",),
    ("statistics",),
)
#: Rooms that use the reference models: their world is the known answer of the certificate, their
#: weights are those of the bundled samplers and of the bundled judge.
USES_REFERENCE_MODELS = ("bench/certificate/", "bench/samplers/", "bench/judge/")
#: The study judges its pictures with the suite's own judge, and reads runs with its statistics.
STUDY = "reference_models/study/"
OF_BENCH_FOR_THE_STUDY = (
    "bench.records",
    "bench.errors",
    "bench.store",
    "bench.statistics",
    "bench.judge",
    "bench.run",
)
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
    adapts = name.startswith(USES_REFERENCE_MODELS)
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


def module_of(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def graph_of(files):
    """Return for each module those that it imports, lazily too."""
    modules = {module_of(path) for path in files}
    graph = {}
    for path in files:
        found = set()
        for module, _ in imported(ast.parse(path.read_text(encoding="utf-8"))):
            while module and module not in modules:
                module = module.rpartition(".")[0]
            found.add(module)
        graph[module_of(path)] = found - {"", module_of(path)}
    return graph


def circles(graph):
    """Strongly connected components of more than one module (Tarjan 1972)."""
    number, low, stack, found = {}, {}, [], []

    def visit(module):
        number[module] = low[module] = len(number)
        stack.append(module)
        for other in graph[module]:
            if other not in number:
                visit(other)
                low[module] = min(low[module], low[other])
            elif other in stack:
                low[module] = min(low[module], number[other])
        if low[module] == number[module]:
            at = stack.index(module)
            if len(stack) - at > 1:
                found.append(sorted(stack[at:]))
            del stack[at:]

    for module in graph:
        if module not in number:
            visit(module)
    return found


def test_circles_are_found():
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == [["a", "b", "c"]]
    assert circles({"a": {"b"}, "b": set()}) == []


def test_no_import_goes_in_a_circle():
    assert circles(graph_of(FILES)) == []


def floor_of(module):
    """Return how far down a module of bench stands."""
    room = [*module.split("."), ""][1]
    return next((n for n, rooms in enumerate(ROOMS) if room in rooms), len(ROOMS))


def test_rooms_of_bench_use_those_below_them():
    upward = [
        f"{module} imports {other}"
        for module, found in graph_of(FILES).items()
        for other in found
        if module.startswith("bench.") and other.startswith("bench.")
        if floor_of(other) < floor_of(module)
    ]
    assert upward == []


def test_there_is_something_to_check():
    assert {name_of(path).split("/")[0] for path in FILES} == set(PACKAGES)
