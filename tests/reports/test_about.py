"""What made a run, without the folders of a machine."""

from __future__ import annotations

import pytest

from reports.about import command, facts, without_folders
from tests.reports.helpers import changed


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("/home/me/runs/x.csv", "…/x.csv"),
        ("/home/my name/x y", "…/x y"),
        ("C:\\Users\\me\\x", "…/x"),
        ("~/models/tuned/", "…/tuned"),
        ("a 1/2 of it", "a 1/2 of it"),
        ("org/name@main", "org/name@main"),
        ("s3://bucket/runs/a", "s3://bucket/runs/a"),
        ("cannot read '/srv/a/b.png'", "cannot read '…/b.png'"),
    ],
)
def test_absolute_paths_lose_their_folders(text, shown):
    assert without_folders(text) == shown


def test_facts_and_command_have_no_absolute_path(first):
    made = "bench run --model /home/me/tuned --captions='/srv/the data/c.csv' --seeds 2"
    sampler = first.record["sampler"] | {"name": "/home/me/tuned", "options": {"p": ["/a/b"]}}
    run = changed(first, record=first.record | {"sampler": sampler, "command": made})
    assert command(run) == "bench run --model '…/tuned' '--captions=…/c.csv' --seeds 2"
    values = [value for _, rows in facts(run) for _, value in rows]
    assert "…/tuned" in values
    assert "…/b" in values
    assert not any(value.startswith("/") for value in values)
    assert facts(run)[0][0] == "Run"
