"""A pipeline of diffusers as one file in the layout of the original Stable Diffusion code."""

from __future__ import annotations

import re

from safetensors.torch import save_file

_RESNET = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "conv_shortcut": "skip_connection",
}
_ENDS = {
    "conv_in": "input_blocks.0.0",
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "conv_norm_out": "out.0",
    "conv_out": "out.2",
}


def write_single_file(pipeline, path):
    """Write the weights of a StableDiffusionPipeline with a two-level U-Net."""
    tensors = {}
    for name, value in pipeline.unet.state_dict().items():
        key = "model.diffusion_model." + _unet_key(name, pipeline.unet.config)
        tensors[key] = value
    for name, value in pipeline.vae.state_dict().items():
        key = _vae_key(name, len(pipeline.vae.config.block_out_channels))
        if re.search(r"attn_1\.(q|k|v|proj_out)\.weight", key):
            value = value[:, :, None, None]
        tensors["first_stage_model." + key] = value
    for name, value in pipeline.text_encoder.state_dict().items():
        key = name.removeprefix("text_model.")
        tensors["cond_stage_model.transformer.text_model." + key] = value
    save_file({key: value.contiguous().clone() for key, value in tensors.items()}, path)


def _unet_key(name, config):
    each = config.layers_per_block + 1
    stem, end = name.rsplit(".", 1)
    if stem in _ENDS:
        return f"{_ENDS[stem]}.{end}"
    if match := re.match(r"mid_block\.(resnets|attentions)\.(\d)\.(.*)", name):
        place = 1 if match[1] == "attentions" else 2 * int(match[2])
        return f"middle_block.{place}.{_inside(match[1], match[3])}"
    direction, level, kind, place, rest = re.match(
        r"(down|up)_blocks\.(\d)\.(\w+)\.(\d)\.(.*)", name
    ).groups()
    level, place = int(level), int(place)
    if direction == "down":
        if kind == "downsamplers":
            return f"input_blocks.{(level + 1) * each}.0.op.{rest.removeprefix('conv.')}"
        number = 1 + level * each + place
        return f"input_blocks.{number}.{int(kind == 'attentions')}.{_inside(kind, rest)}"
    if kind == "upsamplers":
        attends = "Attn" in config.up_block_types[level]
        return f"output_blocks.{level * each + each - 1}.{1 + attends}.{rest}"
    number = level * each + place
    return f"output_blocks.{number}.{int(kind == 'attentions')}.{_inside(kind, rest)}"


def _inside(kind, rest):
    if kind != "resnets":
        return rest
    part, end = rest.rsplit(".", 1)
    return f"{_RESNET[part]}.{end}"


def _vae_key(name, levels):
    name = re.sub(r"mid_block\.resnets\.(\d)", lambda m: f"mid.block_{int(m[1]) + 1}", name)
    name = name.replace("mid_block.attentions.0", "mid.attn_1")
    name = re.sub(r"down_blocks\.(\d)\.resnets\.(\d)", r"down.\1.block.\2", name)
    name = re.sub(r"down_blocks\.(\d)\.downsamplers\.0", r"down.\1.downsample", name)
    name = re.sub(
        r"up_blocks\.(\d)\.(resnets\.(\d)|upsamplers\.0)",
        lambda m: f"up.{levels - 1 - int(m[1])}." + (f"block.{m[3]}" if m[3] else "upsample"),
        name,
    )
    for new, old in (
        ("conv_norm_out", "norm_out"),
        ("conv_shortcut", "nin_shortcut"),
        ("attn_1.group_norm", "attn_1.norm"),
        ("attn_1.to_q", "attn_1.q"),
        ("attn_1.to_k", "attn_1.k"),
        ("attn_1.to_v", "attn_1.v"),
        ("attn_1.to_out.0", "attn_1.proj_out"),
    ):
        name = name.replace(new, old)
    return name
