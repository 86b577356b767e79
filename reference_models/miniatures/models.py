"""Miniatures of transformers' detectors and segmenters: their own classes and processors, small.

Every one has fewer than a million parameters and is made in a second, without a network.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import nn

from prompts.subjects import SUBJECT_NAMES

#: Nouns that a miniature may be asked for.
NOUNS: tuple[str, ...] = (*SUBJECT_NAMES, "plate", "picture frame")
#: Sides of the pictures that the miniatures see.
SIDE, LONGEST, SAM_SIDE, SAM3_SIDE = 96, 144, 128, 112
#: Ids of [CLS], [SEP], the full stop and the question mark in BERT's vocabulary: Grounding DINO
#: parts its phrases by these very numbers.
_BERT_IDS = {"[PAD]": 0, "[UNK]": 100, "[CLS]": 101, "[SEP]": 102, "[MASK]": 103, ".": 1012,
             "?": 1029}  # fmt: skip
_WEIGHED = (nn.Linear, nn.Conv2d, nn.ConvTranspose2d, nn.Embedding)
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
#: Classes of COCO that the rendered world has too.
COCO: tuple[str, ...] = tuple(
    noun
    for noun in SUBJECT_NAMES
    if noun in ("apple", "banana", "orange", "carrot", "broccoli", "cake", "pizza", "donut", "car",
                "bus", "boat", "bicycle", "chair", "couch", "cup", "bowl", "vase", "clock", "book",
                "umbrella", "cat", "dog", "bird", "horse", "sheep", "cow", "elephant", "bear",
                "zebra", "giraffe", "backpack", "bench", "truck", "train", "airplane")
)  # fmt: skip


def _words() -> list[str]:
    nouns = {word for noun in NOUNS for word in noun.split(" ")}
    return sorted(nouns | {"a", "an", "photo", "of", "the"})


def bert_tokenizer(folder: Path) -> tuple[Any, int]:
    """A tokenizer of BERT that knows the nouns whole and all else by its letters."""
    from transformers import BertTokenizer

    fixed = {number: token for token, number in _BERT_IDS.items()}
    rest = iter([*dict.fromkeys([*_words(), *_LETTERS]), *(f"##{c}" for c in _LETTERS)])
    size = 1030
    tokens = [
        fixed.get(i) or (f"[unused{i}]" if i < 104 else next(rest, f"[unused{i}]"))
        for i in range(size)
    ]
    (folder / "vocab.txt").write_text("\n".join(tokens), encoding="utf-8")
    return BertTokenizer(str(folder / "vocab.txt"), model_max_length=64), size


def clip_tokenizer(folder: Path, length: int = 16) -> tuple[Any, int]:
    """A tokenizer of CLIP whose merges make the nouns, and which spells all other words."""
    from transformers import CLIPTokenizer

    merges: dict[tuple[str, str], None] = {}
    for word in _words():
        parts = [*word[:-1], f"{word[-1]}</w>"]
        while len(parts) > 1:
            merges[parts[0], parts[1]] = None
            parts = [parts[0] + parts[1], *parts[2:]]
    made = ["".join(pair) for pair in merges]
    ends = [f"{letter}</w>" for letter in _LETTERS]
    # The towers take token 0 for no text at all, and the highest for its end.
    tokens = ["!", *dict.fromkeys([*_LETTERS, *ends, *made]), "<|startoftext|>", "<|endoftext|>"]
    vocabulary = {token: number for number, token in enumerate(tokens)}
    (folder / "vocab.json").write_text(json.dumps(vocabulary), encoding="utf-8")
    lines = ["#version: 0.2", *(" ".join(pair) for pair in merges)]
    (folder / "merges.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    tokenizer = CLIPTokenizer(
        str(folder / "vocab.json"), str(folder / "merges.txt"), model_max_length=length
    )
    return tokenizer, len(tokens)


def _backbone(*stages: str) -> dict[str, Any]:
    return {
        "model_type": "swin",
        "image_size": SIDE,
        "embed_dim": 16,
        "depths": [1, 1, 2, 1],
        "num_heads": [2, 2, 4, 4],
        "window_size": 6,
        "drop_path_rate": 0.0,
        "out_features": list(stages),
    }


def grounding_dino(family: str) -> tuple[Any, Any]:
    """Grounding DINO (``GroundingDino``) or MM Grounding DINO (``MMGroundingDino``)."""
    import transformers as t

    with tempfile.TemporaryDirectory() as folder:
        tokenizer, size = bert_tokenizer(Path(folder))
    config = getattr(t, f"{family}Config")(
        backbone_config=_backbone("stage2", "stage3", "stage4"),
        text_config={"model_type": "bert", "vocab_size": size, "hidden_size": 32,
                     "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 64,
                     "max_position_embeddings": 64},
        d_model=64, encoder_layers=2, decoder_layers=2, encoder_ffn_dim=128, decoder_ffn_dim=128,
        encoder_attention_heads=4, decoder_attention_heads=4, num_queries=12, max_text_len=64,
        dropout=0.0, attention_dropout=0.0, activation_dropout=0.0, fusion_droppath=0.0,
        fusion_dropout=0.0, auxiliary_loss=True,
    )  # fmt: skip
    model = getattr(t, f"{family}ForObjectDetection")(config)
    if family == "GroundingDino":
        # Likeness is a bare product of vectors there: shorter ones, so that it is not sure at once.
        for norm in (model.model.decoder.layer_norm, model.model.enc_output_norm):
            nn.init.constant_(norm.weight, 0.125)
    pictures = t.GroundingDinoImageProcessor(size={"shortest_edge": SIDE, "longest_edge": LONGEST})
    return model, t.GroundingDinoProcessor(pictures, tokenizer)


def _tower(width: int, layers: int, **more: Any) -> dict[str, Any]:
    return {"hidden_size": width, "intermediate_size": 2 * width, "num_hidden_layers": layers,
            "num_attention_heads": 4, "projection_dim": width, **more}  # fmt: skip


def _text_tower(width: int, size: int, length: int = 16) -> dict[str, Any]:
    return _tower(width, 1, vocab_size=size, max_position_embeddings=length,
                  bos_token_id=size - 2, eos_token_id=size - 1, pad_token_id=0)  # fmt: skip


def owlv2() -> tuple[Any, Any]:
    """OWLv2."""
    import transformers as t

    with tempfile.TemporaryDirectory() as folder:
        tokenizer, size = clip_tokenizer(Path(folder))
    config = t.Owlv2Config(
        text_config=_text_tower(64, size),
        vision_config=_tower(96, 4, image_size=SIDE, patch_size=8),
        projection_dim=64,
    )
    pictures = t.Owlv2ImageProcessor(size={"height": SIDE, "width": SIDE})
    model = t.Owlv2ForObjectDetection(config)
    return model, t.Owlv2Processor(image_processor=pictures, tokenizer=tokenizer)


def sam2() -> tuple[Any, Any]:
    """SAM 2, of whose masks only the one that is asked for with a box is taught."""
    import transformers as t

    side = SAM_SIDE // 16
    config = t.Sam2Config(
        vision_config={
            "backbone_config": {
                "model_type": "sam2_hiera_det_model", "hidden_size": 16, "num_attention_heads": 1,
                "image_size": [SAM_SIDE, SAM_SIDE], "blocks_per_stage": [1, 1, 2, 1],
                "embed_dim_per_stage": [16, 32, 64, 128],
                "num_attention_heads_per_stage": [1, 2, 4, 8],
                "window_size_per_stage": [8, 4, 4, 4], "global_attention_blocks": [3],
                "window_positional_embedding_background_size": [4, 4],
            },
            "backbone_channel_list": [128, 64, 32, 16],
            "backbone_feature_sizes": [[4 * side, 4 * side], [2 * side, 2 * side], [side, side]],
            "fpn_hidden_size": 32,
        },
        prompt_encoder_config={"hidden_size": 32, "image_size": SAM_SIDE, "patch_size": 16,
                               "mask_input_channels": 4},
        mask_decoder_config={"hidden_size": 32, "mlp_dim": 64, "num_hidden_layers": 2,
                             "num_attention_heads": 2, "iou_head_hidden_dim": 32,
                             "dynamic_multimask_via_stability": False},
    )  # fmt: skip
    low = SAM_SIDE // 4
    pictures = t.Sam2ImageProcessor(
        size={"height": SAM_SIDE, "width": SAM_SIDE}, mask_size={"height": low, "width": low}
    )
    return t.Sam2Model(config), t.Sam2Processor(pictures)


def sam3() -> tuple[Any, Any]:
    """SAM 3."""
    import transformers as t

    with tempfile.TemporaryDirectory() as folder:
        tokenizer, size = clip_tokenizer(Path(folder), 32)
    side = SAM3_SIDE // 14
    layers = {"hidden_size": 64, "num_layers": 1, "num_attention_heads": 4,
              "intermediate_size": 128, "dropout": 0.0, "hidden_dropout": 0.0}  # fmt: skip
    config = t.Sam3Config(
        vision_config={
            "backbone_config": {
                "model_type": "sam3_vit_model", "hidden_size": 64, "intermediate_size": 128,
                "num_hidden_layers": 3, "num_attention_heads": 4, "image_size": SAM3_SIDE,
                "patch_size": 14, "window_size": side // 2, "global_attn_indexes": [1, 2],
                "pretrain_image_size": SAM3_SIDE,
            },
            "fpn_hidden_size": 64,
            "backbone_feature_sizes": [[4 * side, 4 * side], [2 * side, 2 * side], [side, side]],
        },
        text_config=_text_tower(64, size, 32),
        geometry_encoder_config=layers,
        detr_encoder_config=layers,
        detr_decoder_config={**layers, "num_layers": 2, "num_queries": 8},
        mask_decoder_config={"hidden_size": 64, "num_attention_heads": 4},
    )  # fmt: skip
    pictures = t.Sam3ImageProcessor(size={"height": SAM3_SIDE, "width": SAM3_SIDE})
    return t.Sam3Model(config), t.Sam3Processor(pictures, tokenizer)


def mask2former() -> tuple[Any, Any]:
    """Mask2Former with the classes of COCO that the rendered world has."""
    import transformers as t

    config = t.Mask2FormerConfig(
        backbone_config=_backbone("stage1", "stage2", "stage3", "stage4"),
        feature_size=64, mask_feature_size=64, hidden_dim=64, encoder_feedforward_dim=128,
        encoder_layers=2, decoder_layers=3, num_attention_heads=4, dim_feedforward=128,
        num_queries=8, train_num_points=1024, dropout=0.0,
        id2label=dict(enumerate(COCO)), label2id={noun: i for i, noun in enumerate(COCO)},
    )  # fmt: skip
    pictures = t.Mask2FormerImageProcessor(
        size={"shortest_edge": SIDE, "longest_edge": LONGEST}, size_divisor=32
    )
    return t.Mask2FormerForUniversalSegmentation(config), pictures


def clipseg() -> tuple[Any, Any]:
    """CLIPSeg."""
    import transformers as t

    with tempfile.TemporaryDirectory() as folder:
        tokenizer, size = clip_tokenizer(Path(folder))
    config = t.CLIPSegConfig(
        text_config=_text_tower(64, size),
        vision_config=_tower(64, 3, image_size=SIDE, patch_size=8),
        projection_dim=64, extract_layers=[0, 1, 2], reduce_dim=64,
        decoder_num_attention_heads=4, decoder_intermediate_size=128,
    )  # fmt: skip
    pictures = t.ViTImageProcessor(size={"height": SIDE, "width": SIDE})
    model = t.CLIPSegForImageSegmentation(config)
    return model, t.CLIPSegProcessor(image_processor=pictures, tokenizer=tokenizer)


MINIATURES: dict[str, Callable[[], tuple[Any, Any]]] = {
    "mmdino": lambda: grounding_dino("MMGroundingDino"),
    "dino": lambda: grounding_dino("GroundingDino"),
    "owlv2": owlv2,
    "sam2": sam2,
    "sam3": sam3,
    "mask2former": mask2former,
    "clipseg": clipseg,
}


def make(name: str, seed: int = 0) -> tuple[Any, Any]:
    """A miniature with random weights, and its processor.

    Parameters
    ----------
    name : str
        One of ``MINIATURES``.
    seed : int
        Of its weights.
    """
    torch.manual_seed(seed)
    model, processor = MINIATURES[name]()
    _scale(model)
    return model.eval(), processor


@torch.no_grad()
def _scale(model: Any) -> None:
    """Give weights the scale of their width.

    The classes begin with a deviation of 0.02, which suits a width of a thousand and lets nothing
    through a narrow network, or of 1 (the heads of OWLv2, the last layer of CLIPSeg), which drowns
    it. Zeros stay.
    """
    for module in model.modules():
        weight = getattr(module, "weight", None)
        if not isinstance(module, _WEIGHED) or weight is None:
            continue
        table = isinstance(module, nn.Embedding)
        inputs = len(weight) if isinstance(module, nn.ConvTranspose2d) else weight[0].numel()
        wanted = 0.3 if table else inputs**-0.5
        now = float(weight.std())
        if 0 < now < 0.6 * wanted or (now > 1.6 * wanted and not table):
            weight.mul_(wanted / now)


def save(model: Any, processor: Any, folder: Path) -> Path:
    """Write model and processor as `from_pretrained` reads them."""
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder
