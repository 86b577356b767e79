import json
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pandas as pd
import pytest

from bench.cli.main import run as bench
from bench.errors import NotComparableError, UsageError
from bench.gate import forms
from bench.gate.baseline import comparable, make_baseline, read_baseline
from bench.gate.decide import decide
from bench.gate.fields import require_comparable
from bench.judge import readings
from bench.judge.readings import usual_parts_hash
from bench.store.derived import read_estimates, read_verdicts
from tests.bench.runs import go, make_run
from tests.bench.shapes import crew

ROOT = Path(__file__).parents[3]


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    monkeypatch.setattr(sys, "path", [*sys.path, str(ROOT)])
    return make_run(tmp_path / "runs" / "r", seeds=3)


def text_of(run):
    return make_baseline([(run.manifest, read_verdicts(run), read_estimates(run))])


def test_baseline_is_small_sorted_and_the_same_for_the_same_images(run, tmp_path):
    text = text_of(run)
    assert text == text_of(make_run(tmp_path / "again", seeds=3, batch=5, size=3000))
    stored = json.loads(text)
    assert list(stored["cells"]) == sorted(stored["cells"])
    assert len(text.splitlines()[-3]) < 120
    assert "created" not in text
    assert str(tmp_path) not in text


def test_baseline_comes_back_as_the_verdicts(run, tmp_path):
    (tmp_path / "b.json").write_text(text_of(run))
    about, (verdicts,) = read_baseline(tmp_path / "b.json")
    assert about == json.loads(json.dumps(comparable(run.manifest)))
    keys = ["cell_id", "binding", "index"]
    expected = read_verdicts(run)[[*keys, "verdict"]].sort_values(keys)
    found = verdicts.sort_values(keys)
    assert found.values.tolist() == expected.values.tolist()


def test_a_thousand_cells_take_less_than_200_kb():
    import pandas as pd

    from bench.gate.baseline import _cells

    rows = [
        (f"single/yellow/aubergine-{n:04d}", 0, i, "bound") for n in range(1000) for i in range(4)
    ]
    cells = _cells(pd.DataFrame(rows, columns=["cell_id", "binding", "index", "verdict"]))
    assert len(json.dumps(cells)) < 150_000


def test_unfinished_and_limited_runs_have_no_baseline(tmp_path):
    run, _ = go(tmp_path / "r", limit=4)
    with pytest.raises(NotComparableError, match="--limit 4"):
        text_of(run)
    with pytest.raises(NotComparableError, match="is not finished"):
        make_baseline([(run.manifest.model_copy(update={"finished": None}), None, [])])


@pytest.mark.parametrize(
    ("content", "error", "words"),
    [
        (None, UsageError, r"there is no baseline .*b\.json; write it with `bench baseline RUN"),
        ("nonsense", UsageError, "is no baseline: line 1 cannot be read as JSON; write it again"),
        ('{"a": 1,,', UsageError, "line 1 cannot be read as JSON"),
        ("{}", UsageError, "is no baseline: it names no format"),
        ("[]", UsageError, "is no baseline: it names no format"),
        ('{"format": 9}', NotComparableError, "has format 9, and this release reads 1 and 2"),
        ('{"format": 2, "about": {}}', UsageError, "it has no 'cells'"),
        ('{"format": 2, "cells": {}}', UsageError, "it has no 'about'"),
        ('{"format": 1, "about": {}, "cells": {"a": {}}}', UsageError, "'a' has no verdicts"),
        ('{"format": 2, "about": {}, "cells": {"a": [3]}}', UsageError, "'a' has no verdicts"),
        ('{"format": 2, "about": {}, "cells": {"a": ["bQ"]}}', UsageError, "no verdict 'Q'"),
        ('{"format": 2, "about": {}, "cells": {}}', UsageError, "has no image of any cell"),
    ],
)
def test_bad_baseline_is_told_in_words(tmp_path, content, error, words):
    path = tmp_path / "b.json"
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(error, match=words) as caught:
        read_baseline(path)
    assert "Error" not in str(caught.value)


def test_a_baseline_of_the_first_format_is_read(tmp_path):
    path = tmp_path / "b.json"
    cells = {"a": {"images": "bg- bb-", "n": 4, "bound": 3, "background": 1}}
    path.write_text(json.dumps({"format": 1, "about": {"seeds": 3, "suite": "1"}, "cells": cells}))
    about, (verdicts,) = read_baseline(path)
    assert about == {"suite": "1"}
    assert verdicts.values.tolist() == [
        ["a", 0, 0, "bound"],
        ["a", 0, 1, "background"],
        ["a", 1, 0, "bound"],
        ["a", 1, 1, "bound"],
    ]


def test_a_baseline_of_several_runs_comes_back_as_their_verdicts(run, tmp_path, capsys):
    other = make_run(tmp_path / "runs" / "s", seeds=2)
    assert bench(["baseline", "r", "s", "--out", "b.json"]) == 0
    assert "the same weights" in capsys.readouterr().err
    _, runs = read_baseline(tmp_path / "b.json")
    for found, one in zip(runs, (run, other), strict=True):
        assert sorted(found.values.tolist()) == sorted(
            read_verdicts(one)[["cell_id", "binding", "index", "verdict"]].values.tolist()
        )
    assert bench(["check", "r", "--baseline", "b.json", "--json"]) == 0
    printed = capsys.readouterr().out
    assert "the 2 runs of the baseline" in json.loads(printed)["null"]
    assert any("judgements a cell" in line for line in json.loads(printed)["warnings"])


def test_runs_of_one_baseline_are_two_runs_and_made_alike(run, tmp_path, capsys):
    assert bench(["baseline", "r", "r", "--out", "b.json"]) == 2
    assert "given twice" in capsys.readouterr().err
    make_run(tmp_path / "runs" / "other", seeds=3, team=crew(steps=5))
    assert bench(["baseline", "r", "other", "--out", "b.json"]) == 3
    assert (
        "cannot stand in one baseline: sampler.steps is 4 in one and 5 in"
        in capsys.readouterr().err
    )
    assert not Path("b.json").exists()


ABOUT = {
    "suite": "1",
    "grid": "abc",
    "image_size": [64, 64],
    "segmenter": {"name": "clip", "weights": "w1"},
    "scorers": {"clip": {"weights": "w1"}},
    "sampler": {"steps": 8},
}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"suite": "2"}, "suite"),
        ({"grid": "abd"}, "grid"),
        ({"image_size": [32, 32]}, "image_size"),
        ({"segmenter": {"name": "saliency", "weights": "w1"}}, "segmenter.name"),
        ({"scorers": {"clip": {"weights": "w2"}}}, "scorers.clip.weights"),
        ({"scorers": {}}, "scorers.clip.weights"),
        ({"sampler": {"steps": 9}}, "sampler.steps"),
        ({"sampler": {"steps": 8, "shift": 1}}, "sampler.shift"),
    ],
)
def test_what_differs_is_named_and_can_be_let_through(change, field):
    other = {**ABOUT, **change}
    with pytest.raises(NotComparableError, match=f"cannot compare: {field} was") as caught:
        require_comparable(ABOUT, other)
    assert caught.value.exit_code == 3
    assert f"--allow {field}" in str(caught.value)
    for name in (field, field.split(".")[0]):
        (line,) = require_comparable(ABOUT, other, [name])
        assert line.startswith(f"{field} differs")


def test_the_table_of_usual_parts_is_one_of_the_rules(run, monkeypatch):
    before = comparable(run.manifest)
    usual_parts_hash.cache_clear()
    monkeypatch.setattr(readings, "_usual_parts", lambda: {"house": {"gray": 0.1}})
    try:
        with pytest.raises(NotComparableError, match=r"rules\.usual_parts was"):
            require_comparable(before, comparable(run.manifest))
    finally:
        usual_parts_hash.cache_clear()


def test_unknown_field_to_allow_has_a_nearest():
    with pytest.raises(UsageError, match=r"did you mean 'sampler\.steps'"):
        require_comparable(ABOUT, ABOUT, ["sampler.step"])


def test_baseline_and_check_from_the_command_line(run, tmp_path, capsys, monkeypatch):
    assert bench(["baseline", "--out", "b.json"]) == 0
    first = Path("b.json").read_bytes()
    assert bench(["baseline", "r", "--out", "b.json"]) == 0
    assert Path("b.json").read_bytes() == first
    capsys.readouterr()
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "step.md"))
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    arguments = ["check", "r", "--baseline", "b.json", "--junit", "j.xml", "--summary", "s.md"]
    assert bench([*arguments, "--margin", "1"]) == 0
    printed = capsys.readouterr()
    assert printed.out.startswith("pass: binding score went from")
    assert printed.err.startswith("::notice title=bench check::pass")
    assert Path("s.md").read_text() == (tmp_path / "step.md").read_text()
    suite = ElementTree.parse("j.xml").getroot()
    assert suite.attrib["failures"] == "0"
    assert bench([*arguments, "--strict", "--margin", "0.001", "--json"]) == 3
    assert json.loads(capsys.readouterr().out)["verdict"] == "underpowered"
    assert ElementTree.parse("j.xml").getroot().attrib["failures"] == "1"


def test_damaged_model_is_caught(run, tmp_path, capsys):
    """The same grid and seeds from a sampler that paints every subject in its own colour."""
    from bench.records import Generation
    from prompts.cells import Sample
    from tests.bench.shapes import ShapeSampler, cells, draw

    class Damaged(ShapeSampler):
        def sample(self, samples):
            controls = {cell.id: cell for cell in cells(COLOURS)}
            for sample in samples:
                plain = Sample(controls[sample.cell.control_id], sample.index)
                yield Generation(sample, draw(plain))

    COLOURS = ("red", "blue", "green", "pink", "yellow")
    team = crew()
    whole = make_run(tmp_path / "runs" / "whole", seeds=4, grid=cells(COLOURS))
    assert bench(["baseline", "whole", "--out", "b.json"]) == 0
    damaged = type(team)(Damaged(), team.segmenter, team.scorers)
    make_run(tmp_path / "runs" / "damaged", seeds=4, grid=cells(COLOURS), team=damaged)
    capsys.readouterr()
    assert bench(["check", "damaged", "--baseline", "b.json", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["verdict"] == "regression"
    assert bench(["check", str(whole.folder), "--baseline", "b.json"]) == 0


def test_blanked_pictures_do_not_pass(run, tmp_path, capsys):
    """A model that answers every hard prompt with a black picture has no invalid one counted."""
    from bench.records import Generation
    from tests.bench.shapes import ShapeSampler

    class Blank(ShapeSampler):
        def sample(self, samples):
            for number, one in enumerate(super().sample(samples)):
                yield Generation(one.sample, one.image * (number % 8 != 0))

    assert bench(["baseline", "r", "--out", "b.json"]) == 0
    team = crew()
    make_run(
        tmp_path / "runs" / "blank",
        seeds=3,
        team=type(team)(Blank(), team.segmenter, team.scorers),
    )
    capsys.readouterr()
    assert bench(["check", "blank", "--baseline", "b.json"]) == 3
    assert "images are invalid" in capsys.readouterr().err
    assert bench(["baseline", "blank", "--out", "blank.json"]) == 3
    assert "images are invalid" in capsys.readouterr().err
    assert not Path("blank.json").exists()


def test_report_of_both_runs_and_every_form_of_a_refusal(run, tmp_path, capsys):
    assert bench(["baseline", "r", "--out", "b.json"]) == 0
    arguments = ["check", "r", "--baseline", "b.json"]
    assert bench([*arguments, "--before", "r"]) == 2
    assert "give --report FILE too" in capsys.readouterr().err
    assert bench([*arguments, "--report", "r.html", "--before", "r"]) == 0
    assert Path("r.html").stat().st_size > 10_000
    make_run(tmp_path / "runs" / "other", seeds=3, team=crew(steps=5))
    capsys.readouterr()
    arguments = ["check", "other", "--baseline", "b.json", "--junit", "j.xml", "--summary", "s.md"]
    assert bench([*arguments, "--json"]) == 3
    printed = capsys.readouterr()
    assert json.loads(printed.out)["verdict"] == "not comparable"
    assert printed.err.count("\n") == 1
    assert "not comparable: cannot compare: sampler.steps" in Path("s.md").read_text()
    assert ElementTree.parse("j.xml").getroot().attrib["errors"] == "1"


def test_names_of_users_cannot_break_a_form(tmp_path):
    name = "cup\x0b\x1b]<b>&|[x](y)\n::error::no"
    rows = [("c", 0, index, name, name, []) for index in range(4)]
    columns = ["cell_id", "binding", "index", "colour", "subject", "tags"]
    frame = pd.DataFrame(rows, columns=columns)
    both = frame.assign(verdict="bound"), frame.assign(verdict="wrong")
    found = decide(({}, both[0]), ({}, both[1]))
    forms.write_junit(tmp_path / "j.xml", found)
    cases = ElementTree.parse(tmp_path / "j.xml").iter("testcase")
    names = [case.attrib["name"] for case in cases]
    assert any("subject:cup" in one and "<b>&|" in one for one in names)
    lines = list(forms.workflow_commands(found))
    assert all(line.startswith("::") and "\n" not in line for line in lines)
    text = forms.to_markdown(found, name, "my pages/r (1).html")
    assert "<b>" not in text
    assert "](my%20pages/r%20%281%29.html#cell=c)" in text


def test_other_releases_are_refused_where_both_are_known():
    first = {"bench": "0.1.0", "suite": "1"}
    with pytest.raises(NotComparableError, match="bench was '0.1.0'"):
        require_comparable(first, {**first, "bench": "0.2.0"})
    assert require_comparable(first, {**first, "bench": ""}) == []


def test_other_options_are_refused_unless_let_through(run, tmp_path, capsys):
    assert bench(["baseline", "r", "--out", "b.json"]) == 0
    make_run(tmp_path / "runs" / "other", seeds=3, team=crew(steps=5))
    capsys.readouterr()
    assert bench(["check", "other", "--baseline", "b.json"]) == 3
    assert "sampler.steps was 4 in the baseline and is 5 now" in capsys.readouterr().err
    arguments = ["check", "other", "--baseline", "b.json", "--allow", "sampler.steps", "--json"]
    assert bench(arguments) == 0
    assert "let through: sampler.steps" in json.loads(capsys.readouterr().out)["sentence"]
