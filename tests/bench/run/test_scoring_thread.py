"""Batches that are measured side by side."""

import threading
import time

import numpy as np
import pytest

from bench.records import Generation
from bench.run import scoring_thread
from bench.run.components import Components
from bench.run.scoring_thread import side_by_side
from prompts.cells import Sample, plan
from tests.bench.runs import assert_same_tables, go, make_run
from tests.bench.shapes import MeanScorer, ShapeSampler, ShapeSegmenter, cells


def batches(count: int, images: int = 1) -> list[list[Generation]]:
    sample = Sample(cells()[0], 0)
    return [[Generation(sample, np.full((8, 8, 3), k, np.uint8))] * images for k in range(count)]


def number(batch) -> int:
    return int(batch[0].image[0, 0, 0])


class Counting:
    """Counts how many are in it at the same time."""

    def __init__(self) -> None:
        self.now = self.most = 0
        self._lock = threading.Lock()

    def __enter__(self):
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)
        time.sleep(0.01)

    def __exit__(self, *_):
        with self._lock:
            self.now -= 1


def test_results_come_in_order_and_two_batches_at_most_are_begun():
    inside = Counting()

    def slow_first(batch):
        with inside:
            time.sleep(0.02 * (number(batch) % 2 == 0))
            return number(batch)

    found = [(number(b), r.result()) for b, r in side_by_side(slow_first, batches(7))]
    assert found == [(k, k) for k in range(7)]
    assert inside.most == 2


def test_large_batches_are_measured_one_at_a_time(monkeypatch):
    monkeypatch.setattr(scoring_thread, "BATCH_BYTES", 8 * 8 * 3 * 2 - 1)
    inside = Counting()

    def measured(batch):
        with inside:
            return number(batch)

    assert [r.result() for _, r in side_by_side(measured, batches(4))] == [0, 1, 2, 3]
    assert inside.most == 1


def test_what_is_begun_is_handed_on_where_no_more_comes():
    one, two = batches(2)
    asked: list[str] = []

    def coming():
        yield one
        asked.append("none there")
        yield []
        asked.append("two")
        yield two

    found = side_by_side(number, coming())
    assert next(found)[0] is one
    assert asked == ["none there"]
    assert next(found)[0] is two


def test_whoever_stops_does_not_wait_for_a_batch_that_is_measured():
    held = threading.Event()

    def measured(batch):
        if number(batch):
            held.wait(30)

    found = side_by_side(measured, batches(5))
    next(found)
    try:
        found.close()
        assert not held.is_set()
    finally:
        held.set()


def test_a_batch_that_fails_raises_where_its_result_is_read():
    def broken(batch):
        if number(batch) == 1:
            raise ValueError("a bug")
        return number(batch)

    results = [future for _, future in side_by_side(broken, batches(3))]
    assert [results[0].result(), results[2].result()] == [0, 2]
    with pytest.raises(ValueError, match="a bug"):
        results[1].result()


def test_no_segmenter_or_scorer_is_called_by_two_threads_at_once(tmp_path):
    inside, both = {"segmenter": Counting(), "mean": Counting()}, Counting()

    class Segmenter(ShapeSegmenter):
        def segment(self, images, cells):
            with inside["segmenter"], both:
                return super().segment(images, cells)

    class Scorer(MeanScorer):
        def score(self, generations, regions):
            with inside["mean"], both:
                return super().score(generations, regions)

    team = Components(ShapeSampler(), Segmenter(), {"mean": Scorer()})
    run, _ = go(tmp_path / "r", seeds=3, batch=2, team=team)
    assert {name: one.most for name, one in inside.items()} == {"segmenter": 1, "mean": 1}
    assert both.most == 2
    assert_same_tables(run, make_run(tmp_path / "whole", seeds=3))


def test_images_beside_a_batch_that_fails_are_stored(tmp_path):
    class Broken(MeanScorer):
        def score(self, generations, regions):
            if generations[0].sample.id == first:
                raise ValueError("a bug in the scorer")
            return super().score(generations, regions)

    first = plan(cells(), 2)[0].id
    team = Components(ShapeSampler(), ShapeSegmenter(), {"mean": Broken()})
    with pytest.raises(ValueError, match="a bug in the scorer"):
        go(tmp_path / "r", batch=4, team=team)
    _, outcome = go(tmp_path / "r")
    assert outcome.missing == 0
    assert outcome.rescored >= 4
