"""Labels by people against a real run of drawn shapes."""

import csv
import json
import sys

import numpy as np
import pandas as pd
import pytest

from bench.annotations.agree import agree, disagreements
from bench.annotations.labels import read_labels
from bench.annotations.samples import sample_table
from bench.cli.main import run as bench
from bench.errors import UsageError
from bench.store.derived import read_verdicts
from tests.bench.runs import make_run
from tests.bundled import ROOT

HEADER = [
    "sample_id",
    "binding",
    "cell_id",
    "text",
    "colour",
    "subject",
    "verdict",
    "label",
    "human",
]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("people")
    run = make_run(folder / "runs" / "r", seeds=12)
    return run, read_verdicts(run), sample_table(run)


def export(path, verdicts, judge, **extra):
    """Write labels in the report's columns; ``judge`` gives label and human of a row."""
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, [*extra, *HEADER])
        writer.writeheader()
        for row in verdicts.to_dict("records"):
            label, human = judge(row)
            writer.writerow(
                {**extra, **{k: row.get(k, "") for k in HEADER}, "label": label, "human": human}
            )
    return path


def value(found, question, statistic, between="scorer"):
    return next(
        one
        for one in found
        if (one.question, one.statistic, one.between) == (question, statistic, between)
    )


def right(row):
    return "right", ""


def test_one_person_who_always_agrees(made, tmp_path):
    _, verdicts, samples = made
    labels = read_labels([export(tmp_path / "ann.csv", verdicts, right)], verdicts, samples)
    assert labels.people == ("ann",)
    found = agree(verdicts, labels)
    for question in ("verdict", "bound"):
        for statistic in ("Cohen's kappa", "Fleiss' kappa", "Krippendorff's alpha"):
            one = value(found, question, statistic)
            assert one.value == pytest.approx(1)
            assert (one.low, one.high) == (None, None)
    assert {one.between for one in found} == {"scorer"}
    assert disagreements(verdicts, labels).empty


def test_two_people_of_whom_one_errs(made, tmp_path):
    _, verdicts, samples = made
    rng = np.random.default_rng(0)
    wrong = dict(zip(verdicts["sample_id"], rng.random(len(verdicts)) < 0.3, strict=True))

    def errs(row):
        other = "prior" if row["verdict"] != "prior" else "bound"
        return ("wrong", other) if wrong[row["sample_id"]] else ("right", "")

    paths = [
        export(tmp_path / "ann.csv", verdicts, right),
        export(tmp_path / "bob.csv", verdicts, errs),
    ]
    labels = read_labels(paths, verdicts, samples)
    found = agree(verdicts, labels)
    share = 1 - np.mean(list(wrong.values()))
    assert value(found, "verdict", "share agreed", "people").value == pytest.approx(share)
    assert value(found, "verdict", "share agreed").value == pytest.approx((1 + share) / 2)
    for statistic in ("Cohen's kappa", "Krippendorff's alpha", "Fleiss' kappa"):
        scorer, people = (value(found, "verdict", statistic, who) for who in ("scorer", "people"))
        assert 0 < people.value < scorer.value < 1
        assert people.low < people.value < people.high
    tau = value(found, "bound", "Kendall's tau-b")
    assert tau.low < tau.value < tau.high
    kept = disagreements(verdicts, labels)
    assert len(kept) == sum(wrong.values())
    assert set(kept.columns) >= {"verdict", "words", "said by ann", "said by bob"}


def test_wrong_without_the_right_verdict_still_disagrees(made, tmp_path):
    _, verdicts, samples = made
    path = export(tmp_path / "a.csv", verdicts, lambda row: ("wrong", ""))
    found = agree(verdicts, read_labels([path], verdicts, samples))
    assert value(found, "verdict", "share agreed").value == 0
    # Of the yes-or-no question only a wrong `bound` tells the answer.
    assert value(found, "bound", "share agreed").units == verdicts["verdict"].eq("bound").sum()


def test_column_tells_people_and_rows_without_a_label_are_left_out(made, tmp_path):
    _, verdicts, samples = made
    few = verdicts.head(20)
    paths = [
        export(tmp_path / f"{name}.csv", few, right, person=name, run="r") for name in ("x", "y")
    ]
    text = paths[0].read_text() + "".join(paths[1].read_text().splitlines(keepends=True)[1:])
    both = tmp_path / "both.csv"
    both.write_text("\ufeff" + text.replace(",right,", ",,", 3))
    labels = read_labels([both], verdicts, samples)
    assert labels.people == ("x", "y")
    assert len(labels.labels) == 37


def test_accept_sets(made, tmp_path):
    _, verdicts, samples = made
    path = tmp_path / "sets.csv"
    rows = verdicts[["sample_id", "binding", "colour", "observed"]].copy()
    rows["observed"] = rows["observed"].fillna("red")
    for person, names in (("x", "{observed}|white"), ("y", "white|{colour}")):
        rows[person] = [
            names.format(observed=o, colour=c)
            for o, c in zip(rows["observed"], rows["colour"], strict=True)
        ]
    long = rows.melt(["sample_id", "binding"], ["x", "y"], "person", "colours")
    long.to_csv(path, index=False)
    found = agree(verdicts, read_labels([path], verdicts, samples))
    assert value(found, "colour", "share accepted").value > 0.8
    assert value(found, "colour", "share accepted", "people").value == 1
    alpha = value(found, "colour", "Krippendorff's alpha (MASI)", "people")
    assert alpha.low < alpha.value < 1


def geneval_rows(verdicts, samples):
    texts = samples.set_index("sample_id")[["text", "index"]]
    for row in verdicts.to_dict("records"):
        text, index = texts.loc[row["sample_id"]]
        for person in range(2):
            absent = person == 1 and index == 0
            yield {
                "HITId": "h",
                "Input.prompt_id": 7,
                "Input.image_id": index,
                "Input.caption": text,
                "Input.object_0_name": row["subject"],
                "Input.object_1_name": "",
                "Answer.task-color-0": "" if absent else f"{row['colour']}|white",
                "Answer.task-color-1": "",
                "Answer.task-count-0": "0" if absent else "1",
                "Answer.task-count-1": "",
            }


def test_layout_of_geneval(made, tmp_path):
    _, verdicts, samples = made
    path = tmp_path / "annotations_x.csv"
    pd.DataFrame(geneval_rows(verdicts, samples)).to_csv(path, index=False)
    labels = read_labels([path], verdicts, samples)
    assert labels.people == ("annotations_x 1", "annotations_x 2")
    assert len(labels.labels) == 2 * len(verdicts)
    assert {one.bound for one in labels.labels} == {True, False}
    found = agree(verdicts, labels)
    assert not any(one.question == "verdict" for one in found)
    assert value(found, "bound", "Krippendorff's alpha", "people").units == len(verdicts)
    assert 0 < value(found, "colour", "share accepted").value < 1


def test_pictures_of_geneval_are_found_by_their_place(made, tmp_path):
    _, verdicts, samples = made
    placed = samples.assign(path=[f"{n:05d}/samples/00003.png" for n in range(len(samples))])
    placed.attrs = samples.attrs
    rows = list(geneval_rows(verdicts, samples))[::2]
    number = {sample: n for n, sample in enumerate(samples["sample_id"])}
    for row, sample in zip(rows, verdicts["sample_id"], strict=True):
        row |= {"Input.prompt_id": number[sample], "Input.image_id": 3, "Input.caption": "?"}
    path = tmp_path / "a.csv"
    pd.DataFrame(rows).to_csv(path, index=False)
    labels = read_labels([path], verdicts, placed)
    assert [one.sample_id for one in labels.labels] == verdicts["sample_id"].tolist()


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("Answer.task-count-0", "two", r"g\.csv:2: count 'two' is no number of objects"),
        ("Answer.task-count-0", "nan", "count 'nan'"),
        ("Answer.task-count-0", "-1", "count '-1'"),
        ("Input.image_id", "\u00b2", "are no numbers"),
    ],
)
def test_bad_values_in_the_layout_of_geneval(column, value, words, made, tmp_path):
    _, verdicts, samples = made
    path = tmp_path / "g.csv"
    rows = [{**row, column: value} for row in geneval_rows(verdicts, samples)]
    pd.DataFrame(rows).to_csv(path, index=False)
    with pytest.raises(UsageError, match=words):
        read_labels([path], verdicts, samples)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a,b\n1,2\n", "holds no labels"),
        ("", "holds no labels"),
        ("sample_id,verdict,label,human\nunknown,bound,right,\n", "belongs to this run"),
        ("sample_id,verdict,label,human\nID,bound,maybe,\n", r"a\.csv:2: label 'maybe'"),
        ("sample_id,verdict,label,human\nID,bound,wrong,boundd\n", "did you mean 'bound'"),
        ("sample_id,binding,verdict,label,human\nID,x,bound,right,\n", "binding 'x'"),
        ("sample_id,binding,verdict,label,human\nID,\u00b2,bound,right,\n", "binding '\u00b2'"),
        (
            "sample_id,verdict,label,human\nID,bound,wrong,prior\nID,bound,wrong,mixed\n",
            r"a\.csv:3: 'a' says another thing",
        ),
    ],
)
def test_bad_files_are_told_by_line(text, words, made, tmp_path):
    _, verdicts, samples = made
    path = tmp_path / "a.csv"
    path.write_text(text.replace("ID", verdicts["sample_id"][0]), encoding="utf-8")
    with pytest.raises(UsageError, match=words) as caught:
        read_labels([path], verdicts, samples)
    assert "\n" not in str(caught.value)


def test_from_the_command_line(made, tmp_path, monkeypatch, capsys):
    run, verdicts, _ = made
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path, str(ROOT)])
    export(tmp_path / "ann.csv", verdicts, right)
    arguments = ["agree", str(run.folder), "ann.csv"]
    assert bench([*arguments, "--disagreements", "d.csv"]) == 0
    printed = capsys.readouterr()
    assert printed.out.startswith(f"{len(verdicts)} labels by one person")
    assert "Krippendorff's alpha" in printed.out
    assert (tmp_path / "d.csv").read_text().startswith("sample_id,")
    assert bench([*arguments, "--json"]) == 0
    stored = json.loads(capsys.readouterr().out)
    assert stored["people"] == ["ann"]
    assert bench(["agree", str(run.folder), "none.csv"]) == 2
    assert "none.csv: no such file" in capsys.readouterr().err
