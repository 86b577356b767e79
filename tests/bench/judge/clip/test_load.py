"""Loading CLIPs: the bundled one, files made on the spot, and files that must be refused."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from bench.errors import BenchError, UsageError
from bench.judge.clip import load_clip

CONFIG = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 32, "patch_size": 8, "width": 32, "layers": 2, "head_width": 16},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1},
}


@pytest.fixture(scope="module")
def random_clip(tmp_path_factory):
    """A config and a random open_clip checkpoint on disk."""
    from open_clip.model import CLIP

    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("clip")
    config, weights = folder / "tiny-vit.json", folder / "tiny.safetensors"
    config.write_text(json.dumps(CONFIG))
    model = CLIP(**CONFIG)
    save_file({k: v.contiguous() for k, v in model.state_dict().items()}, weights)
    return config, weights


def test_a_checkpoint_on_disk_is_loaded_by_its_config(random_clip):
    config, weights = random_clip
    clip = load_clip(f"{config}:{weights}")
    images = [np.full((40, 30, 3), 90, np.uint8), np.full((7, 200, 3), 200, np.uint8)]
    pooled, dense = clip.encode_image(images), clip.dense(images)
    assert pooled.shape == (2, 16)
    assert dense.shape == (2, 4, 4, 16)
    assert torch.allclose(pooled.norm(dim=1), torch.ones(2), atol=1e-5)
    assert clip.encode_text(["a teal zebra"]).shape == (1, 16)
    assert not clip.closed


def test_truncated_weights_are_refused_with_the_file(random_clip, tmp_path):
    config, weights = random_clip
    cut = tmp_path / "cut.safetensors"
    cut.write_bytes(weights.read_bytes()[:5000])
    with pytest.raises(BenchError, match=r"cut\.safetensors"):
        load_clip(f"{config}:{cut}")


def test_weights_of_another_model_are_refused(random_clip, tmp_path):
    config, _ = random_clip
    other = tmp_path / "other.safetensors"
    save_file({"nothing": torch.zeros(1)}, other)
    with pytest.raises(BenchError, match=r"other\.safetensors"):
        load_clip(f"{config}:{other}")


@pytest.mark.parametrize("ending", ["bin", "pt", "ckpt"])
def test_pickles_are_refused_with_the_way_out(random_clip, tmp_path, ending):
    config, _ = random_clip
    pickled = tmp_path / f"weights.{ending}"
    torch.save({"x": torch.zeros(1)}, pickled)
    with pytest.raises(UsageError, match="safetensors"):
        load_clip(f"{config}:{pickled}")


@pytest.mark.parametrize("spec", ["bundeld", "ViT-B-61:openai", "ViT-B-16:opnai", "none.json:x"])
def test_unknown_specs_are_named(spec):
    with pytest.raises(UsageError) as error:
        load_clip(spec)
    assert spec.split(":")[0] in str(error.value)
    assert "\n" not in str(error.value)


def test_words_outside_the_bundled_vocabulary_are_reported():
    clip = load_clip()
    assert clip.unknown_words("a blue potato on a white plate") == ()
    assert "zebra" in clip.unknown_words("a blue zebra")


def test_text_and_image_features_do_not_depend_on_the_batch():
    clip = load_clip()
    rng = np.random.default_rng(0)
    images = [rng.integers(0, 255, (64, 64, 3), dtype=np.uint8) for _ in range(5)]
    together = clip.dense(images)
    for k, image in enumerate(images):
        assert torch.allclose(clip.dense([image])[0], together[k], atol=1e-5)
    texts = ["a red apple", "a plate", "a red apple"]
    features = clip.encode_text(texts)
    assert torch.equal(features[0], features[2])


def test_bundled_clip_names_subjects_and_colours_of_fresh_scenes():
    from reference_models.clip.evaluate import evaluate

    clip = load_clip()
    result = evaluate(clip.model, clip.tokenizer, 200, seed=4_242)
    assert result["subject"] >= 0.95
    assert result["colour"] >= 0.97


def test_bfloat16_gives_the_features_of_float32_to_a_hundredth(monkeypatch):
    rng = np.random.default_rng(1)
    images = [rng.integers(0, 255, (64, 64, 3), dtype=np.uint8) for _ in range(3)]
    found = {}
    for dtype in ("float32", "bfloat16"):
        monkeypatch.setenv("BENCH_SCORING_DTYPE", dtype)
        clip = load_clip.__wrapped__("bundled")
        assert clip.fingerprint.versions["image_tower"] == dtype
        found[dtype] = clip.dense(images)
    apart = (found["float32"] - found["bfloat16"]).norm(dim=-1)
    assert 0 < apart.max() < 0.05


def test_a_precision_that_is_none_is_refused(monkeypatch):
    monkeypatch.setenv("BENCH_SCORING_DTYPE", "int4")
    with pytest.raises(UsageError, match="float32 or bfloat16"):
        load_clip.__wrapped__("bundled")


RESNET = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 64, "layers": [1, 1, 1, 1], "width": 8, "head_width": 8},
    "text_cfg": CONFIG["text_cfg"],
}
CONVNEXT = {
    "embed_dim": 16,
    "vision_cfg": {"timm_model_name": "convnext_atto", "timm_model_pretrained": False,
                   "timm_pool": "", "timm_proj": "linear", "image_size": 64},
    "text_cfg": CONFIG["text_cfg"],
}  # fmt: skip
TIMM_VIT = {
    "embed_dim": 16,
    "vision_cfg": {"timm_model_name": "vit_tiny_patch16_224", "timm_model_pretrained": False,
                   "timm_pool": "", "timm_proj": "linear", "image_size": 224},
    "text_cfg": CONFIG["text_cfg"],
}  # fmt: skip


def saved(config, folder):
    """A random CLIP of a config on disk, as `--clip` names it."""
    from open_clip.model import CLIP

    torch.manual_seed(0)
    file, weights = folder / "config.json", folder / "weights.safetensors"
    file.write_text(json.dumps(config))
    state = CLIP(**config).state_dict()
    save_file({k: v.contiguous().clone() for k, v in state.items()}, weights)
    return f"{file}:{weights}"


@pytest.mark.parametrize("config", [CONFIG, RESNET, CONVNEXT], ids=["vit", "resnet", "convnext"])
def test_towers_of_every_kind_point_at_things(config, tmp_path):
    from bench.judge.regions.clip import ClipSegmenter
    from prompts import parse_prompt

    segmenter = ClipSegmenter(saved(config, tmp_path))
    rng = np.random.default_rng(0)
    images = [rng.integers(0, 255, (*s, 3), dtype=np.uint8) for s in [(64, 64), (30, 100), (1, 9)]]
    cells = [parse_prompt("a blue potato")] * 3
    for image, regions in zip(images, segmenter.segment(images, cells), strict=True):
        total = regions.masks.sum(0) + regions.neighbour_masks.sum(0) + regions.background
        assert total.shape == image.shape[:2]
        assert np.allclose(total, 1, atol=1e-3)
        assert 0 <= regions.found[0] <= 1


def test_a_tower_without_a_feature_map_is_refused_in_one_line(tmp_path):
    clip = load_clip(saved(TIMM_VIT, tmp_path))
    with pytest.raises(UsageError, match="no feature map") as error:
        clip.dense([np.zeros((64, 64, 3), np.uint8)])
    assert "\n" not in str(error.value)
