"""The segmenter of a run is chosen when it begins, and kept when it goes on."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from PIL import Image

from bench.errors import NotComparableError
from bench.gate.baseline import comparable
from bench.gate.fields import require_comparable
from bench.judge.regions.auto import BUNDLED, STRONG
from bench.judge.regions.word_segmenters import DEFAULTS
from bench.run.components import with_choice
from bench.run.run import run
from bench.run.spec import ModelSource, PictureSource, RunSpec
from bench.run.summary import RunSummary, warnings
from prompts import build_grid


@pytest.fixture
def pictures(tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number, colour in enumerate([(30, 60, 200), (200, 40, 40)]):
        image = np.full((160, 200, 3), (200, 190, 170), np.uint8)
        image[40:120, 60:140] = colour
        Image.fromarray(image).save(folder / f"{number}.png")
        (folder / f"{number}.txt").write_text("a blue potato")
    return folder


def test_the_choice_is_kept_until_a_run_is_made_anew(pictures, tmp_path, hub, miniature):
    spec = RunSpec(
        PictureSource(pictures), tmp_path / "runs", scorers=("segmentation",), device="cpu"
    )
    done = run(spec)
    doubts = warnings(RunSummary(done.run.manifest, done.estimates, done.stock.images))
    assert any("bundled network, which is certified on" in line for line in doubts)
    hub.models = dict(zip(DEFAULTS[STRONG], map(miniature, ("mmdino", "sam2")), strict=True))
    said = []

    def yes(question):
        said.append(question)
        return True

    kept = with_choice(spec, said.append, yes)
    assert kept.segmenter == BUNDLED
    assert said == []
    again = dataclasses.replace(spec, fresh=True)
    anew = run(again, consent=yes)
    assert len(said) == 1
    recorded = anew.run.manifest.segmenter.options[STRONG]["models"]
    assert [name.partition("@")[0] for name in recorded] == list(DEFAULTS[STRONG])
    assert all(len(name.partition("@")[2]) == 40 for name in recorded)
    doubts = warnings(RunSummary(anew.run.manifest, anew.estimates, anew.stock.images))
    assert not any("bundled network" in line for line in doubts)
    # Whatever the hub has by now, the run goes on with the commits that it began with.
    assert with_choice(spec, said.append, yes).segmenter == f"auto:{STRONG}:{','.join(recorded)}"
    other = anew.run.manifest.segmenter.model_copy(update={"weights": "a judge that changed"})
    changed = anew.run.manifest.model_copy(update={"segmenter": other})
    with pytest.raises(NotComparableError, match=r"segmenter\.weights"):
        require_comparable(comparable(anew.run.manifest), comparable(changed))
    text = (anew.run.folder / "run.json").read_text()
    assert str(tmp_path) not in text.replace(anew.run.manifest.command, "")


def test_a_model_that_draws_the_rendered_world_asks_for_nothing(tmp_path, hub):
    for model in ("local", "local-atomic-seed2"):
        spec = RunSpec(ModelSource(model, build_grid("quick")), tmp_path)
        assert with_choice(spec, pytest.fail, pytest.fail).segmenter == BUNDLED
    assert hub.asked == []
