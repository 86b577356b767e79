"""docs/extending.md says what a part must and may have; bench/protocols.py asks for just that."""

import ast
import dataclasses
import inspect
import re

import pytest

from bench import protocols
from bench.run.components import build
from tests.bundled import ROOT

PAGE = (ROOT / "docs/extending.md").read_text(encoding="utf-8")


def rows(section: str, head: str) -> dict[str, str]:
    """Member and ``must`` or ``may`` of one table of the page."""
    text = PAGE.split(f"## {section}\n")[1].split("\n## ")[0]
    parts = map(str.strip, text.split("\n\n"))
    table = next(part for part in parts if part.startswith(f"| {head}"))
    found = re.findall(r"^\| `(\w+)(?:\(.*?\))?` \| (must|may) \|", table, re.MULTILINE)
    assert len(found) == len(table.splitlines()) - 2
    return dict(found)


def members(protocol: type) -> dict[str, str]:
    """Attributes must be there; so must methods, but for those that have a body to inherit."""
    found = dict.fromkeys(protocol.__annotations__, "must")
    tree = ast.parse(inspect.getsource(protocol))
    for function in (one for one in ast.walk(tree) if isinstance(one, ast.FunctionDef)):
        last = function.body[-1]
        empty = isinstance(last, ast.Expr) and getattr(last.value, "value", None) is ...
        found[function.name] = "must" if empty else "may"
    return found


@pytest.mark.parametrize("name", ["Sampler", "Segmenter", "Scorer"])
def test_page_has_every_member(name):
    assert rows(name, "member") == members(getattr(protocols, name))


def test_page_has_every_field_of_the_info():
    fields = {
        field.name: "must" if field.default is dataclasses.MISSING else "may"
        for field in dataclasses.fields(protocols.SamplerInfo)
    }
    assert rows("Sampler", "field of `SamplerInfo`") == fields


def test_nothing_is_asked_that_is_not_declared():
    """No ``getattr`` on a part of a run outside of the check that it is one."""
    for path in (ROOT / "bench/run").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            hook = isinstance(node, ast.Call) and getattr(node.func, "id", "") in (
                "getattr",
                "hasattr",
            )
            assert not hook or path.name in ("components.py", "process_pool.py", "ray_pool.py"), (
                f"{path.name}:{node.lineno}"
            )


@pytest.mark.parametrize("kind", ["sampler", "segmenter", "scorer"])
def test_an_entry_point_of_another_package_is_a_name(kind, tmp_path, monkeypatch):
    """A real installed distribution, as pip leaves it behind."""
    info = tmp_path / "my_parts-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: my-parts\nVersion: 1.0\n")
    classes = {"sampler": "ShapeSampler", "segmenter": "ShapeSegmenter", "scorer": "MeanScorer"}
    (info / "entry_points.txt").write_text(
        f"[binding_bench.{kind}s]\nmy-part = tests.bench.shapes:{classes[kind]}\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    assert type(build(kind, "my-part", {})).__name__ == classes[kind]
