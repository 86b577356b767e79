"""The table of what the colour words added: of both predictions, in any order, of old runs too."""

import json
from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import pytest

from bench.errors import BenchError
from bench.judge.accumulation import accumulated, masks_of
from bench.judge.placed import placed
from bench.run.accumulation import accumulation_rows
from bench.run.components import Components
from bench.run.derive import current_estimates, derive
from bench.store.derived import ACCUMULATION_FILE, are_current, read_accumulation
from bench.store.pictures import decode_png
from bench.store.run import Run
from bench.store.score_reader import read_trajectory
from tests.bench.runs import go, make_run, table_of
from tests.bench.shapes import MeanScorer, ShapeSampler, ShapeSegmenter

LEVELS = (1.0, 0.5)


class Guided(ShapeSampler):
    """Two frames of each prediction; the conditional one is half of the way at first."""

    def __init__(self, predictions=("guided", "conditional"), wrong=None) -> None:
        super().__init__()
        self.info = replace(self.info, noise_levels=LEVELS, predictions=predictions)
        self.wrong = wrong

    def sample(self, samples):
        for one in super().sample(samples):
            half = (one.image // 2 + 64).astype(np.uint8)
            frames = np.stack([one.image[::-1], one.image])
            alone = np.stack([half, one.image]) if self.wrong is None else self.wrong
            both = self.info.predictions == ("guided", "conditional")
            yield replace(one, frames=frames, conditional=alone if both else None)


def run_of(path, **options):
    team = Components(Guided(**options), ShapeSegmenter(), {"segmentation": MeanScorer()})
    return make_run(path, team=team)


def steps_of(run, prediction="guided"):
    table = read_accumulation(run)
    return table[(table["prediction"] == prediction) & table["added"].notna()]


def test_the_last_step_is_the_difference_of_the_pictures(tmp_path):
    run = run_of(tmp_path / "r")
    samples = table_of(run, "samples").set_index("sample_id")
    regions = table_of(run, "regions").set_index("sample_id")
    by_cell = {
        (row.cell_id, row.index_): key
        for key, row in samples.rename(columns={"index": "index_"}).iterrows()
    }
    seen = 0
    for (key, binding), rows in steps_of(run).groupby(["sample_id", "binding"]):
        row = samples.loc[key]
        control = samples.loc[by_cell[row.control_id, row["index"]]]
        image, base = (decode_png(one.image["bytes"]) for one in (row, control))
        found = regions.loc[key]
        labels = decode_png(found.labels)
        ((picture, _),) = placed([(image, labels, tuple(found.neighbours))])
        colour = row.bindings[binding]["colour"]
        expected = {
            one.place: one.steps[-1]
            for one in accumulated(image[None], base[None], masks_of(picture, binding), colour)
        }
        for place, added in zip(rows["place"], rows["added"], strict=True):
            assert added[-1] == pytest.approx(expected[place], abs=1e-5)
            seen += 1
    assert seen > 10


def test_both_predictions_are_kept_and_end_at_the_picture(tmp_path):
    run = run_of(tmp_path / "r")
    assert run.manifest.kept == ("guided", "conditional")
    keys = ["sample_id", "binding", "place"]
    both = steps_of(run).merge(steps_of(run, "conditional"), on=keys)
    assert len(both) == len(steps_of(run)) > 0
    for one, two in zip(both["added_x"], both["added_y"], strict=True):
        assert one[-1] == pytest.approx(two[-1])
    binds = read_trajectory(run, ["bind", "conditional_bind"]).pivot(
        index=["sample_id", "binding", "step"], columns="metric", values="value"
    )
    assert set(binds) == {"bind", "conditional_bind"}
    last = binds.xs(1, level="step")
    assert last["bind"].equals(last["conditional_bind"].rename("bind"))


def test_without_guidance_the_frames_are_the_conditional_prediction(tmp_path):
    run = run_of(tmp_path / "r", predictions=("conditional",))
    assert set(read_accumulation(run)["prediction"]) == {"conditional"}
    told = {e.metric: e.value for e in current_estimates(run) if e.group == "all"}
    assert told["arrival_noise"] == told["conditional_arrival_noise"]


def test_a_run_of_an_earlier_release_is_read(tmp_path):
    run = run_of(tmp_path / "r", predictions=("guided",))
    before = read_accumulation(run)
    for path in (run.folder / "samples").glob("*.parquet"):
        part = pq.read_table(path)
        pq.write_table(part.drop_columns(["conditional"]), path, write_page_checksum=True)
    (run.folder / ACCUMULATION_FILE).unlink()
    record = json.loads((run.folder / "run.json").read_text())
    del record["predictions"]
    (run.folder / "run.json").write_text(json.dumps(record))
    old = Run(run.folder)
    assert not are_current(old)
    derive(old)
    assert are_current(old)
    assert old.manifest.kept == ("guided",)
    assert read_accumulation(old).equals(before)
    assert table_of(old, "samples")["conditional"].isna().all()


def test_the_order_of_the_parts_does_not_matter(tmp_path):
    run = run_of(tmp_path / "r")
    wanted = sorted(map(str, accumulation_rows(run)))
    team = Components(Guided(), ShapeSegmenter(), {"segmentation": MeanScorer()})
    other, _ = go(tmp_path / "many", team=team, size=1, batch=2)
    parts = sorted((other.folder / "samples").glob("*.parquet"))
    assert len(parts) > 3
    for number, path in enumerate(reversed(parts)):
        path.rename(path.with_name(f"part-9{number:05d}.parquet"))
    assert sorted(map(str, accumulation_rows(other))) == wanted


def test_conditional_frames_of_the_wrong_form_are_refused(tmp_path):
    with pytest.raises(BenchError, match="frames of the wrong form"):
        run_of(tmp_path / "r", wrong=np.zeros((1, 8, 8, 3), np.uint8))


def test_a_sampler_that_promised_both_predictions_gives_both(tmp_path):
    class Forgets(Guided):
        def sample(self, samples):
            return (replace(one, conditional=None) for one in super().sample(samples))

    team = Components(Forgets(), ShapeSegmenter(), {"segmentation": MeanScorer()})
    with pytest.raises(BenchError, match=r"frames of the wrong form .*: none"):
        make_run(tmp_path / "r", team=team)


def test_a_run_without_frames_has_no_table(tmp_path):
    run = make_run(tmp_path / "r")
    assert not (run.folder / ACCUMULATION_FILE).exists()
    assert read_accumulation(run).empty
