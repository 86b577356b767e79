"""From scores to verdicts."""

import pytest

from bench.run import beyond_control
from bench.run.beyond_control import BeyondControl
from bench.run.derive import verdict_rows
from bench.run.progress import Silent
from bench.run.run import run
from bench.store.pictures import decode_png
from bench.store.run import Run
from bench.store.score_reader import scored_images
from tests.bench.run.test_process_pool import spec_in
from tests.bench.runs import cells, go


def in_order(rows):
    return sorted(repr(row) for row in rows)


def test_scores_are_read_in_one_pass_whether_a_control_comes_first_or_last(tmp_path, monkeypatch):
    done = run(spec_in(tmp_path, seeds=2), Silent()).run
    read = []
    real = Run.parts

    def parts(self, table, *given, **named):
        read.append(table)
        return real(self, table, *given, **named)

    monkeypatch.setattr(Run, "parts", parts)
    rows = in_order(verdict_rows(done))
    assert len(rows) == 12
    scores = [table for table in read if table.startswith("scores/")]
    assert scores == [f"scores/{name}" for name in done.manifest.scorers]
    late = sorted(scored_images(done), key=lambda image: image.is_control)
    assert late[-1].is_control
    monkeypatch.setattr("bench.run.derive.scored_images", lambda run: iter(late))
    assert in_order(verdict_rows(done)) == rows
    without = [image for image in late if not image.is_control]
    monkeypatch.setattr("bench.run.derive.scored_images", lambda run: iter(without))
    assert len(in_order(verdict_rows(done))) == 12


def stored_excess(done):
    beyond = BeyondControl(done)
    images = [image.sample_id for image in scored_images(done) if not image.is_control]
    return {sample_id: beyond.of(sample_id) for sample_id in images}


@pytest.mark.parametrize("batch", [1, 5, 32])
def test_what_is_beyond_the_control_is_the_same_in_memory_and_from_the_store(tmp_path, batch):
    done, outcome = go(tmp_path / "run", batch=batch)
    assert any(any(one.values()) for found in outcome.excess.values() for one in found)
    assert outcome.excess == stored_excess(done)


def test_pictures_are_not_read_again_where_it_is_known(tmp_path, monkeypatch):
    done, outcome = go(tmp_path / "run")
    rows = in_order(verdict_rows(done))
    monkeypatch.setattr("bench.run.beyond_control.decode_png", None)
    assert in_order(verdict_rows(done, outcome.excess)) == rows


def test_of_what_is_not_known_alone_the_pictures_are_read_again(tmp_path, monkeypatch):
    done, outcome = go(tmp_path / "run")
    lost = next(key for key, found in outcome.excess.items() if any(found))
    known = {key: found for key, found in outcome.excess.items() if key != lost}
    read = []
    monkeypatch.setattr(beyond_control, "decode_png", lambda png: read.append(1) or decode_png(png))
    assert in_order(verdict_rows(done, known)) == in_order(verdict_rows(done, outcome.excess))
    # It and its control, each with its regions.
    assert len(read) == 4


def test_few_controls_are_kept_and_what_comes_later_is_read_again(tmp_path, monkeypatch):
    monkeypatch.setattr(beyond_control, "MOST_CONTROLS", 1)
    controls_first = sorted(cells(), key=lambda cell: cell.id != cell.control_id)
    done, outcome = go(tmp_path / "run", batch=1, grid=controls_first)
    expected = stored_excess(done)
    assert 0 < len(outcome.excess) < len(expected)
    assert outcome.excess.items() <= expected.items()
    assert in_order(verdict_rows(done, outcome.excess)) == in_order(verdict_rows(done))


def test_images_that_wait_too_long_for_a_control_are_read_again(tmp_path, monkeypatch):
    monkeypatch.setattr("bench.run.beyond_control.MOST_WAITING", 0)
    backwards = [*reversed(cells())]
    done, outcome = go(tmp_path / "run", batch=1, grid=backwards)
    assert len(outcome.excess) < len(stored_excess(done))
    assert in_order(verdict_rows(done, outcome.excess)) == in_order(verdict_rows(done))
