import json

import pytest

from bench import registry
from bench.cli import environment
from bench.cli.environment import DEFAULTS, LIBRARIES, examine
from bench.cli.main import run
from bench.store.paths import place


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    return examine(tmp_path_factory.mktemp("out") / "not" / "yet")


def test_everything_is_told(found):
    told = {(one.topic, one.name): one for one in found}
    for name in ("python", "system", "cores", "memory", "disk"):
        assert told["machine", name].ok
    assert {name for topic, name in told if topic == "library"} == {one[0] for one in LIBRARIES}
    for kind, table in registry.TABLES.items():
        assert {name for topic, name in told if topic == kind} >= set(table)
    for key in DEFAULTS:
        assert told[key].ok
        assert told[key].needed
    assert told["device", "cpu"].ok


def test_screen_holds_it(found, capsys, monkeypatch):
    monkeypatch.setattr(environment, "examine", lambda out: found)
    code = run(["doctor"])
    printed = capsys.readouterr()
    assert code == 0, printed.err
    lines = printed.out.splitlines()
    assert sum(1 + (len(line) - 1) // 80 for line in lines) <= 40
    for name, _, _ in LIBRARIES:
        assert name in printed.out
    assert run(["doctor", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == len(found)


def test_nothing_is_left_behind(tmp_path):
    environment._disk(tmp_path / "a" / "b")
    assert list(tmp_path.iterdir()) == []


def test_missing_library_that_is_needed_is_told_by_the_code(monkeypatch, capsys, found):
    monkeypatch.setattr(environment, "LIBRARIES", (("no-such-thing", True, "tests"),))
    monkeypatch.setattr(environment, "_parts", list)
    assert run(["doctor"]) == 3
    printed = capsys.readouterr()
    assert "NO no-such-thing   missing: tests" in printed.out
    assert "this machine lacks: library no-such-thing" in printed.err


def test_missing_library_that_is_not_needed_is_only_told(monkeypatch, capsys):
    monkeypatch.setattr(environment, "LIBRARIES", (("no-such-thing", False, "more"),))
    monkeypatch.setattr(environment, "_parts", list)
    assert run(["doctor"]) == 0
    assert " - no-such-thing   missing: more" in capsys.readouterr().out


def test_part_that_cannot_be_made_tells_why(monkeypatch):
    broken = {"broken": "tests.bench.cli.test_environment:Broken"}
    monkeypatch.setattr(environment, "TABLES", {"scorer": broken})
    monkeypatch.setitem(registry.TABLES, "scorer", broken)
    (one,) = environment._parts()
    assert not one.ok
    assert one.value == "its weights are missing: get them"


class Broken:
    def __init__(self):
        raise FileNotFoundError("its weights are missing:\nget them")


def test_disk_of_a_remote_store(capsys):
    assert environment._disk(place("memory://bucket/runs")).value.endswith("is a remote store")
