"""The trainer: short real trainings, an interrupted one included."""

import json
import os
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from safetensors import safe_open

from bench.errors import UsageError
from bench.samplers.local import LocalSampler
from prompts import build_grid
from reference_models import train
from reference_models.data import ScenePool
from reference_models.ema import Average
from reference_models.errors import ModelError
from reference_models.optimiser import make_optimisers, orthogonalised
from reference_models.presets import PRESETS, build
from reference_models.publish import blended
from reference_models.tokens import training as quantising
from reference_models.training import rate
from reference_models.weights import find_weights, read_weights
from reference_models.world.statistics import held_out_pairs

TINY = replace(PRESETS["smoke"], fine=8, coarse=16, batch=8)


def test_orthogonalised_matrix_has_singular_values_near_one():
    torch.manual_seed(0)
    for shape in ((6, 20), (20, 6)):
        values = torch.linalg.svdvals(orthogonalised(torch.randn(shape)))
        assert float(values.min()) > 0.5
        assert float(values.max()) < 1.4


def test_average_of_a_model_that_stands_still_is_the_model():
    model = build(TINY)
    average = Average(model)
    for _ in range(5):
        average.update(model)
    for name, p in model.named_parameters():
        assert torch.allclose(average.weights[name], p, atol=1e-7)


def test_a_training_whose_first_weights_are_missing_says_how_to_make_them(tmp_path, monkeypatch):
    monkeypatch.setattr("reference_models.weights.FOLDER", tmp_path)
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(train.main, ["--preset", "local-masked"])
    assert done.exit_code == 1
    assert "Error: local-masked begins with local-tokens: " in done.output
    assert "python -m reference_models.train --preset local-tokens" in done.output
    assert "Traceback" not in done.output


def test_loss_falls_on_a_few_pictures():
    torch.manual_seed(0)
    generator = torch.Generator().manual_seed(0)
    model = build(TINY)
    optimisers = make_optimisers(model, 2e-3, 0.02)
    pool = ScenePool(generator, size=64, block=64)
    losses = []
    for _ in range(30):
        loss = train.loss_of(model, *pool.batch(32), generator, TINY)
        loss.backward()
        for optimiser in optimisers:
            optimiser.step()
            optimiser.zero_grad()
        losses.append(float(loss.detach()))
    assert sum(losses[-5:]) < 0.85 * sum(losses[:5])


def test_rate_rises_then_holds_then_falls_to_zero():
    preset = PRESETS["local-teacher"]
    assert rate(0.0, preset) == 0
    assert rate(0.3, preset) == 1
    assert rate(0.8, preset) == pytest.approx(0.5)
    assert rate(1.0, preset) == 0


def run(folder, images, monkeypatch):
    monkeypatch.setitem(PRESETS, "smoke", replace(TINY, images=images))
    result = CliRunner().invoke(
        train.main, ["--preset", "smoke", "--out", str(folder), "--every", "0"]
    )
    assert result.exit_code == 0, result.output


def test_training_goes_on_from_its_checkpoint_and_publishes(tmp_path, monkeypatch):
    monkeypatch.setattr(
        train, "ScenePool", lambda *a, **k: ScenePool(*a, **{**k, "size": 64, "block": 64})
    )
    run(tmp_path, 32, monkeypatch)
    with safe_open(tmp_path / "checkpoint.safetensors", "pt") as file:
        first = json.loads(file.metadata()["facts"])
    assert first["step"] == 4
    run(tmp_path, 64, monkeypatch)
    tensors, facts = read_weights(tmp_path / "smoke.safetensors")
    assert facts["pictures"] == 64
    assert any(name.startswith("upsampler.") for name in tensors)
    manifest = json.loads((tmp_path / "smoke.manifest.json").read_text())
    assert manifest["captions"] >= 128
    shown = {(c, s) for s, row in manifest["pairs"].items() for c in row}
    assert shown
    assert not shown & held_out_pairs()
    assert list(tmp_path.glob("sheet-*.png"))


def test_tokens_are_trained_after_their_quantiser_and_draw(tmp_path, monkeypatch):
    monkeypatch.setattr(
        train, "ScenePool", lambda *a, **k: ScenePool(*a, **{**k, "size": 64, "block": 64})
    )
    monkeypatch.setattr(
        quantising, "ScenePool", lambda *a, **k: ScenePool(*a, **{**k, "size": 64, "block": 64})
    )
    monkeypatch.setattr(quantising, "IMAGES", 64)
    tiny = replace(PRESETS["local-tokens"], width=20, depth=1, images=32, batch=16)
    monkeypatch.setitem(PRESETS, "smoke", tiny)
    command = ["--preset", "smoke", "--out", str(tmp_path)]
    result = CliRunner().invoke(train.main, command)
    assert result.exit_code == 0, result.output
    whole, _ = read_weights(tmp_path / "quantiser" / "checkpoint.safetensors")
    trained = {n[4:]: t.half().float() for n, t in whole.items() if n.startswith("ema.")}
    assert trained
    tensors, facts = read_weights(tmp_path / "smoke.safetensors")
    assert facts["preset"]["network"] == "tokens"
    for name, tensor in trained.items():
        assert torch.equal(tensors[f"tokens.quantiser.{name}"], tensor), name

    sampler = LocalSampler(weights=tmp_path / "smoke.safetensors", trajectory=3)
    assert sampler.info.noise_levels == (1 - 1 / 64, 1 - 33 / 64, 0.0)
    samples = build_grid("quick").samples()[:3]
    made = list(sampler.sample(samples))
    again = list(sampler.sample(samples[1:2]))
    assert np.array_equal(made[1].image, again[0].image)
    assert [one.frames.shape for one in made] == [(3, 64, 64, 3)] * 3
    assert np.array_equal(made[0].frames[-1], made[0].image)
    assert not np.array_equal(made[0].frames[1], made[0].image)
    with pytest.raises(UsageError, match=r"8 steps, but a picture is drawn .* in 64 steps"):
        LocalSampler(weights=tmp_path / "smoke.safetensors", steps=8)


def test_damaged_weight_files_are_named(tmp_path):
    with pytest.raises(ModelError, match=r"no weight file .*gone"):
        read_weights(tmp_path / "gone.safetensors")
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(b"\x10\x00\x00\x00\x00\x00\x00\x00{not json")
    with pytest.raises(ModelError, match=r"broken\.safetensors is damaged"):
        read_weights(broken)


def test_a_killed_training_goes_on_from_its_last_checkpoint(tmp_path):
    """The whole command in a process of its own, killed between two checkpoints."""
    script = (
        "from dataclasses import replace\n"
        "from reference_models import train\n"
        "from reference_models.data import ScenePool\n"
        "from reference_models.presets import PRESETS\n"
        "PRESETS['smoke'] = replace(PRESETS['smoke'], fine=8, coarse=16, batch=8, images=1600)\n"
        "train.ScenePool = lambda *a, **k: ScenePool(*a, **{**k, 'size': 64, 'block': 64})\n"
        "train.main()\n"
    )
    command = [sys.executable, "-c", script, "--preset", "smoke", "--out", str(tmp_path)]
    place = {**os.environ, "PYTHONPATH": os.getcwd()}
    process = subprocess.Popen(
        [*command, "--every", "0", "--sheet-every", "1e9"],
        env=place,
        stderr=subprocess.PIPE,
        text=True,
    )
    file = tmp_path / "checkpoint.safetensors"
    while not file.exists():
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.02)
    process.kill()
    process.communicate()
    with safe_open(file, "pt") as held:
        killed = json.loads(held.metadata()["facts"])
    assert 0 < killed["step"] < 200
    done = subprocess.run([*command, "--every", "1e9"], env=place, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert f"going on from {file}, {8 * killed['step']:,} pictures seen" in done.stderr
    _, facts = read_weights(tmp_path / "smoke.safetensors")
    assert facts["pictures"] == 1600
    assert not list(tmp_path.glob("*.partial"))


def test_weights_are_moved_back_towards_those_of_the_start():
    old, _ = read_weights(find_weights("local-teacher"))
    name = next(one for one in old if one.startswith("unet."))
    trained = {name: old[name] + 1}
    half = blended(trained, replace(PRESETS["local"], blend=0.5))
    torch.testing.assert_close(half[name], old[name] + 0.5)
    assert blended(trained, PRESETS["local-teacher"]) is trained
