import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bench.errors import StoreError
from bench.records import Generation
from bench.store import parts
from bench.store.pictures import decode_png
from bench.store.rows import sample_row
from bench.store.run import Run, RunWriter
from bench.store.schema import SAMPLES
from prompts import build_grid
from prompts.cells import Sample
from tests.bench.runs import make_run, table_of


@pytest.fixture
def run(tmp_path) -> Run:
    return make_run(tmp_path / "r", seeds=2, batch=4)


def test_pandas_and_pyarrow_open_the_samples_with_pictures(run):
    frame = pd.read_parquet(run.folder / "samples")
    assert list(frame.columns) == SAMPLES.names
    assert frame.shape[0] == 16
    picture = decode_png(frame.image[0]["bytes"])
    assert picture.shape == (32, 32, 3)
    assert picture.dtype == np.uint8
    assert pq.read_table(run.folder / "samples").num_rows == 16


def test_the_samples_describe_themselves_to_datasets(run):
    part = next((run.folder / "samples").glob("*.parquet"))
    described = json.loads(pq.read_schema(part).metadata[b"huggingface"])["info"]["features"]
    assert described["image"] == {"_type": "Image"}
    assert list(described) == SAMPLES.names
    assert described["tags"] == {
        "_type": "List",
        "feature": {"_type": "Value", "dtype": "string"},
    }


def test_pictures_and_cells_come_back_as_they_were(run):
    from tests.bench.shapes import cells, draw

    known = {cell.id: cell for cell in cells()}
    ids = run.ids("samples")
    found = [one for batch in run.generations(ids, 5) for one in batch]
    assert len(found) == 16
    for one in found:
        assert one.sample.cell == known[one.sample.cell.id]
        assert (one.image == draw(one.sample)).all()


def test_large_pictures_are_read_few_at_a_time(run, monkeypatch):
    ids = run.ids("samples")
    assert max(len(batch) for batch in run.generations(ids, 8)) == 8
    monkeypatch.setattr("bench.store.run.TOGETHER_PIXELS", 3 * 32 * 32)
    few = [len(batch) for batch in run.generations(ids, 8)]
    assert max(few) <= 3
    assert sum(few) == 16


def test_truncated_part_is_named(run):
    part = sorted((run.folder / "samples").glob("*.parquet"))[0]
    part.write_bytes(part.read_bytes()[:-100])
    with pytest.raises(StoreError, match=rf"{part.name} is damaged .*sets it aside"):
        run.ids("samples")


def test_flipped_bit_is_found(run):
    part = sorted((run.folder / "samples").glob("*.parquet"))[0]
    data = bytearray(part.read_bytes())
    # In the middle of the pictures, where only the checksum can tell.
    data[len(data) // 2] ^= 1
    part.write_bytes(bytes(data))
    with pytest.raises(StoreError, match=f"{part.name} is damaged"):
        table_of(run, "samples")


def test_empty_file_is_damaged(run):
    part = sorted((run.folder / "scores" / "mean").glob("*.parquet"))[0]
    part.write_bytes(b"")
    with pytest.raises(StoreError, match="is damaged"):
        run.ids("scores/mean")


def test_part_of_another_run_is_foreign(run, tmp_path):
    other = make_run(tmp_path / "other", seeds=1)
    part = next((other.folder / "samples").glob("*.parquet"))
    (run.folder / "samples" / "part-000099.parquet").write_bytes(part.read_bytes())
    with pytest.raises(
        StoreError, match=f"part-000099.parquet is foreign: it belongs to run {other.manifest.id}"
    ):
        run.ids("samples")


def test_table_of_something_else_is_foreign(run):
    pd.DataFrame({"a": [1]}).to_parquet(run.folder / "regions" / "part-000050.parquet")
    with pytest.raises(StoreError, match=r"part-000050\.parquet is foreign"):
        run.ids("regions")


def test_part_copied_within_a_run_is_read_once(run):
    part = sorted((run.folder / "samples").glob("*.parquet"))[0]
    before = table_of(run, "samples")
    (run.folder / "samples" / "part-000050.parquet").write_bytes(part.read_bytes())
    assert table_of(run, "samples").map(repr).equals(before.map(repr))
    assert len(run.ids("samples")) == len(before)


def test_parts_are_closed_by_size(run, tmp_path):
    small = make_run(tmp_path / "small", seeds=4, batch=4, size=3000)
    assert len(list((small.folder / "samples").glob("*.parquet"))) > 4
    assert small.ids("samples") == small.ids("scores/mean") == small.ids("regions")


def test_new_parts_are_numbered_after_the_old(run):
    writer = RunWriter(run)
    assert writer._writers["samples"]._next == 2


def test_a_picture_alone_is_stored_as_one_of_many_without_a_copy():
    noise = np.random.default_rng(0).integers(0, 256, (256, 256, 3), dtype=np.uint8)
    for source in ("a/b.png", None):
        row = sample_row(Generation(Sample(build_grid("quick").cells[0], 0), noise, source=source))
        many = pa.RecordBatch.from_pylist([row], schema=SAMPLES)
        before = pa.total_allocated_bytes()
        alone = parts.as_batch([row], SAMPLES)
        assert pa.total_allocated_bytes() - before < len(row["image"]["bytes"]) / 2
        assert alone.equals(many)
        assert alone.schema.equals(many.schema)
