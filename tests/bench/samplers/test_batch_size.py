"""The search for the batch size, on a memory that is modelled."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.samplers.batch_size import LARGEST, UNPROBED, BatchSize, Memo


def search(batch, free, base, each, rounds=20):
    """Make batches on a GPU with ``free`` bytes where n images take base + n each."""
    sizes = []
    for _ in range(rounds):
        taken = base + each * batch.size
        sizes.append(batch.size)
        if taken > free:
            if not batch.failed():
                return sizes, False
        else:
            batch.made(batch.size, taken)
    return sizes, True


@given(
    free=st.integers(1, 10**11),
    base=st.integers(0, 10**10),
    each=st.integers(1, 10**10),
)
def test_it_settles_on_what_fits(free, base, each):
    batch = BatchSize(memory=lambda: free)
    sizes, made = search(batch, free, base, each)
    assert made == (base + each <= free)
    if made:
        assert base + each * batch.size <= free
        assert sizes[-1] == sizes[-5], "still moving"
        assert 1 <= batch.size <= LARGEST
        # No more than once was memory run out of for each halving.
        assert len(set(sizes)) <= 12


def test_plenty_of_memory_gives_the_largest():
    batch = BatchSize(memory=lambda: 80 * 10**9)
    search(batch, 80 * 10**9, 10**8, 10**8)
    assert batch.size == LARGEST


def test_what_was_asked_for_is_kept_and_only_halved():
    batch = BatchSize(24, memory=lambda: 10**9)
    batch.made(24, 10)
    assert batch.size == 24
    assert batch.failed()
    assert batch.size == 12


def test_without_a_probe():
    assert BatchSize().size == UNPROBED


def test_one_image_that_does_not_fit():
    assert not BatchSize(1).failed()


def test_a_short_batch_teaches_nothing():
    batch = BatchSize(memory=lambda: 10**9)
    batch.made(1, 10**7)
    size = batch.size
    batch.made(size - 1, 1)
    assert batch.size == size


def test_the_size_is_remembered_and_told(tmp_path):
    memo, lines = Memo(tmp_path / "sizes.json"), []
    batch = BatchSize(memory=lambda: 10**9, memo=memo, key="m", say=lines.append)
    search(batch, 10**9, 0, 10**8)
    assert lines == [f"batch size {batch.size}, by the memory that an image takes"]
    again = BatchSize(memory=lambda: 10**9, memo=memo, key="m", say=lines.append)
    assert again.size == batch.size
    assert lines[-1] == f"batch size {batch.size}, as found before"
    assert BatchSize(memory=lambda: 10**9, memo=memo, key="other").size == 1
    assert BatchSize(3, memory=lambda: 10**9, memo=memo, key="m").size == 3


@pytest.mark.parametrize("content", ["", "{", "[]", '{"m": "8"}', '{"m": 0}', '{"m": 100000}'])
def test_a_damaged_memo_only_costs_the_search(tmp_path, content):
    path = tmp_path / "sizes.json"
    path.write_text(content)
    memo = Memo(path)
    assert memo.get("m") is None
    memo.put("n", 4)
    assert json.loads(path.read_text())["n"] == 4


def test_a_memo_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    Memo(tmp_path / "file" / "sizes.json").put("m", 4)
