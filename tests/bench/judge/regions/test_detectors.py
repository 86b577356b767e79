"""Adapters over transformers, with tiny random models of those families' own classes."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from bench.errors import BenchError, UsageError
from bench.judge.regions.detectors import regions_from, words_of
from bench.run.components import build
from prompts import parse_prompt

WORDS = ["a", "photo", "of", "potato", "apple", "cup", "plate", "picture", "frame", "."]


def clip_tokenizer(folder):
    from transformers import CLIPTokenizer

    letters = sorted({letter for word in WORDS for letter in word})
    # The towers take token 0 for no text at all, and the highest for its end.
    tokens = ["!", *letters, *[f"{c}</w>" for c in letters], "<|startoftext|>", "<|endoftext|>"]
    vocabulary = {token: number for number, token in enumerate(tokens)}
    (folder / "vocab.json").write_text(json.dumps(vocabulary))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    return CLIPTokenizer(
        str(folder / "vocab.json"), str(folder / "merges.txt"), model_max_length=40
    ), len(tokens)


TEXT = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 2,
        "num_attention_heads": 2, "max_position_embeddings": 40, "projection_dim": 16}  # fmt: skip


@pytest.fixture(scope="module")
def clipseg(tmp_path_factory):
    from transformers import (
        CLIPSegConfig,
        CLIPSegForImageSegmentation,
        CLIPSegProcessor,
        ViTImageProcessor,
    )

    folder = tmp_path_factory.mktemp("clipseg")
    tokenizer, size = clip_tokenizer(folder)
    torch.manual_seed(0)
    vision = {**TEXT, "image_size": 32, "patch_size": 8}
    config = CLIPSegConfig(
        text_config={**TEXT, "vocab_size": size, "bos_token_id": size - 2,
                     "eos_token_id": size - 1, "pad_token_id": 0},
        vision_config=vision, projection_dim=16, extract_layers=[0, 1], reduce_dim=8,
        decoder_num_attention_heads=2, decoder_intermediate_size=16,
    )  # fmt: skip
    CLIPSegForImageSegmentation(config).save_pretrained(folder)
    processor = ViTImageProcessor(size={"height": 32, "width": 32})
    CLIPSegProcessor(image_processor=processor, tokenizer=tokenizer).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def owlv2(tmp_path_factory):
    from transformers import (
        Owlv2Config,
        Owlv2ForObjectDetection,
        Owlv2ImageProcessor,
        Owlv2Processor,
    )

    folder = tmp_path_factory.mktemp("owlv2")
    tokenizer, size = clip_tokenizer(folder)
    torch.manual_seed(0)
    config = Owlv2Config(
        text_config={**TEXT, "vocab_size": size, "bos_token_id": size - 2,
                     "eos_token_id": size - 1, "pad_token_id": 0},
        vision_config={**TEXT, "image_size": 32, "patch_size": 8}, projection_dim=16,
    )  # fmt: skip
    model = Owlv2ForObjectDetection(config)
    # A random detector doubts everything; this one is sure, so that SAM has boxes to cut.
    with torch.no_grad():
        model.class_head.logit_shift.bias.fill_(4.0)
        model.class_head.logit_shift.weight.zero_()
    model.save_pretrained(folder)
    processor = Owlv2ImageProcessor(size={"height": 32, "width": 32})
    Owlv2Processor(image_processor=processor, tokenizer=tokenizer).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def sam(tmp_path_factory):
    from transformers import SamConfig, SamImageProcessor, SamModel, SamProcessor

    folder = tmp_path_factory.mktemp("sam")
    torch.manual_seed(0)
    config = SamConfig(
        vision_config={"hidden_size": 16, "output_channels": 16, "num_hidden_layers": 2,
                       "num_attention_heads": 2, "image_size": 64, "patch_size": 8,
                       "mlp_dim": 32, "num_pos_feats": 8, "global_attn_indexes": [1],
                       "window_size": 4},
        prompt_encoder_config={"hidden_size": 16, "image_size": 64, "patch_size": 8,
                               "mask_input_channels": 4},
        mask_decoder_config={"hidden_size": 16, "mlp_dim": 32, "num_attention_heads": 2,
                             "num_hidden_layers": 2, "iou_head_hidden_dim": 16},
    )  # fmt: skip
    SamModel(config).save_pretrained(folder)
    processor = SamImageProcessor(
        size={"longest_edge": 64}, pad_size={"height": 64, "width": 64},
        mask_size={"longest_edge": 16}, mask_pad_size={"height": 16, "width": 16},
    )  # fmt: skip
    SamProcessor(processor).save_pretrained(folder)
    return folder


def check(segmenter, shape=(40, 50)):
    rng = np.random.default_rng(0)
    image = rng.integers(0, 255, (*shape, 3), dtype=np.uint8)
    for prompt in ("a blue potato", "a red apple and a blue cup"):
        (regions,) = segmenter.segment([image], [parse_prompt(prompt)])
        assert regions.masks.shape[1:] == shape
        overlap = (regions.masks > 0).sum(0) + (regions.neighbour_masks > 0).sum(0)
        assert overlap.max() <= 1
        assert ((regions.found >= 0) & (regions.found <= 1)).all()
    (regions,) = segmenter.segment([image[:0]], [parse_prompt("a blue potato")])
    assert np.isnan(regions.found).all()
    return segmenter


def test_clipseg_from_a_folder(clipseg):
    segmenter = check(build("segmenter", f"clipseg:{clipseg}", {}))
    assert segmenter.fingerprint.name == "clipseg"
    assert segmenter.fingerprint.weights


def test_owlv2_boxes_are_cut_by_sam(owlv2, sam):
    segmenter = check(build("segmenter", f"owlv2+sam:{owlv2},{sam}", {}))
    assert segmenter.fingerprint.name == "owlv2+sam"
    image = np.full((40, 50, 3), 90, np.uint8)
    (regions,) = segmenter.segment([image], [parse_prompt("a blue potato")])
    assert regions.found[0] > 0.9


def test_a_model_of_another_family_is_refused(clipseg, sam):
    with pytest.raises(UsageError, match="CLIPSegForImageSegmentation"):
        build("segmenter", f"owlv2+sam:{clipseg},{sam}", {})


def test_a_model_that_is_not_there_is_one_line():
    with pytest.raises(BenchError, match="cannot be loaded") as error:
        build("segmenter", "clipseg:./nowhere", {})
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("spec", ["clipseg:", "owlv2+sam:one", "dino+sam:a,b,c"])
def test_half_a_spec_is_refused_with_the_forms(spec):
    with pytest.raises(UsageError, match="clipseg:MODEL"):
        build("segmenter", spec, {})


def test_what_two_words_claim_goes_to_the_likelier():
    cell = parse_prompt("a red apple and a blue cup")
    words = [word for part in words_of(cell) for word in part]
    chances = np.zeros((len(words), 4, 4))
    chances[0, :, :3], chances[1, :, 2:] = 0.6, 0.9
    regions = regions_from(chances, np.full(len(words), 0.9), cell, "x")
    assert (regions.masks[0] > 0).sum() == 8
    assert (regions.masks[1] > 0).sum() == 8
