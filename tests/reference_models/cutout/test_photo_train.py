"""The training over photographs: what it reads, what it keeps, and that it goes on."""

import copy
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image
from safetensors.torch import load_file

from reference_models.cutout.backbone import WIDTHS
from reference_models.cutout.fused import FusedUnit
from reference_models.cutout.photo_data import cut_from_scenes, photoreal, read_scenes
from reference_models.cutout.photo_decoder import KINDS, PhotoDecoder, widths_of
from reference_models.cutout.photo_lessons import keep, lessons_in, read_lesson
from reference_models.cutout.photo_load import load_photo, read_photo
from reference_models.cutout.photo_train import main, read_backbone

SIDE = 256


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Icons, one photograph, and three scenes of a red square on a gray plate."""
    folder = tmp_path_factory.mktemp("material")
    rng = np.random.default_rng(0)
    rgba = rng.integers(0, 255, (4, 160, 160, 4), dtype=np.uint8)
    names, keys = np.array(["cup", "", "", "car"]), np.array(["a", "black-cat", "b", "c"])
    np.savez(folder / "icons.npz", rgba=rgba, name=names, key=keys)
    photos, scenes = folder / "photos", folder / "scenes"
    photos.mkdir()
    scenes.mkdir()
    Image.fromarray(rng.integers(0, 255, (90, 120, 3), dtype=np.uint8)).save(photos / "a.png")
    lines = []
    for number in range(3):
        label = np.zeros((SIDE, SIDE), np.uint8)
        label[40:200, 40:200] = 2
        label[60 : 140 + number, 80:180] = 4
        colours = np.array([[90, 90, 200], [0, 0, 0], [150, 150, 150], [0, 0, 0], [200, 20, 20]])
        Image.fromarray(colours[label].astype(np.uint8)).save(scenes / f"{number:05d}.jpg")
        Image.fromarray(label).save(scenes / f"{number:05d}.png")
        lines.append(json.dumps({"number": number, "drawn": [{"name": "cup"}]}))
    (scenes / "scenes.jsonl").write_text("\n".join(lines))
    return folder


def test_a_view_of_a_scene_moves_picture_and_mask_together(material):
    scenes = read_scenes(material / "scenes")
    g = torch.Generator().manual_seed(0)
    seen = photoreal(scenes, torch.arange(3).repeat(8), g)
    thing, plate = (seen.kinds == KINDS.index(kind) for kind in ("thing", "plate"))
    assert ((seen.things == 1) == thing).all()
    red = seen.image[:, 0] - seen.image[:, 2]
    assert red[thing].mean() > 0.5
    assert abs(float(red[plate].mean())) < 0.1


def test_things_are_cut_whole(material):
    cut = cut_from_scenes(read_scenes(material / "scenes"), 64)
    assert len(cut.icons) == 3
    inside = cut.icons[:, 3] > 128
    # 100 by 80 pixels and a rim of two, in a square.
    torch.testing.assert_close(
        inside.float().mean((1, 2)), torch.full((3,), 0.74), atol=0.03, rtol=0
    )
    assert cut.icons[:, 0][inside].float().mean() > 150


def test_a_training_writes_what_packs_into_a_network(material, tmp_path):
    command = ["fit", "--icons", material / "icons.npz", "--photos", material / "photos",
               "--scenes", material / "scenes", "--world", 27, "--steps", 2, "--batch", 4,
               "--widths", 32, 24, 16, "--tune", "--out", tmp_path]  # fmt: skip
    CliRunner().invoke(main, [str(word) for word in command], catch_exceptions=False)
    stored = load_file(tmp_path / "decoder.safetensors")
    assert widths_of(stored) == (32, 24, 16)
    line = json.loads((tmp_path / "curve.jsonl").read_text().splitlines()[-1])
    assert line["step"] == 2
    assert np.isfinite(line["losses"]).all()
    out = tmp_path / "packed.safetensors"
    pack = ["pack", "--decoder", tmp_path / "decoder.safetensors", "--out", out,
            "--backbone", tmp_path / "backbone.safetensors"]  # fmt: skip
    CliRunner().invoke(main, [str(word) for word in pack], catch_exceptions=False)
    made, bundled = read_photo(out), read_photo()
    torch.testing.assert_close(made.backbone.classes.weight, bundled.backbone.classes.weight)
    moved = made.backbone.stages[3][0].project.convolution.weight
    assert not torch.equal(moved, bundled.backbone.stages[3][0].project.convolution.weight)
    x = torch.zeros(1, 3, 64, 64)
    made = load_photo(out)
    features, *_ = made.features(x)
    assert torch.isfinite(made.predict(features)[0]).all()


def test_a_training_goes_on_from_a_decoder(material, tmp_path):
    torch.manual_seed(1)
    start = PhotoDecoder((32, 24, 16))
    keep(tmp_path / "start.safetensors", start.state_dict())
    command = ["fit", "--icons", material / "icons.npz", "--photos", material / "photos",
               "--scenes", material / "scenes", "--world", 27, "--steps", 1, "--batch", 4,
               "--rate", 0, "--start", tmp_path / "start.safetensors",
               "--out", tmp_path]  # fmt: skip
    CliRunner().invoke(main, [str(word) for word in command], catch_exceptions=False)
    made = load_file(tmp_path / "decoder.safetensors")
    torch.testing.assert_close(made["kinds.weight"], start.kinds.weight.detach())


def test_a_training_begins_with_a_backbone_that_can_be_copied_and_trained():
    backbone = read_backbone(None)
    assert not any(isinstance(unit, FusedUnit) for unit in backbone.modules())
    tuned = copy.deepcopy(backbone).requires_grad_(True)
    sum(f.mean() for f in tuned(torch.zeros(1, 3, 64, 64))).backward()
    assert all(p.grad is not None for p in tuned.stem.parameters())


def test_features_are_written_once_and_learned_on(material, tmp_path):
    made = ["--icons", material / "icons.npz", "--photos", material / "photos", "--scenes",
            material / "scenes", "--world", 27, "--batch", 4]  # fmt: skip
    for command in (
        ["features", *made, "--lessons", 1, "--out", tmp_path / "lessons"],
        ["fit", "--features", tmp_path / "lessons", "--widths", 32, 24, 16, "--steps", 2,
         "--out", tmp_path],
    ):  # fmt: skip
        CliRunner().invoke(main, [str(word) for word in command], catch_exceptions=False)
    # A batch of new pictures, and the two scenes that are not held out.
    assert [path.stem for path in lessons_in(tmp_path / "lessons")] == [
        "drawn-00000",
        "whole-00000",
    ]
    drawn, whole = (
        read_lesson(path, torch.device("cpu")) for path in lessons_in(tmp_path / "lessons")
    )
    assert [f.shape[1] for f in drawn.features] == list(WIDTHS)
    assert drawn.truth.merged.tolist() == [False, False, True, True]
    assert drawn.truth.kinds.shape == (4, SIDE // 4, SIDE // 4)
    assert whole.truth.things.float().mean((1, 2)).tolist() == pytest.approx(
        [81 * 100 / SIDE**2, 82 * 100 / SIDE**2], rel=0.05
    )
    assert "losses" in json.loads((tmp_path / "curve.jsonl").read_text())


def test_pictures_need_what_they_are_made_of(tmp_path):
    done = CliRunner().invoke(main, ["fit", "--out", str(tmp_path)])
    assert done.exit_code == 2
    assert "--icons" in done.output
    done = CliRunner().invoke(main, ["fit", "--out", str(tmp_path), "--features", str(tmp_path)])
    assert done.exit_code == 2
    assert "no lesson" in done.output


def test_tuning_and_kept_features_do_not_go_together(material, tmp_path):
    command = ["fit", "--tune", "--features", material, "--icons", material / "icons.npz",
               "--scenes", material / "scenes", "--out", tmp_path]  # fmt: skip
    done = CliRunner().invoke(main, [str(word) for word in command])
    assert done.exit_code == 2
    assert "--tune" in done.output
