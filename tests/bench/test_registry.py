import sys

import pytest

from bench import registry
from bench.errors import UsageError


def test_unknown_name_is_answered_with_the_nearest():
    with pytest.raises(UsageError, match=r"unknown scorer 'segmentaton'; did you mean 'segmen"):
        registry.load("scorer", "segmentaton")


def test_a_name_like_nothing_lists_what_there_is():
    with pytest.raises(UsageError, match=r"unknown sampler 'zzz'; known: local"):
        registry.load("sampler", "zzz")


def test_user_part_is_loaded_by_address_from_the_current_folder(tmp_path, monkeypatch):
    (tmp_path / "my_own_part.py").write_text("class Outer:\n    class Inner:\n        pass\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    part = registry.load("scorer", "my_own_part:Outer.Inner")
    assert part.__name__ == "Inner"
    with pytest.raises(UsageError, match="unknown attribute of my_own_part 'Outr'; did you mean"):
        registry.load("scorer", "my_own_part:Outr")


def test_missing_module_is_named():
    with pytest.raises(UsageError, match="no module named 'no_such_module'"):
        registry.load("sampler", "no_such_module:thing")


@pytest.mark.parametrize("name", ["a b:c", "a:", ":b", "a:b-c", "a/b:c", "a:b:c"])
def test_what_is_no_address_is_an_unknown_name(name):
    with pytest.raises(UsageError, match="unknown sampler"):
        registry.address("sampler", name)


def test_every_entry_is_an_address():
    for kind, table in registry.TABLES.items():
        for name, where in table.items():
            assert registry.address(kind, where) == where, name


def test_models_without_weights_are_to_train_with_the_command(capsys):
    from bench.cli.main import run

    assert run(["models"]) == 0
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines() if line.strip()}
    assert (
        "(to train: python -m reference_models.train --preset local-cov-10)"
        in (lines["local-cov-10"])
    )
    assert "to train" not in lines["local"]
    assert "exact" not in lines


def test_a_module_with_nothing_to_name_lists_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "bare_part.py").write_text("import math\n")
    with pytest.raises(UsageError, match="unknown attribute of bare_part 'load'; it has none"):
        registry.load("sampler", "bare_part:load")
