"""Loading CLIPs: the bundled one, files made on the spot, and files that must be refused."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from bench.errors import BenchError, UsageError
from bench.judge.clip import load_clip
from bench.judge.clip.weights import check_safetensors

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
    pooled, (dense, _) = clip.encode_image(images), clip.dense(images)
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


@pytest.mark.parametrize("first", [b"\x80", b"PK"])
def test_weights_whose_length_begins_like_a_pickle_are_weights(tmp_path, first):
    path = tmp_path / "x.safetensors"
    length = 19_280 if first == b"PK" else 0x180
    header = json.dumps({"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}})
    path.write_bytes(length.to_bytes(8, "little") + header.ljust(length).encode() + bytes(4))
    assert path.read_bytes().startswith(first)
    assert check_safetensors(path) == {}
    path.write_bytes(first + b"\x02}q\x00(X\x01\x00\x00")
    with pytest.raises(BenchError, match="pickle"):
        check_safetensors(path)


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
    together, _ = clip.dense(images)
    for k, image in enumerate(images):
        assert torch.allclose(clip.dense([image])[0][0], together[k], atol=1e-5)
    texts = ["a red apple", "a plate", "a red apple"]
    features = clip.encode_text(texts)
    assert torch.equal(features[0], features[2])


def test_bundled_clip_names_subjects_and_colours_of_fresh_scenes():
    from reference_models.clip.evaluate import evaluate

    clip = load_clip()
    result = evaluate(clip.model, clip.tokenizer, 200, seed=4_242)
    assert result["subject"] >= 0.95
    assert result["colour"] >= 0.97


def test_the_small_tower_speaks_for_the_vision_transformer():
    """Whole scenes and crops of their subjects: the same feature, the same shares of colours."""
    from bench.certificate.scenes import known_answers
    from bench.judge.clip.crop import masked_crop
    from prompts.colours import COLOUR_NAMES

    clip = load_clip()
    answers = [a for a in known_answers(80, seed=77) if a.verdicts[0] != "invalid"]
    crops = [masked_crop(a.generation.image, a.regions.masks[0]) for a in answers]
    images = [a.generation.image for a in answers] + [crop for crop in crops if crop is not None]
    small = clip.encode_image(images)
    _, large = clip.dense(images)
    assert float((small * large).sum(1).mean()) > 0.97
    table = clip.encode_text([f"a {colour} car" for colour in COLOUR_NAMES])
    shares = [(16 * one @ table.T).softmax(1) for one in (small, large)]
    assert float((shares[0] - shares[1]).abs().sum(1).mean()) < 0.1


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("count", [16, 3])
def test_the_small_tower_runs_as_it_was_trained(monkeypatch, dtype, count):
    from bench.judge.clip.bundled import bundled_files
    from reference_models.clip.pooled import load_pooled

    monkeypatch.setenv("BENCH_SCORING_DTYPE", dtype)
    images = torch.randn(count, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    images = images.to(getattr(torch, dtype))
    plain = load_pooled(bundled_files().pooled).to(images.dtype)
    with torch.inference_mode():
        wanted, found = plain(images), load_clip.__wrapped__("bundled").pooled_tower(images)
    within = 1e-4 if dtype == "float32" else 0.1
    torch.testing.assert_close(found, wanted, atol=within, rtol=0)


def test_a_dense_pass_leaves_the_small_tower_its_say(random_clip):
    image = np.random.default_rng(3).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    clip = load_clip.__wrapped__("bundled")
    before = clip.encode_image([image])
    _, whole = clip.dense([image])
    assert torch.equal(clip.encode_image([image]), before)
    assert not torch.equal(whole, before)
    assert len(clip.fingerprint.options["pooled_tower"]) == 20
    # A CLIP with one tower takes what the dense pass has already found.
    config, weights = random_clip
    other = load_clip(f"{config}:{weights}")
    _, whole = other.dense([image])
    assert torch.equal(other.encode_image([image]), whole)


def test_pictures_are_resized_as_pillow_does():
    from PIL import Image

    from bench.judge.clip.preprocess import to_square

    rng = np.random.default_rng(4)
    for shape in ((64, 64), (24, 24), (40, 90), (200, 130)):
        image = rng.integers(0, 255, (*shape, 3), dtype=np.uint8)
        wanted = np.asarray(Image.fromarray(image).resize((64, 64), Image.Resampling.BICUBIC))
        found = to_square([image], 64, (0.5, 0.4, 0.3), (0.2, 0.3, 0.4))
        found = found[0].permute(1, 2, 0) * torch.tensor([0.2, 0.3, 0.4])
        found = (found + torch.tensor([0.5, 0.4, 0.3])) * 255
        assert float((found - torch.tensor(wanted)).abs().max()) < 2.01


def test_bfloat16_gives_the_features_of_float32_to_a_hundredth(monkeypatch):
    rng = np.random.default_rng(1)
    images = [rng.integers(0, 255, (64, 64, 3), dtype=np.uint8) for _ in range(3)]
    found = {}
    for dtype in ("float32", "bfloat16"):
        monkeypatch.setenv("BENCH_SCORING_DTYPE", dtype)
        clip = load_clip.__wrapped__("bundled")
        assert clip.fingerprint.versions["image_tower"] == dtype
        found[dtype] = clip.dense(images)[0]
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


def timm_vit(name, pool, proj="none", image=160, embed=64):
    """A ViT of timm: pool ``map`` without projection is SigLIP's form, with the head PE-Core's."""
    return {
        "embed_dim": embed,
        "vision_cfg": {"timm_model_name": name, "timm_model_pretrained": False, "timm_pool": pool,
                       "timm_proj": proj, "image_size": image},
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


TOWERS = {
    "vit": CONFIG,
    "resnet": RESNET,
    "convnext": CONVNEXT,
    "siglip": timm_vit("test_vit", "map"),
    "pe_core": timm_vit("vit_pe_core_tiny_patch16_384", "map", None, 384, 16),
    "timm mean": timm_vit("test_vit3", "avg", embed=96),
    "timm token": timm_vit("test_vit", "token", "linear", embed=16),
}


@pytest.mark.parametrize("config", TOWERS.values(), ids=TOWERS)
def test_towers_of_every_kind_point_at_things(config, tmp_path):
    from bench.judge.regions.clip import ClipSegmenter
    from prompts import parse_prompt

    segmenter = ClipSegmenter(saved(config, tmp_path))
    rng = np.random.default_rng(0)
    images = [rng.integers(0, 255, (*s, 3), dtype=np.uint8) for s in [(64, 64), (30, 100), (1, 9)]]
    cells = [parse_prompt(p) for p in ("a blue potato", "a blue zebra", "a blue potato")]
    for image, regions in zip(images, segmenter.segment(images, cells), strict=True):
        total = regions.masks.sum(0) + regions.neighbour_masks.sum(0) + regions.background
        assert total.shape == image.shape[:2]
        assert np.allclose(total, 1, atol=1e-3)
        assert 0 <= regions.found[0] <= 1


def test_a_tower_without_a_feature_map_is_refused_in_one_line(tmp_path):
    clip = load_clip(saved(timm_vit("test_vit", ""), tmp_path))
    with pytest.raises(UsageError, match="no feature map") as error:
        clip.dense([np.zeros((64, 64, 3), np.uint8)])
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "tokens", [{"class_token": False}, {"class_token": True}, {"reg_tokens": 2}]
)
def test_of_a_picture_of_one_patch_the_patch_is_the_picture(tokens):
    """Attention to one token is its value: what is pooled of it alone is what is pooled."""
    from types import SimpleNamespace

    import timm

    from bench.judge.clip.dense import dense_features

    torch.manual_seed(0)
    trunk = timm.create_model(
        "test_vit", img_size=16, global_pool="map", num_classes=8, **tokens
    ).eval()
    visual = SimpleNamespace(trunk=trunk, head=torch.nn.Identity())
    with torch.inference_mode():
        pooled, dense = dense_features(visual, torch.rand(3, 3, 16, 16), "values")
        large = timm.create_model(
            "test_vit", img_size=48, global_pool="map", num_classes=8, **tokens
        ).eval()
        visual = SimpleNamespace(trunk=large, head=torch.nn.Identity())
        _, patches = dense_features(visual, torch.rand(2, 3, 48, 48), "values")
    assert dense.shape == (3, 1, 1, 8)
    assert patches.shape == (2, 3, 3, 8)
    if tokens == {"class_token": False}:
        assert torch.allclose(dense[:, 0, 0], pooled, atol=1e-5)
    else:
        # The first tokens are no places.
        assert not torch.allclose(dense[:, 0, 0], pooled, atol=1e-5)


def test_weights_of_a_tag_from_a_file_keep_its_options():
    from pathlib import Path

    from bench.judge.clip.load import _options_of_file, _tag_config, _tag_options

    file = Path("w.safetensors")
    openai = _options_of_file("ViT-B-16", "openai", file)
    assert openai["force_quick_gelu"] is True
    assert openai["image_mean"] == (0.48145466, 0.4578275, 0.40821073)
    assert openai == _tag_options(_tag_config("ViT-B-16", "openai"))
    # All tags of the model are alike: there is nothing to say.
    alike = _options_of_file("PE-Core-B-16", "", file)
    assert alike["image_mean"] == (0.5, 0.5, 0.5)
    assert _options_of_file("ViT-B-16", "plain", file) == {}
    with pytest.raises(UsageError, match=r"ViT-B-16:openai=w\.safetensors.*plain=") as error:
        _options_of_file("ViT-B-16", "", file)
    assert "\n" not in str(error.value)
    with pytest.raises(UsageError, match="it has openai"):
        _options_of_file("ViT-B-16", "opnai", file)


def test_the_form_of_a_tag_with_a_file(tmp_path):
    from bench.judge.clip.spec import parse_spec

    file = tmp_path / "a=b.safetensors"
    file.write_bytes(b"")
    one = parse_spec(f"ViT-B-16:openai={file}")
    assert (one.model, one.tag, one.weights) == ("ViT-B-16", "openai", file)
    assert one.label == "ViT-B-16:openai=a=b.safetensors"
    assert parse_spec(f"ViT-B-16:{file}").weights == file
    with pytest.raises(UsageError, match="no weights file"):
        parse_spec("ViT-B-16:openai=none.safetensors")


@pytest.fixture(scope="module")
def tips(tmp_path_factory):
    """A TIPSv2 of its own class, with a vocabulary of a few words."""
    import transformers as T
    from tokenizers import Tokenizer, models, pre_tokenizers

    folder = tmp_path_factory.mktemp("tips")
    words = ["<pad>", "<unk>", "a", "photo", "of", "blue", "red", "potato", "zebra", "plate"]
    tokenizer = Tokenizer(
        models.WordLevel({word: number for number, word in enumerate(words)}, unk_token="<unk>")
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    T.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, unk_token="<unk>", pad_token="<pad>"
    ).save_pretrained(folder)
    torch.manual_seed(0)
    small = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = T.Tipsv2Config(
        vision_config={**small, "image_size": 56, "patch_size": 14},
        text_config={**small, "vocab_size": len(words), "intermediate_size": 16,
                     "max_position_embeddings": 16},
    )  # fmt: skip
    T.Tipsv2Model(config).save_pretrained(folder)
    return folder


def test_tipsv2_stands_in_the_place_of_a_clip(tips):
    from bench.judge.regions.clip import ClipSegmenter
    from bench.judge.scorers.clip import ClipScorer
    from bench.records import Generation
    from prompts import parse_prompt
    from prompts.cells import Sample

    clip = load_clip(f"tipsv2:{tips}")
    rng = np.random.default_rng(0)
    images = [rng.integers(0, 255, (60 + n, 50, 3), dtype=np.uint8) for n in range(8)]
    together, _ = clip.dense(images)
    assert together.shape == (8, 4, 4, 16)
    for n, image in enumerate(images):
        assert torch.allclose(clip.dense([image])[0][0], together[n], atol=1e-3)
    texts = ["a blue potato", "a photo of a red zebra"]
    assert torch.allclose(clip.encode_text(texts)[1], clip.encode_text(texts[1:])[0], atol=1e-5)
    assert clip.scale == pytest.approx(1 / 0.005065968, rel=1e-5)
    assert str(tips) not in repr(clip.fingerprint)
    cells = [parse_prompt("a blue zebra")] * 8
    regions = ClipSegmenter(clip).segment(images, cells)
    made = [Generation(Sample(cell, 0), image) for cell, image in zip(cells, images, strict=True)]
    scores = ClipScorer(clip).score(made, regions)
    assert all(0 <= s.value <= 1 for s in scores if s.metric == "clip_contrast")


@pytest.mark.parametrize("name", ["siglip", "tipsv2"])
def test_the_known_scenes_end_to_end(name, tips, tmp_path):
    """Random weights know nothing: what is held is the form, and that a batch changes nothing."""
    from bench.certificate.scenes import known_answers
    from bench.judge.regions.clip import ClipSegmenter
    from bench.judge.scorers.clip import ClipScorer

    clip = load_clip(f"tipsv2:{tips}" if name == "tipsv2" else saved(TOWERS["siglip"], tmp_path))
    made = [a.generation for a in known_answers(8, seed=4)]
    images, cells = [one.image for one in made], [one.sample.cell for one in made]
    together = ClipSegmenter(clip).segment(images, cells)
    for image, cell, regions in zip(images, cells, together, strict=True):
        (alone,) = ClipSegmenter(clip).segment([image], [cell])
        assert np.allclose(alone.masks, regions.masks, atol=1e-3)
        assert regions.evidence == ("words",) * len(cell.bindings)
    scores = ClipScorer(clip).score(made, together)
    assert len(scores) == 2 * sum(len(cell.bindings) for cell in cells)
    assert all(np.isnan(s.value) == bool(s.reason) for s in scores)
