"""The quantiser's training: it goes on where it was stopped, and is not done twice."""

from dataclasses import replace

import torch

from reference_models.data import ScenePool
from reference_models.presets import PRESETS
from reference_models.tokens import training as quantising

PRESET = replace(PRESETS["local-tokens"], images=64, batch=32, warm=0.0)


def test_it_goes_on_and_a_finished_one_is_read_back(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(
        quantising, "ScenePool", lambda *a, **k: ScenePool(*a, **{**k, "size": 64, "block": 64})
    )
    state = torch.get_rng_state()
    first = quantising.trained(PRESET, tmp_path, torch.device("cpu"))
    assert "going on" not in capsys.readouterr().err
    # The predictor that is made next starts from the same random weights, trained now or before.
    assert torch.equal(torch.get_rng_state(), state)

    longer = replace(PRESET, images=128)
    second = quantising.trained(longer, tmp_path, torch.device("cpu"))
    assert "64 pictures seen" in capsys.readouterr().err
    assert any(not torch.equal(first[name], second[name]) for name in first)

    again = quantising.trained(longer, tmp_path, torch.device("cpu"))
    assert all(torch.equal(again[name], second[name]) for name in second)
