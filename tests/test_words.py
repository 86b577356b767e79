"""One name, one meaning: read from the syntax trees."""

import ast
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("prompts", "reference_models", "bench", "reports")
FILES = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]

#: Words that no reader would search for, where the field has a term (CONTRIBUTING, glossary).
PRIVATE = {
    "muster", "hear", "mourn", "bury", "told", "tell", "said", "asked", "found", "heard", "lent",
    "lend", "glance", "crew", "station", "heirs", "hand_over",
    "look", "share_out",
}  # fmt: skip
#: Where the word is a field of a public record or of a file format, and means just that.
KEPT = {"found"}


def trees():
    for path in FILES:
        yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text(encoding="utf-8"))


def test_no_class_name_stands_twice():
    places = defaultdict(list)
    for name, tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                places[node.name].append(f"{name}:{node.lineno}")
    twice = {name: where for name, where in places.items() if len(where) > 1}
    assert not twice, twice


@pytest.mark.parametrize("kind", ["module", "function", "argument"])
def test_no_name_is_a_private_word(kind):
    names = []
    for name, tree in trees():
        if kind == "module":
            names += [(Path(name).stem, name)]
            continue
        for node in ast.walk(tree):
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            where = f"{name}:{node.lineno} {node.name}"
            if kind == "function":
                names += [(node.name, where)]
            else:
                every = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
                names += [(one.arg, f"{where}({one.arg})") for one in every]
    private = [where for word, where in names if word.strip("_") in PRIVATE - KEPT]
    assert not private, "\n".join(private)


def test_glossary_has_no_term_twice():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    table = text.split("## Glossary")[1].split("\n## ")[0]
    rows = [line.split("|")[1].strip() for line in table.splitlines() if line.startswith("| ")]
    terms = [term for row in rows[1:] for term in row.split(", ")]
    assert len(terms) > 40
    assert len(terms) == len(set(terms))
