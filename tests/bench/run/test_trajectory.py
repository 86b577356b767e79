"""Frames of the trajectory: stored, scored at the places of the final image, resumed, refused."""

from dataclasses import replace

import numpy as np
import pytest

from bench.errors import BenchError, NotComparableError, UsageError
from bench.run.components import Components
from bench.run.filmstrips import write_filmstrips
from bench.run.trajectory import arrivals
from bench.samplers.frames import spread
from bench.samplers.local import LocalSampler
from bench.store.derived import read_estimates, read_verdicts
from bench.store.score_reader import read_trajectory
from tests.bench.runs import assert_same_tables, go, make_run, table_of
from tests.bench.shapes import EdgeScorer, MeanScorer, ShapeSampler, ShapeSegmenter

LEVELS = (1.0, 0.5, 0.25)


class Fades(ShapeSampler):
    """Shapes that come out of gray in three frames; the last is the image itself."""

    def __init__(self, levels=LEVELS, shape=None, after=None) -> None:
        super().__init__()
        self.info = replace(self.info, noise_levels=levels)
        self.shape, self.after = shape, after

    def sample(self, samples):
        for number, one in enumerate(super().sample(samples)):
            if number == self.after:
                raise RuntimeError("out of memory")
            gray = np.full_like(one.image, 128)
            frames = np.stack([gray, gray, one.image])
            frames[1, :, : frames.shape[2] // 2] = one.image[:, : frames.shape[2] // 2]
            yield replace(one, frames=frames if self.shape is None else np.zeros(self.shape))


def team(sampler=None, scorer=None) -> Components:
    return Components(
        sampler or Fades(), ShapeSegmenter(), {"segmentation": scorer or MeanScorer()}
    )


def test_the_last_frame_scores_as_the_image_and_the_first_has_no_colour(tmp_path):
    run = make_run(tmp_path / "r", team=team())
    frame = read_trajectory(run)
    assert list(frame.columns) == [
        "sample_id", "binding", "step", "noise", "metric", "value", "reason",
    ]  # fmt: skip
    binds = frame[frame.metric == "bind"].pivot(index="sample_id", columns="step", values="value")
    final = table_of(run, "scores/segmentation")
    final = final[final.metric == "bind"].set_index("sample_id").value
    assert (binds[0] == 0).all()
    assert (binds[2] == final[binds.index]).all()
    assert (binds[1] <= binds[2]).all()
    assert set(zip(frame.step, frame.noise, strict=True)) == set(enumerate(LEVELS))


def test_other_metrics_are_read_when_asked_for(tmp_path):
    run = make_run(tmp_path / "r", team=team())
    assert "subject_red" not in set(read_trajectory(run).metric)
    assert "subject_red" in set(read_trajectory(run, None).metric)
    assert set(read_trajectory(run, ["subject_red"]).metric) == {"subject_red"}


def test_without_a_trajectory_the_frame_is_empty_with_the_same_columns(tmp_path):
    plain = read_trajectory(make_run(tmp_path / "plain"))
    assert plain.empty
    assert list(plain) == list(read_trajectory(make_run(tmp_path / "r", team=team())))


def test_resume_makes_the_missing_frames_only(tmp_path):
    whole = make_run(tmp_path / "whole", team=team())
    with pytest.raises(RuntimeError, match="out of memory"):
        go(tmp_path / "r", team=team(Fades(after=5)))
    run, outcome = go(tmp_path / "r", team=team())
    assert outcome.made == 11
    assert_same_tables(run, whole)


def test_frames_are_scored_again_from_the_store_by_a_changed_scorer(tmp_path):
    make_run(tmp_path / "r", team=team())
    run, outcome = go(tmp_path / "r", team=team(Fades(after=0), MeanScorer(0.5)))
    assert (outcome.made, outcome.rescored) == (0, 16)
    assert_same_tables(run, make_run(tmp_path / "other", team=team(scorer=MeanScorer(0.5))))


def test_a_run_without_frames_is_not_mixed_with_one_that_has_them(tmp_path):
    go(tmp_path / "r", team=team(ShapeSampler()))
    with pytest.raises(NotComparableError, match="frames of the trajectory"):
        go(tmp_path / "r", team=team())


@pytest.mark.parametrize(
    "sampler", [Fades(shape=(3, 8, 8, 3)), Fades(levels=(1.0, 0.5)), ShapeSampler()]
)
def test_frames_of_the_wrong_form_are_refused(tmp_path, sampler):
    if sampler.info.noise_levels is None:
        sampler.info = replace(sampler.info, noise_levels=LEVELS)
    with pytest.raises(BenchError, match="frames of the wrong form"):
        go(tmp_path / "r", team=team(sampler))


def test_frames_need_the_scorer_that_measures_them(tmp_path):
    alone = Components(Fades(), ShapeSegmenter(), {"edges": EdgeScorer()})
    with pytest.raises(UsageError, match="--scorer segmentation"):
        go(tmp_path / "r", team=alone)


def test_kept_steps_are_spread_with_both_ends():
    assert spread(8, 0) == spread(8, 8) == list(range(8))
    assert spread(8, 1) == [7]
    assert spread(8, 2) == [0, 7]
    assert spread(8, 4) == [0, 2, 5, 7]
    for steps in range(1, 30):
        for frames in range(1, steps + 1):
            kept = spread(steps, frames)
            assert len(set(kept)) == frames
            assert kept[-1] == steps - 1


def test_more_frames_than_steps_are_refused_with_what_to_do():
    with pytest.raises(UsageError, match=r"--trajectory 999: the model takes 8 steps.*at most 8"):
        spread(8, 999)
    with pytest.raises(UsageError, match="takes 4 steps"):
        LocalSampler("local-teacher", steps=4, trajectory=5)


def test_estimates_tell_when_the_colour_came(tmp_path):
    run = make_run(tmp_path / "r", team=team())
    found = {e.metric: e for e in read_estimates(run) if e.group == "all"}
    # Half of the picture has its colours in the second frame, all of it in the third.
    assert 0.25 <= found["arrival_noise"].value <= 0.5
    assert found["arrival_noise"].scored > 0
    rows = arrivals(run, read_verdicts(run))
    assert set(rows.arrival_step.dropna()) <= {1.0, 2.0}
    plain = make_run(tmp_path / "plain")
    assert not [e for e in read_estimates(plain) if e.metric == "arrival_noise"]
    assert arrivals(plain, read_verdicts(plain)).empty


def test_filmstrips_are_written_one_a_cell_and_made_again(tmp_path):
    run = make_run(tmp_path / "r", team=team())
    strips = sorted((run.folder / "filmstrips").glob("*.png"))
    assert len(strips) == 6
    cells = {path.stem.rpartition("-")[0] for path in strips}
    assert len(cells) == 6
    assert "single-blue-potato" in cells
    assert write_filmstrips(run, most=2)
    assert not (make_run(tmp_path / "plain").folder / "filmstrips").exists()
