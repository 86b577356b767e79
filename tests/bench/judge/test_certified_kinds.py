"""What is kept of certified pictures: written and read, and every certificate that is none."""

import copy
import json
import math

import numpy as np
import pytest

from bench.errors import BenchError, UsageError
from bench.judge.certified_kinds import (
    PATH,
    labelled_kind,
    read_labelled,
    read_references,
    with_labelled,
    write_references,
)
from bench.judge.out_of_distribution import fit_reference
from bench.judge.readings import DISTANCE as METRIC
from bench.judge.readings import nearest_kind
from bench.judge.regions.bundled import feature_weights
from bench.judge.regions.cutout import CutoutSegmenter
from bench.judge.scorers.ood import OodScorer


def gaussian(n, width=12, seed=0, at=0.0):
    return at + np.random.default_rng(seed).normal(size=(n, width))


def written(path, kinds):
    path.write_text(json.dumps({"trials": {}, "labelled_kinds": kinds}))
    return path


@pytest.fixture(scope="module")
def own():
    weights = read_references()["small"].weights
    return labelled_kind("small", weights, gaussian(40, 264))


def test_references_are_read_as_they_were_written(tmp_path):
    kinds = {"one": (gaussian(120), range(120)), "two": (gaussian(120, at=4.0), range(120))}
    made = fit_reference("abc", kinds)
    write_references(tmp_path / "file.safetensors", {"small": made})
    read = read_references(tmp_path / "file.safetensors")["small"]
    assert read.weights == "abc"
    values = gaussian(20, at=1.0)
    for name, distances in made.distances(values).items():
        assert read.distances(values)[name] == pytest.approx(distances, rel=0.02)


def test_a_damaged_file_is_an_error(tmp_path):
    from safetensors.numpy import save_file

    facts = json.dumps({"small": {"weights": "a", "kinds": {"one": {"rest": 1}}}})
    save_file({"a": np.zeros(3)}, tmp_path / "foreign")
    save_file({"a": np.zeros(3)}, tmp_path / "lacking", {"facts": facts})
    save_file({"a": np.zeros(3)}, tmp_path / "list", {"facts": "[1]"})
    (tmp_path / "text").write_bytes(b"nothing")
    (tmp_path / "cut").write_bytes(PATH.read_bytes()[:-100])
    for name in ("foreign", "lacking", "list", "text", "cut", "none"):
        with pytest.raises(BenchError, match="missing or damaged"):
            read_references(tmp_path / name)


def test_the_bundled_references_are_of_the_bundled_networks():
    assert {name: one.weights for name, one in read_references().items()} == feature_weights()


def test_pictures_with_labels_are_a_kind_of_their_own(tmp_path):
    networks, scorer = CutoutSegmenter(), OodScorer()

    def share_outside(scorer, images):
        return np.mean([scorer.distances(one)[METRIC][0] > 1 for one in networks.pooled(images)])

    rng = np.random.default_rng(1)
    images = []
    for _ in range(40):
        stripes = np.repeat(rng.integers(0, 256, (8, 1, 3)), 8, 0)
        images.append(np.broadcast_to(stripes, (64, 64, 3)).astype(np.uint8))
    assert share_outside(scorer, images) > 0.9
    seen = networks.pooled(images[:30])
    own = labelled_kind("small", seen[0].weights, np.stack([one.values for one in seen]))
    path = written(tmp_path / "certificate.json", [own])
    with_own = OodScorer(certificate=path)
    assert share_outside(with_own, images[30:]) < 0.5
    nearest = {m: v for m, (v, _) in with_own.distances(seen[0]).items()}
    assert nearest_kind(nearest) == "labelled"
    assert with_own.fingerprint.options != scorer.fingerprint.options
    assert "labelled" in with_labelled(read_labelled(path))["small"].kinds


def test_a_certificate_without_labels_is_refused(tmp_path):
    path = tmp_path / "certificate.json"
    for text in ("", "[1]", "{", json.dumps({"trials": {}}), json.dumps({"labelled_kinds": []})):
        path.write_text(text)
        with pytest.raises(UsageError, match="bench validate --labels"):
            OodScorer(certificate=path)


@pytest.mark.parametrize(
    "damage",
    [
        {"network": "other"},
        {"network": ["small"]},
        {"mean": [0.0] * 10},
        {"mean": [math.nan] * 264},
        {"mean": "abc"},
        {"axes": [[0.0] * 264]},
        {"axes": [[0.0] * 264, [0.0]]},
        {"variances": [1.0]},
        {"variances": [0.0] * 5},
        {"threshold": 0},
        {"threshold": -1},
        {"threshold": math.inf},
        {"threshold": 10**400},
        {"rest": 0},
        {"rest": None},
    ],
)
def test_a_damaged_kind_is_refused(tmp_path, own, damage):
    path = written(tmp_path / "certificate.json", [copy.deepcopy(own) | damage])
    with pytest.raises(UsageError, match="bench validate --labels"):
        read_labelled(path)


def test_a_kind_stands_once_and_is_of_the_networks_of_today(tmp_path, own):
    with pytest.raises(UsageError, match="twice"):
        read_labelled(written(tmp_path / "twice.json", [own, own]))
    with pytest.raises(UsageError, match=r"0123.*bench validate --labels"):
        read_labelled(written(tmp_path / "other.json", [own | {"weights": "0123"}]))
    with pytest.raises(UsageError, match="0123"):
        labelled_kind("small", "0123", np.zeros((30, 264), np.float32))


def test_pictures_that_are_all_the_same_are_a_kind(tmp_path):
    weights, values = read_references()["small"].weights, np.repeat(gaussian(1, 264), 25, 0)
    path = written(tmp_path / "same.json", [labelled_kind("small", weights, values)])
    reference = with_labelled(read_labelled(path))["small"]
    found = reference.distances(np.concatenate([values[:1], values[:1] + 1]))["labelled"]
    assert found[0] <= 1 < found[1]
