"""Tiny random models of the very classes, saved as a hub has them."""

from __future__ import annotations

import torch

WORDS = (
    "<unk> Yes yes No no Is Are there a an in the image background plate wall table picture frame "
    "potato apple cup blue red ? . Answer one word user assistant"
).split()
SPECIAL = [
    "<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>",
    "<|image_pad|>", "<|video_pad|>",
]  # fmt: skip
TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{m.role}} {% for c in m.content %}"
    "{% if c.type=='image' %}<|vision_start|><|image_pad|><|vision_end|>{% else %}{{c.text}}"
    "{% endif %}{% endfor %}<|im_end|>{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant {% endif %}"
)


def qwen3_vl(folder, words=tuple(WORDS), template=TEMPLATE):
    """A Qwen3-VL: patches of any number, places in three dimensions."""
    import transformers as T
    from tokenizers import Tokenizer, models, pre_tokenizers

    vocabulary = {word: number for number, word in enumerate(words)}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    fast = T.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, unk_token="<unk>", eos_token="<|im_end|>",
        pad_token="<|endoftext|>", additional_special_tokens=SPECIAL,
    )  # fmt: skip
    fast.chat_template = template
    ids = {token: fast.convert_tokens_to_ids(token) for token in SPECIAL}
    torch.manual_seed(0)
    config = T.Qwen3VLConfig(
        text_config={
            "vocab_size": len(fast), "hidden_size": 32, "intermediate_size": 32,
            "num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 1,
            "head_dim": 16, "rope_parameters": {"rope_type": "default",
                                                "mrope_section": [2, 3, 3], "rope_theta": 1e4},
        },
        vision_config={
            "depth": 2, "hidden_size": 16, "intermediate_size": 16, "num_heads": 2,
            "out_hidden_size": 32, "patch_size": 8, "spatial_merge_size": 2,
            "temporal_patch_size": 2, "num_position_embeddings": 16,
            "deepstack_visual_indexes": [0],
        },
        image_token_id=ids["<|image_pad|>"], video_token_id=ids["<|video_pad|>"],
        vision_start_token_id=ids["<|vision_start|>"], vision_end_token_id=ids["<|vision_end|>"],
    )  # fmt: skip
    T.Qwen3VLForConditionalGeneration(config).save_pretrained(folder)
    parts = {"patch_size": 8, "merge_size": 2, "temporal_patch_size": 2}
    images = T.Qwen2VLImageProcessor(**parts, size={"shortest_edge": 256, "longest_edge": 4096})
    T.Qwen3VLProcessor(
        images, fast, T.Qwen3VLVideoProcessor(**parts), chat_template=template
    ).save_pretrained(folder)
    return folder


def blip_vqa(folder, words=("yes", "no", "a", "blue", "red", "potato", "apple", "cup", "?")):
    """A BLIP for visual question answering."""
    import transformers as T

    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *words]
    (folder / "vocab.txt").write_text("\n".join(tokens))
    size = len(tokens) + 2
    torch.manual_seed(0)
    config = T.BlipConfig(
        text_config={
            "vocab_size": size, "hidden_size": 16, "encoder_hidden_size": 16,
            "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2,
            "max_position_embeddings": 32, "projection_dim": 16, "bos_token_id": 2,
            "eos_token_id": 3, "sep_token_id": 3, "pad_token_id": 0, "projection_size": 16,
        },
        vision_config={
            "hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1,
            "num_attention_heads": 2, "image_size": 32, "patch_size": 8,
        },
        projection_dim=16,
    )  # fmt: skip
    T.BlipForQuestionAnswering(config).save_pretrained(folder)
    tokenizer = T.BertTokenizer(str(folder / "vocab.txt"))
    T.BlipProcessor(
        T.BlipImageProcessor(size={"height": 32, "width": 32}), tokenizer
    ).save_pretrained(folder)
    return folder


def llava(folder):
    """A LLaVA: a CLIP's patches before the words of a Llama."""
    import transformers as T
    from tokenizers import Tokenizer, models, pre_tokenizers

    words = [*WORDS, "<pad>", "<s>", "</s>", "<image>"]
    tokenizer = Tokenizer(
        models.WordLevel({word: number for number, word in enumerate(words)}, unk_token="<unk>")
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    fast = T.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, unk_token="<unk>", pad_token="<pad>", bos_token="<s>",
        eos_token="</s>", additional_special_tokens=["<image>"],
    )  # fmt: skip
    template = (
        "{{bos_token}}{% for m in messages %}{{m.role}} {% for c in m.content %}"
        "{% if c.type=='image' %}<image>{% else %}{{c.text}} {% endif %}{% endfor %}{% endfor %}"
        "{% if add_generation_prompt %}assistant {% endif %}"
    )
    small = {
        "hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 2,
        "num_attention_heads": 2,
    }  # fmt: skip
    torch.manual_seed(0)
    config = T.LlavaConfig(
        vision_config=T.CLIPVisionConfig(**small, image_size=32, patch_size=8, projection_dim=16),
        text_config=T.LlamaConfig(
            **small, vocab_size=len(fast), num_key_value_heads=2, pad_token_id=fast.pad_token_id
        ),
        image_token_index=fast.convert_tokens_to_ids("<image>"),
        vision_feature_layer=-1,
    )
    T.LlavaForConditionalGeneration(config).save_pretrained(folder)
    images = T.CLIPImageProcessor(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})
    T.LlavaProcessor(
        images, fast, patch_size=8, vision_feature_select_strategy="default",
        chat_template=template, num_additional_image_tokens=1,
    ).save_pretrained(folder)  # fmt: skip
    return folder
