import json
from dataclasses import replace

import numpy as np
import pytest

from bench.errors import BenchError, NotComparableError, StoreError
from bench.records import Fingerprint, Generation
from bench.run.components import Components
from bench.store.manifest import read_manifest
from bench.store.parts import write_part
from tests.bench.runs import assert_same_tables, go, make_run, table_of
from tests.bench.shapes import (
    EdgeScorer,
    MeanScorer,
    ShapeSampler,
    ShapeSegmenter,
    cells,
    crew,
)


class Stops(ShapeSampler):
    """Breaks after some images."""

    def __init__(self, after: int, error: BaseException) -> None:
        super().__init__()
        self.after, self.error = after, error

    def sample(self, samples):
        for number, generation in enumerate(super().sample(samples)):
            if number == self.after:
                raise self.error
            yield generation


def with_sampler(sampler) -> Components:
    return Components(sampler, ShapeSegmenter(), {"mean": MeanScorer()})


def test_run_makes_everything_once(tmp_path):
    run, outcome = go(tmp_path / "r", seeds=3)
    assert (outcome.images, outcome.made, outcome.missing) == (24, 24, 0)
    assert len(run.ids("samples")) == 24
    assert read_manifest(run.folder).complete
    assert read_manifest(run.folder).image_size == (32, 32)


def test_second_call_makes_nothing(tmp_path):
    go(tmp_path / "r")
    team = crew()
    _, outcome = go(tmp_path / "r", team=team)
    assert (outcome.made, outcome.rescored, team.sampler.made) == (0, 0, 0)


def test_resume_after_an_error_makes_exactly_the_missing(tmp_path):
    whole = make_run(tmp_path / "whole", seeds=3)
    with pytest.raises(RuntimeError, match="out of memory"):
        go(tmp_path / "r", seeds=3, team=with_sampler(Stops(10, RuntimeError("out of memory"))))
    team = crew()
    run, outcome = go(tmp_path / "r", seeds=3, team=team)
    assert outcome.made == team.sampler.made == 14
    assert_same_tables(run, whole)


@pytest.mark.parametrize(("batch", "sampling"), [(1, 1), (5, 3), (64, 64)])
def test_tables_do_not_depend_on_batches(tmp_path, batch, sampling):
    whole = make_run(tmp_path / "whole", seeds=2)
    other = make_run(tmp_path / "r", seeds=2, batch=batch, team=crew(batch_size=sampling))
    assert_same_tables(whole, other)


def test_scores_of_a_changed_scorer_are_made_again_from_the_pictures(tmp_path):
    run, _ = go(tmp_path / "r")
    before = table_of(run, "scores/mean")
    team = Components(
        Stops(0, RuntimeError("must not sample")), ShapeSegmenter(), {"mean": MeanScorer(0.5)}
    )
    run, outcome = go(tmp_path / "r", team=team)
    assert (outcome.made, outcome.rescored) == (0, 16)
    after = table_of(run, "scores/mean")
    shares = before.metric.str.startswith("subject_")
    np.testing.assert_allclose(after.value[shares], 0.5 * before.value[shares])


def test_added_scorer_scores_only_itself(tmp_path):
    run, _ = go(tmp_path / "r")
    part = sorted((run.folder / "scores" / "mean").iterdir())[0]
    stamp = part.stat().st_mtime_ns
    team = Components(
        ShapeSampler(), ShapeSegmenter(), {"mean": MeanScorer(), "edges": EdgeScorer()}
    )
    run, outcome = go(tmp_path / "r", team=team)
    assert outcome.rescored == 16
    assert part.stat().st_mtime_ns == stamp
    assert len(run.ids("scores/edges")) == 16
    assert len(list((run.folder / "scores" / "mean").iterdir())) == 1
    # A call that asks for fewer keeps what still holds.
    run, outcome = go(tmp_path / "r")
    assert (outcome.made, outcome.rescored) == (0, 0)
    assert set(run.manifest.scorers) == {"mean", "edges"}


def test_changed_segmenter_makes_regions_and_scores_again(tmp_path):
    go(tmp_path / "r")
    team = crew()
    team.segmenter.fingerprint = Fingerprint("segmenter", "shapes", {"radius": 7})
    run, outcome = go(tmp_path / "r", team=team)
    assert (outcome.made, outcome.rescored) == (0, 16)
    assert len(list((run.folder / "regions").iterdir())) == 1


def test_stale_scores_are_not_read_before_they_are_made_again(tmp_path):
    run, _ = go(tmp_path / "r")
    path = run.folder / "run.json"
    record = json.loads(path.read_text())
    record["scorers"]["mean"]["options"]["gain"] = 2.0
    path.write_text(json.dumps(record))
    with pytest.raises(StoreError, match="was made by other options"):
        type(run)(run.folder).ids("scores/mean")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"team": crew(steps=5)}, "option steps 4, not 5"),
        ({"seeds": 3}, "seeds 2, not 3"),
        ({"grid": cells(colours=("red", "pink"))}, "number of cells 8, not 6"),
        ({"grid": cells(colours=("red", "blue", "pink"))}, "prompts .hash."),
    ],
)
def test_run_made_by_other_options_is_refused_by_field(tmp_path, change, field):
    go(tmp_path / "r")
    with pytest.raises(NotComparableError, match=field) as caught:
        go(tmp_path / "r", **change)
    assert caught.value.exit_code == 3
    assert "choose another --name" in str(caught.value)


def test_other_weights_are_refused(tmp_path):
    go(tmp_path / "r")
    team = crew()
    other = replace(team.sampler.info.fingerprint, weights="fedc")
    team.sampler.info = replace(team.sampler.info, fingerprint=other)
    with pytest.raises(NotComparableError, match="model weights '0123456789abcdef', not 'fedc'"):
        go(tmp_path / "r", team=team)


def test_batch_size_may_change(tmp_path):
    go(tmp_path / "r", limit=5)
    _, outcome = go(tmp_path / "r", team=crew(batch_size=7))
    assert outcome.made == 11


def test_limit_marks_the_run_until_it_is_whole(tmp_path):
    run, _ = go(tmp_path / "r", limit=5)
    assert run.manifest.limit == 5
    run, _ = go(tmp_path / "r")
    assert run.manifest.limit is None
    assert run.manifest.images == 16


def test_foreign_folder_is_left_alone(tmp_path):
    (tmp_path / "r").mkdir()
    (tmp_path / "r" / "letter.txt").write_text("dear")
    with pytest.raises(StoreError, match=r"has 'letter.txt' in it but no run.json"):
        go(tmp_path / "r")
    assert (tmp_path / "r" / "letter.txt").read_text() == "dear"


def test_damaged_record_is_named(tmp_path):
    go(tmp_path / "r")
    (tmp_path / "r" / "run.json").write_text("{")
    with pytest.raises(StoreError, match=r"run.json is damaged"):
        go(tmp_path / "r")


class Broken(MeanScorer):
    def score(self, generations, regions):
        raise ValueError("a bug in the scorer")


def test_pictures_survive_a_scorer_that_breaks(tmp_path):
    team = Components(ShapeSampler(), ShapeSegmenter(), {"mean": Broken()})
    with pytest.raises(ValueError, match="a bug in the scorer"):
        go(tmp_path / "r", team=team)
    team = crew()
    _, outcome = go(tmp_path / "r", team=team)
    assert outcome.missing == 0
    assert outcome.rescored > 0
    assert outcome.made + outcome.rescored == 16


class Silent(MeanScorer):
    def score(self, generations, regions):
        return super().score(generations, regions)[1:2]


class Lazy(ShapeSampler):
    def sample(self, samples):
        yield from super().sample(samples[:-1])


class Shuffled(ShapeSampler):
    def sample(self, samples):
        yield from super().sample(samples[::-1])


class Floats(ShapeSampler):
    def sample(self, samples):
        for one in super().sample(samples):
            yield Generation(one.sample, one.image / 255.0)


@pytest.mark.parametrize(
    ("team", "words"),
    [
        (
            Components(ShapeSampler(), ShapeSegmenter(), {"mean": Silent()}),
            "did not answer for every",
        ),
        (with_sampler(Lazy()), "gave 15 images, 16 were asked for"),
        (with_sampler(Shuffled()), "must come in the order asked for"),
        (with_sampler(Floats()), "expected uint8"),
    ],
)
def test_parts_that_break_their_contract_are_told(tmp_path, team, words):
    with pytest.raises(BenchError, match=words):
        go(tmp_path / "r", team=team)


def test_stored_picture_that_cannot_be_decoded_is_named_and_the_rest_is_kept(tmp_path):
    run, _ = go(tmp_path / "r", batch=4)
    (path,) = (run.folder / "samples").iterdir()
    ((_, part),) = run.parts("samples")
    rows = part.to_pylist()
    rows[5]["image"]["bytes"] = b"\x89PNG\r\n\x1a\n but no picture"
    write_part(type(part).from_pylist(rows, schema=part.schema), path)
    for scores in (run.folder / "scores" / "mean").iterdir():
        scores.unlink()
    with pytest.raises(StoreError, match=f"picture of sample {rows[5]['sample_id']} cannot be"):
        go(tmp_path / "r")
    assert len(run.ids("samples")) == 16


def test_scores_without_pictures_are_dropped_and_all_is_made_again(tmp_path):
    run, _ = go(tmp_path / "r", size=2000, batch=4)
    sorted((run.folder / "samples").iterdir())[0].unlink()
    run, outcome = go(tmp_path / "r")
    assert 0 < outcome.made < 16
    assert outcome.missing == 0
    assert_same_tables(run, make_run(tmp_path / "whole"))


@pytest.mark.parametrize("table", ["samples", "regions", "scores/mean"])
def test_a_damaged_part_is_mended_by_running_again(tmp_path, table):
    run, _ = go(tmp_path / "r", size=2000, batch=4)
    path = sorted((run.folder / table).iterdir())[0]
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(StoreError, match="is damaged .*sets it aside"):
        run.ids(table)
    run, outcome = go(tmp_path / "r")
    assert outcome.missing == 0
    assert outcome.made + outcome.rescored > 0
    assert_same_tables(run, make_run(tmp_path / "whole"))
    assert path.with_name(f"{path.name}.damaged").is_file()


def test_part_in_hand_is_closed_in_time_while_the_sampler_is_slow(tmp_path):
    import threading

    release = threading.Event()

    class Slow(ShapeSampler):
        def sample(self, samples):
            for number, one in enumerate(super().sample(samples)):
                if number == 3:
                    release.wait(20)
                yield one

    thread = threading.Thread(
        target=go, args=(tmp_path / "r",), kwargs={"team": with_sampler(Slow()), "seconds": 0.1}
    )
    thread.start()
    try:
        for _ in range(200):
            if list((tmp_path / "r" / "scores" / "mean").glob("part-*")):
                break
            thread.join(0.05)
        assert list((tmp_path / "r" / "samples").glob("part-*"))
    finally:
        release.set()
        thread.join()
