"""Cores are shared out, and a GPU is given the processes that it, they and the pictures allow."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from bench.judge.device import usable_cores
from bench.run.cores import judges_on, keep_to_own_cores
from bench.run.spec import PictureSource, RunSpec


def spec_of(**options):
    return RunSpec(PictureSource(Path("pictures")), Path("runs"), **options)


@pytest.mark.parametrize(
    ("cores", "gigabytes", "pictures", "count"),
    [
        (16, 130, 10_000, 8),
        (64, 130, 10_000, 8),
        (6, 130, 10_000, 3),
        (16, 10, 10_000, 3),
        (16, 130, 800, 3),
        (16, 130, 500, 1),
        (1, 1, 10_000, 1),
    ],
)
def test_processes_of_a_gpu(monkeypatch, cores, gigabytes, pictures, count):
    monkeypatch.setattr("bench.run.cores.core_count", lambda: cores)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (gigabytes * 2**30, 0))
    assert judges_on(spec_of(segmenter="auto:bundled"), "cuda", pictures) == count


@pytest.mark.parametrize(
    ("device", "options"),
    [
        ("cpu", {"segmenter": "auto:bundled"}),
        ("cuda", {"segmenter": "auto:mmdino+sam2"}),
        ("cuda", {"segmenter": "cutout", "clip": "openclip:ViT-B-32"}),
        ("cuda", {"segmenter": "cutout", "scorers": ("segmentation", "vqa:model")}),
    ],
)
def test_one_process_on_a_cpu_and_for_large_weights(device, options):
    assert judges_on(spec_of(**options), device, 10_000) == 1


def test_every_core_belongs_to_one_process():
    script = (
        "import os, sys; from bench.run.cores import keep_to_own_cores as keep;"
        "keep(int(sys.argv[1]), 2); print(*os.sched_getaffinity(0))"
    )
    found = []
    for rank in "01":
        out = subprocess.check_output([sys.executable, "-c", script, rank], text=True)
        found.append({int(core) for core in out.split()})
    everything = set(usable_cores())
    assert found[0] | found[1] == everything
    assert len(everything) < 2 or not found[0] & found[1]


def test_more_processes_than_cores_keep_all():
    before = os.sched_getaffinity(0)
    keep_to_own_cores(0, 10_000)
    assert os.sched_getaffinity(0) == before


def test_only_cores_that_a_process_may_use_are_counted():
    program = (
        "import os; from bench.judge.device import core_count, usable_cores;"
        "one = usable_cores()[:1]; os.sched_setaffinity(0, one); print(core_count())"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "1\n"
