"""A whole run: its record, what it takes up, what it refuses, and what it costs to plan."""

import json
from dataclasses import replace

import pytest

from bench.cli.main import run as bench
from bench.errors import UsageError
from bench.records import Fingerprint
from bench.run.plan import plan_of
from bench.run.progress import Silent
from bench.run.run import run
from bench.run.spec import RunSpec, run_folder
from bench.store import manifest
from bench.store.run import Run
from prompts.manifest import TrainingManifest
from tests.bench.run.test_process_pool import Heard, spec_in
from tests.bench.shapes import ShapeSampler


def unknown_weights():
    sampler = ShapeSampler()
    sampler.info = replace(sampler.info, fingerprint=Fingerprint("sampler", "mine"))
    return sampler


def test_run_json_is_written_once_at_the_start_and_once_at_the_end(tmp_path, monkeypatch):
    written = []
    real = manifest.write_manifest

    def count(folder, record):
        written.append(record.finished)
        real(folder, record)

    monkeypatch.setattr("bench.run.record.write_manifest", count)
    run(spec_in(tmp_path, seeds=1), Silent())
    assert len(written) == 2
    assert written[0] is None
    assert written[1] is not None


def test_images_of_unknown_weights_are_taken_up_with_a_word_and_never_by_fresh(tmp_path):
    spec = spec_in(tmp_path, seeds=1, model=f"{__name__}:unknown_weights")
    first = run(spec, Silent()).run.manifest
    heard = Heard()
    assert run(spec, heard).outcome.made == 0
    (line,) = [line for line in heard.said if "not known" in line]
    assert f"8 images of a run begun {first.created} are taken up" in line
    assert "--fresh" in line
    heard = Heard()
    done = run(replace(spec, fresh=True), heard)
    assert done.outcome.made == 8
    assert done.run.manifest.id != first.id
    assert not any("not known" in line for line in heard.said)
    assert len(Run(done.run.folder).ids("samples")) == 8


def test_known_weights_are_taken_up_in_silence(tmp_path):
    heard = Heard()
    for _ in range(2):
        run(spec_in(tmp_path, seeds=1), heard)
    assert not any("not known" in line for line in heard.said)


def test_fresh_removes_nothing_but_the_run(tmp_path):
    done = run(spec_in(tmp_path, seeds=1), Silent())
    (done.run.folder / "notes.txt").write_text("mine")
    run(spec_in(tmp_path, seeds=2, fresh=True), Silent())
    assert (done.run.folder / "notes.txt").read_text() == "mine"
    assert len(Run(done.run.folder).ids("samples")) == 16


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a\nb", "a\x1b[31m", "a\0b"])
def test_a_name_that_is_none_of_a_folder(tmp_path, name):
    with pytest.raises(UsageError, match="is no name of a folder"):
        run_folder(spec_in(tmp_path, name=name))


@pytest.mark.parametrize("given", ["abc", "0", "-1", "inf", "nan"])
def test_seconds_of_a_part_that_are_none_are_one_line(given, monkeypatch, capsys):
    monkeypatch.setenv("BENCH_PART_SECONDS", given)
    assert bench(["run", "--model", "local"]) == 2
    err = capsys.readouterr().err
    assert f"BENCH_PART_SECONDS='{given}' is no number of seconds" in err
    assert err.count("\n") == 1


def test_planning_costs_the_same_at_any_number_of_seeds(tmp_path):
    plan = plan_of(spec_in(tmp_path, seeds=1_000_000), None)
    assert len(plan.samples) == 8_000_000
    assert plan.samples[7_999_999].index == 999_999
    assert len(plan.samples[5:]) == 7_999_995
    few = plan_of(spec_in(tmp_path, seeds=3), None).samples
    assert [one.id for one in plan.samples[:24]] == [one.id for one in few]


def test_changed_pictures_are_told_and_fresh_starts_anew(tmp_path, monkeypatch, capsys):
    from PIL import Image

    monkeypatch.chdir(tmp_path)
    shapes = "tests.bench.shapes"
    parts = ["--segmenter", f"{shapes}:ShapeSegmenter", "--scorer", f"{shapes}:MeanScorer"]
    (tmp_path / "list.csv").write_text("path,prompt\na.png,a red cup\n")
    for colour, code in (("red", 0), ("blue", 3)):
        picture = Image.new("RGB", (32, 32), colour)
        picture.paste("white", (4, 4, 20, 20))
        picture.save(tmp_path / "a.png")
        capsys.readouterr()
        assert bench(["score", "list.csv", "--name", "r", *parts]) == code
    assert "the pictures or their prompts have changed" in capsys.readouterr().err
    assert bench(["score", "list.csv", "--name", "r", *parts, "--fresh"]) == 0
    assert "1 image scored" in capsys.readouterr().err
    assert bench(["score", "list.csv", "--images", "nosuch", "--name", "s", *parts]) == 2
    assert not (tmp_path / "runs/s").exists()


def test_record_of_an_interrupted_call_has_its_usage(tmp_path):
    from bench.protocols import Usage
    from bench.run.record import close_run

    done = run(spec_in(tmp_path, seeds=1), Silent())
    closed = close_run(done.run, Usage({"requests": 3, "cost": 0.5}))
    closed = close_run(closed, Usage({"requests": 2}))
    assert json.loads((closed.folder / "run.json").read_text())["account"] == {
        "cost": 0.5,
        "requests": 5,
    }


def test_a_specification_is_frozen(tmp_path):
    spec = spec_in(tmp_path)
    with pytest.raises(AttributeError):
        spec.name = "other"
    assert isinstance(spec, RunSpec)


def test_a_plan_only_adds_to_the_tags_of_a_grid(tmp_path, monkeypatch):
    def never(*_):
        raise AssertionError("a cell was tagged a second time")

    spec = spec_in(tmp_path, seeds=1)
    monkeypatch.setattr("prompts.tags.canonicity", never)
    training = TrainingManifest({}, {}, 1)
    for before, after in zip(plan_of(spec, None).cells, plan_of(spec, training).cells, strict=True):
        asks = any(one.colour for one in before.bindings)
        assert after.tags == before.tags - {"seen", "novel"} | ({"novel"} if asks else set())
    own = replace(spec, source=replace(spec.source, tag_by_training=False))
    assert plan_of(own, training).cells == plan_of(spec, None).cells


class Watched(Heard):
    """Keeps in which order it is shown that something is loaded, counted and over."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: list[str] = []

    def wait(self, what):
        self.shown.append(what)

    def begin(self, what, total, done=0):
        self.shown.append(what)

    def end(self):
        self.shown.append("end")


def test_what_is_loaded_is_shown_first_and_is_over_when_it_fails(tmp_path):
    watched = Watched()
    run(spec_in(tmp_path, seeds=1), watched)
    first, second, *_ = watched.shown
    assert first.startswith("loading model tests.bench.shapes:ShapeSampler, segmenter tests.")
    assert second == "end"
    watched = Watched()
    with pytest.raises(UsageError, match="unknown attribute"):
        run(spec_in(tmp_path, model="tests.bench.shapes:Nothing"), watched)
    assert len(watched.shown) == 2
    assert watched.shown[1] == "end"
