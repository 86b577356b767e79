"""Leases of what is missing: their sizes, and the order in which they are handed out."""

from bench.run.work_queue import LEASE, Lease, LeaseQueue, lease_size


def test_leases_shrink_towards_the_end_and_are_whole_batches():
    left, sizes = 10_000, []
    while left > 0:
        sizes.append(min(lease_size(left, 3, 16), left))
        left -= sizes[-1]
    assert sizes[0] == LEASE
    assert all(size % 16 == 0 for size in sizes[:-1])
    assert sizes == sorted(sizes, reverse=True)
    assert sum(sizes) == 10_000
    # A sampler that makes more at a time than a lease has gets one batch.
    assert lease_size(10_000, 3, 1000) == 1000


def test_queue_hands_out_scoring_first_and_every_id_once():
    again = [Lease("rescore", ("part-000001.parquet", {})), Lease("rescore", ("b.parquet", {}))]
    ids = [str(n) for n in range(1000)]
    queue = LeaseQueue(list(again), ids, 16, lambda: ["a", "b"])
    given = []
    while queue:
        given.append(queue.next())
    assert given[:2] == again
    assert {lease.method for lease in given[2:]} == {"sample"}
    assert [key for lease in given[2:] for key in lease.args[0]] == ids


def test_queue_that_is_cleared_hands_out_nothing_more():
    queue = LeaseQueue([Lease("rescore", ())], ["a"], 1, lambda: ["w"])
    queue.clear()
    assert not queue
