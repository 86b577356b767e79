"""The figures of the page on ingredients: what they show follows from the code."""

import csv
import json

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image

from reference_models import schedule
from reference_models.ingredients import attention, charts, corruption
from reference_models.ingredients.__main__ import main
from reference_models.local import LocalModel
from reference_models.nn.attention import Attention
from reference_models.weights import FOLDER
from reference_models.world.captions import LENGTH

PROMPT = "a blue potato"


@pytest.fixture(scope="module")
def watched():
    model = LocalModel(FOLDER / "local-atomic.safetensors", dtype=torch.float32)
    return attention.watch(model, PROMPT, range(2)), model


def test_a_picture_is_whole_at_first_and_nothing_of_it_is_left_at_the_end():
    for one in (corruption.by_schedule(), corruption.by_path()):
        assert torch.equal(one.states[0], corruption.PICTURE)
        assert len(one.states) == len(one.heads) == corruption.STEPS + 1
    assert torch.allclose(corruption.by_path().states[-1], corruption.noise())
    hidden = corruption.by_hiding().states.isnan().flatten(1).sum(1).tolist()
    assert hidden[0] == 0
    assert hidden[-1] == 9
    assert hidden == sorted(hidden)


def test_a_schedule_keeps_the_variance_and_ends_near_pure_noise():
    alphas, sigmas = schedule.signal(3), schedule.noise(3)
    assert torch.allclose(alphas**2 + sigmas**2, torch.ones(3, dtype=torch.float64))
    last = corruption.by_schedule().states[-1]
    assert float((last - corruption.noise()).abs().max()) < 0.1


def test_a_perfect_velocity_names_the_picture_at_every_state():
    back = corruption.followed_back(corruption.by_path().states)
    assert torch.allclose(back, corruption.PICTURE.expand_as(back), atol=1e-6)


def test_watched_weights_are_those_that_the_attention_uses():
    torch.manual_seed(0)
    one = Attention(8, 2, 6)
    x, words = torch.randn(2, 5, 8), torch.randn(2, 3, 6)
    mask = torch.tensor([[True, True, False], [True, True, True]])
    weights = attention.weights_of(one, x, words, mask)
    assert torch.allclose(weights.sum(-1), torch.ones(2, 2, 5))
    assert (weights[0, ..., 2] == 0).all()
    v = one.key_value(words).view(2, 3, 2, 2, 4)[:, :, 1].transpose(1, 2)
    y = one.out((weights @ v).transpose(1, 2).reshape(2, 5, 8))
    assert torch.allclose(y, one(x, words, mask), atol=1e-6)


def test_watching_changes_no_picture_and_sees_every_block_head_and_step(watched):
    found, model = watched
    assert found.maps.shape == (2, model.settings.steps, 4, 4, 8, 8, LENGTH)
    assert torch.allclose(found.maps.sum(-1), torch.ones(()), atol=1e-5)
    assert (found.maps[..., 3:] == 0).all(), "nothing attends to padding"
    drawn, _ = model.draw([PROMPT], [0])
    alone = ((found.pictures[0].clamp(-1, 1) + 1) * 127.5).permute(1, 2, 0)
    small = torch.nn.functional.avg_pool2d(drawn[0].permute(2, 0, 1).float(), 2).permute(1, 2, 0)
    assert float((small - alone).abs().mean()) < 4


def test_an_atom_keeps_its_own_colour(watched):
    found, _ = watched
    where = attention.where(found, "brown", 2)
    assert (where.inside > 0.5).all()
    assert (where.outside < where.inside).all()
    assert (attention.where(found, "blue", 2).inside < 0.2).all()


def test_overlap_of_a_word_with_itself_is_whole(watched):
    found, _ = watched
    assert torch.allclose(attention.overlap(found.maps, 2, 2), torch.ones(()), atol=1e-5)
    assert (attention.overlap(found.maps, 1, 2).abs() <= 1 + 1e-5).all()


def test_pictures_are_chosen_or_asked_for_in_one_line():
    where = attention.Where(np.array([0.9, 0.1, 0.6]), np.array([0.0, 0.6, 0.05]))
    assert attention.chosen(where, None, None) == (0, 1)
    assert attention.chosen(where, 2, None) == (2, 1)
    with pytest.raises(attention.ModelError, match="none of 1 pictures is leaking; name a seed"):
        attention.chosen(attention.Where(np.array([0.9]), np.array([0.0])), None, None)


@pytest.fixture
def trainings(tmp_path):
    """A folder of trainings as the command leaves it, made up."""
    folder = tmp_path / "trainings"
    for name, losses in (("with", [1.3, 0.5, 0.2]), ("without", [1.3, 40.0])):
        for rate in charts.RATES:
            place = folder / f"norm-{name}-{rate:g}-seed1"
            place.mkdir(parents=True)
            with (place / "curve.csv").open("w", newline="") as text:
                writer = csv.writer(text)
                writer.writerow(["pictures", "loss", "block_5", "block_6"])
                for step, loss in enumerate(losses, 1):
                    writer.writerow([32 * step, loss, 1.0, step if step != 2 else "nan"])
    tone = {"rendered": {"any": [70.0], "black": [20.0, 25.0], "white": [90.0]}}
    tone["local-capped-seed1"] = {"any": [70.0], "black": [60.0, 70.0], "white": [85.0]}
    (folder / "tone.json").write_text(json.dumps(tone))
    Image.new("RGB", (128, 64)).save(folder / "black-rendered.png")
    return folder


def test_every_chart_is_drawn_from_what_is_kept(trainings, tmp_path):
    kept, out = tmp_path / "kept", tmp_path / "figures"
    command = ["--trainings", str(trainings), "--results", str(kept), "--out", str(out)]
    for name in ("corruption", "normalisation", "walls"):
        command += ["--only", name]
    result = CliRunner().invoke(main, command, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    table = list(csv.DictReader((kept / "norm.csv").read_text().splitlines()))
    assert len(table) == 5 * len(charts.RATES)
    assert {row["size"] for row in table if row["norm"] == "with"} == {"1", "", "3"}
    for name in ("corruption", "normalisation", "walls"):
        with Image.open(out / f"how-{name}.png") as picture:
            assert picture.width > 600
            assert np.asarray(picture.convert("L")).std() > 5
    again = CliRunner().invoke(main, command[2:], catch_exceptions=False)
    assert again.exit_code == 0


def test_a_figure_without_its_weights_is_told_with_the_command(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, ["--only", "codes", "--out", str(tmp_path)])
    assert result.exit_code == 1
    assert "reference_models.train --preset local-masked" in result.output
