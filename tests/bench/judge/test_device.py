"""A judge on another device, or in another precision, says the same within a stated tolerance."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch

from bench.certificate.photoreal import photoreal_batches
from bench.certificate.report import judge_measured, measure_known
from bench.certificate.scenes import Conditions, known_answers
from bench.errors import UsageError
from bench.judge import device as device_module
from bench.judge.device import beside, computed, in_threads, judging, require_device, to_device
from bench.judge.dtype import VARIABLE, recorded_dtype
from bench.judge.regions.cutout import CutoutSegmenter
from bench.judge.resolution import reduced, reduced_batch
from bench.judge.scorers.clip import ClipScorer
from bench.judge.scorers.segmentation import SegmentationScorer

#: Mean difference of masks and of the shares measured in them, and the most verdicts and presences
#: that may be others, between devices and precisions (docs/regions.md).
MASKS, SHARES, OTHERS = 0.02, 0.02, 0.08
#: Where there is a GPU it is held against the CPU; the CPU in the way of a GPU always is.
DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]


def scenes():
    photographs = [answer for batch in photoreal_batches(20) for answer in batch]
    drawn = known_answers(12, 31) + known_answers(6, 32, Conditions(size=192))
    return photographs + drawn


def as_on_a_gpu(monkeypatch, device):
    """A segmenter in float32, many pictures in a pass."""
    monkeypatch.setenv(VARIABLE, "float32")
    segmenter = CutoutSegmenter(device)
    segmenter.photo.together = 16
    return segmenter


@pytest.mark.parametrize("device", DEVICES)
def test_regions_and_verdicts_agree(device, monkeypatch):
    answers = scenes()
    images = [a.generation.image for a in answers]
    cells = [a.generation.sample.cell for a in answers]
    here, there = CutoutSegmenter(), as_on_a_gpu(monkeypatch, device)
    found = [segmenter.segment(images, cells) for segmenter in (here, there)]
    masks = [np.abs(a.masks - b.masks).mean() for a, b in zip(*found, strict=True)]
    presence = [np.abs(a.found - b.found) for a, b in zip(*found, strict=True)]
    assert 0 < np.mean(masks) < MASKS
    assert np.mean(np.concatenate(presence) > 0.1) <= OTHERS
    scorer = SegmentationScorer()
    measured = [measure_known(answers, one, scorer) for one in (here, there)]
    said = [[judged.said for judged in judge_measured(one)] for one in measured]
    assert np.mean([a != b for a, b in zip(*said, strict=True)]) <= OTHERS
    bind = [[row.get("bind", np.nan) for one in m for row in one.metrics] for m in measured]
    assert np.nanmean(np.abs(np.subtract(*bind))) < SHARES


@pytest.mark.parametrize("device", DEVICES)
def test_clip_agrees(device, monkeypatch):
    answers = known_answers(16, 33)
    generations = [a.generation for a in answers]
    regions = [a.regions for a in answers]
    here = ClipScorer().score(generations, regions)
    monkeypatch.setenv(VARIABLE, "float32")
    from bench.judge.clip.load import load_clip

    there = ClipScorer(load_clip.__wrapped__("bundled", device)).score(generations, regions)
    apart = [abs(a.value - b.value) for a, b in zip(here, there, strict=True) if a.value == a.value]
    assert 0 < np.mean(apart) < SHARES


@pytest.mark.parametrize("device", DEVICES)
def test_an_answer_does_not_depend_on_the_batch_of_a_gpu(device, monkeypatch):
    segmenter = as_on_a_gpu(monkeypatch, device)
    answers = [answer for batch in photoreal_batches(5) for answer in batch]
    images = [a.generation.image for a in answers]
    cells = [a.generation.sample.cell for a in answers]
    together = segmenter.segment(images, cells)
    for image, cell, regions in zip(images, cells, together, strict=True):
        alone = segmenter.segment([image], [cell])[0]
        assert np.abs(alone.masks - regions.masks).max() < 1e-3
        assert np.abs(alone.found - regions.found).max() < 1e-3


def test_scores_are_in_order_whatever_thread_made_them():
    answers = known_answers(12, 34)
    generations = [a.generation for a in answers]
    scorer = SegmentationScorer()
    together = scorer.score(generations, [a.regions for a in answers])
    alone = [s for a in answers for s in scorer.score([a.generation], [a.regions])]
    assert [(s.sample_id, s.metric, str(s.value)) for s in together] == [
        (s.sample_id, s.metric, str(s.value)) for s in alone
    ]


def test_what_is_wrong_in_a_thread_is_raised():
    answers = known_answers(4, 35)
    generations = [a.generation for a in answers]
    small = [replace(a.regions, background=a.regions.background[:8]) for a in answers]
    with pytest.raises(ValueError, match="regions of"):
        SegmentationScorer().score(generations, small)
    assert in_threads(str, range(40)) == [str(number) for number in range(40)]


@pytest.mark.parametrize("device", DEVICES)
def test_a_device_makes_pictures_smaller_as_a_cpu_does(device):
    rng = np.random.default_rng(0)
    images = [rng.integers(0, 255, (300, 700, 3), dtype=np.uint8) for _ in range(2)]
    images[1].flags.writeable = False
    there = reduced_batch(images, device).permute(0, 2, 3, 1).cpu().numpy()
    here = np.stack([reduced(image) for image in images])
    assert there.dtype == np.uint8
    assert np.abs(there.astype(int) - here).max() <= 1


def test_drawn_and_photographed_pictures_of_one_shape():
    (photographs,) = photoreal_batches(3)
    side = photographs[0].generation.image.shape[0]
    drawn = known_answers(3, 36, Conditions(size=side))
    answers = [one for pair in zip(photographs, drawn, strict=True) for one in pair]
    segmenter = CutoutSegmenter()
    images = [a.generation.image[:side, :side] for a in answers]
    cells = [a.generation.sample.cell for a in answers]
    assert segmenter.drawn(images) == [False, True] * 3
    for image, cell, one in zip(images, cells, segmenter.segment(images, cells), strict=True):
        (alone,) = segmenter.segment([image], [cell])
        assert (one.support is None) == (alone.support is None)
        assert np.array_equal(alone.masks, one.masks)


def test_pictures_go_to_a_device_as_they_are():
    images = [np.arange(24, dtype=np.uint8).reshape(2, 4, 3) + k for k in range(3)]
    moved = to_device(images, "cpu")
    assert moved.dtype == torch.uint8
    assert moved.shape == (3, 3, 2, 4)
    assert int(moved[2, 1, 1, 3]) == images[2][1, 3, 1]
    with judging("cpu"):
        assert torch.is_inference_mode_enabled()
    assert recorded_dtype("float32", "cuda:1") == "float32 on cuda"


def test_a_device_that_is_not_there_is_named():
    with pytest.raises(UsageError, match="'cuda:99' cannot be used"):
        require_device("cuda:99")


@pytest.fixture
def threads_of_torch():
    """As many as a machine of several cores has by default, whatever these tests have."""
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield 3
    torch.set_num_threads(before)


def test_a_thread_of_the_judge_is_one_of_torch_and_the_others_keep_theirs(
    threads_of_torch, monkeypatch
):
    monkeypatch.setattr(device_module, "_started", cache(device_module._started.__wrapped__))

    def inside(number):
        return torch.get_num_threads(), in_threads(str, range(number))

    for count in (1, 8):
        expected = [(1, [str(number) for number in range(size)]) for size in range(count)]
        assert in_threads(inside, range(count)) == expected
        assert beside(lambda: in_threads(inside, range(count))).result() == expected  # noqa: B023
    assert beside(torch.get_num_threads).result() == threads_of_torch
    assert torch.get_num_threads() == threads_of_torch
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(torch.get_num_threads).result() == threads_of_torch


def test_two_batches_are_measured_side_by_side():
    together = threading.Barrier(2)

    def batch():
        together.wait(timeout=30)
        return in_threads(str, range(9))

    begun = [beside(batch) for _ in range(6)]
    assert [one.result() for one in begun] == [[str(number) for number in range(9)]] * 6


def test_a_gpu_computes_in_one_thread_of_a_process_and_a_cpu_in_those_of_the_judge():
    def where(number):
        return number, threading.current_thread().name

    found = computed("cuda:7", where, range(5)) + computed("cuda", where, range(2))
    assert [number for number, _ in found] == [*range(5), *range(2)]
    assert len({name for _, name in found}) == 1
    assert all("device" in name for _, name in found)
    assert all("device" not in name for _, name in computed("cpu", where, range(5)))
    with pytest.raises(ZeroDivisionError):
        computed("cuda", lambda number: 1 // number, [0])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_forked_process_has_threads_of_its_own():
    program = """if True:
        import os
        from bench.judge.device import beside, computed, in_threads
        def work():
            computed("cuda", str, [0])
            return beside(lambda: in_threads(str, range(3))).result()
        work()
        child = os.fork()
        if not child:
            os._exit(0 if work() == ["0", "1", "2"] else 1)
        os._exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    """
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", program], check=False, timeout=60)
    assert done.returncode == 0
