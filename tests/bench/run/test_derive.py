"""From scores to verdicts."""

from bench.run.derive import verdict_rows
from bench.run.progress import Silent
from bench.run.run import run
from bench.store.run import Run
from bench.store.score_reader import scored_images
from tests.bench.run.test_process_pool import spec_in


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
