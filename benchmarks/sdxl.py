"""A pipeline of the size of SDXL with random weights, made where it is used: nothing is fetched.

The shapes are those of the published configuration (Podell et al. 2023, "SDXL"); the pictures are
noise, so that time and memory can be measured and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import torch

from bench.protocols import SamplerInfo
from bench.records import Fingerprint
from bench.samplers.batch_size import BatchSize
from bench.samplers.diffusers.call import make_call
from bench.samplers.diffusers.load import CONVOLUTIONAL
from bench.samplers.diffusers.options import Options
from bench.samplers.diffusers.prompt_cache import remember
from bench.samplers.diffusers.prompt_length import limits
from bench.samplers.diffusers.sampler import DiffusersSampler, stream_beside
from bench.samplers.options import chosen


@dataclass(frozen=True)
class Shape:
    """Widths and depths of the parts; those of SDXL by default.

    Attributes
    ----------
    side : int
        Of the pictures, pixels.
    unet, blocks, heads : tuple of int
        Channels, transformer blocks and attention heads of each level.
    text : tuple of (int, int, int)
        Width, layers and heads of each text encoder.
    autoencoder : tuple of int
        Channels of each level.
    """

    side: int = 1024
    unet: tuple[int, ...] = (320, 640, 1280)
    blocks: tuple[int, ...] = (1, 2, 10)
    heads: tuple[int, ...] = (5, 10, 20)
    text: tuple[tuple[int, int, int], ...] = ((768, 12, 12), (1280, 32, 20))
    autoencoder: tuple[int, ...] = (128, 256, 512, 512)


TINY = Shape(64, (32, 64, 64), (1, 1, 1), (2, 2, 2), ((32, 2, 2), (32, 2, 2)), (32, 32, 32, 32))


def make_pipeline(shape: Shape, device: str, dtype: torch.dtype) -> Any:
    """Make a pipeline on a device, in channels-last memory as `bench run` loads one."""
    from diffusers import (
        AutoencoderKL,
        EulerDiscreteScheduler,
        StableDiffusionXLPipeline,
        UNet2DConditionModel,
    )
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

    from reference_models.sd.vocabulary import END, START, make_tokenizer

    torch.manual_seed(0)
    tokenizer = make_tokenizer()
    words = tokenizer.get_vocab()
    default = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        with torch.device(device):
            encoders = [
                kind(
                    CLIPTextConfig(
                        vocab_size=len(words),
                        hidden_size=width,
                        intermediate_size=4 * width,
                        projection_dim=width,
                        num_hidden_layers=layers,
                        num_attention_heads=heads,
                        bos_token_id=words[START],
                        eos_token_id=words[END],
                        pad_token_id=words[END],
                    )
                )
                for kind, (width, layers, heads) in zip(
                    (CLIPTextModel, CLIPTextModelWithProjection), shape.text, strict=True
                )
            ]
            levels = len(shape.unet)
            unet = UNet2DConditionModel(
                sample_size=shape.side // 8,
                down_block_types=("DownBlock2D", *("CrossAttnDownBlock2D",) * (levels - 1)),
                up_block_types=(*("CrossAttnUpBlock2D",) * (levels - 1), "UpBlock2D"),
                block_out_channels=shape.unet,
                layers_per_block=2,
                transformer_layers_per_block=shape.blocks,
                attention_head_dim=shape.heads,
                cross_attention_dim=sum(width for width, _, _ in shape.text),
                use_linear_projection=True,
                addition_embed_type="text_time",
                addition_time_embed_dim=256,
                projection_class_embeddings_input_dim=6 * 256 + shape.text[1][0],
            )
            many = len(shape.autoencoder)
            autoencoder = AutoencoderKL(
                down_block_types=("DownEncoderBlock2D",) * many,
                up_block_types=("UpDecoderBlock2D",) * many,
                block_out_channels=shape.autoencoder,
                layers_per_block=2,
                latent_channels=4,
                sample_size=shape.side,
                scaling_factor=0.13025,
                force_upcast=False,
            )
    finally:
        torch.set_default_dtype(default)
    # Random weights give a gray picture, which would not be judged: more contrast.
    with torch.no_grad():
        autoencoder.decoder.conv_out.weight.mul_(8.0)
    scheduler = EulerDiscreteScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear"
    )
    pipeline: Any = StableDiffusionXLPipeline(
        vae=autoencoder,
        text_encoder=encoders[0],
        text_encoder_2=encoders[1],
        tokenizer=tokenizer,
        tokenizer_2=tokenizer,
        unet=unet,
        scheduler=scheduler,
        add_watermarker=False,
    )
    pipeline.to(device)
    for name in CONVOLUTIONAL:
        part = getattr(pipeline, name, None)
        if part is not None:
            part.eval().requires_grad_(False).to(memory_format=torch.channels_last)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


class OfPipeline(DiffusersSampler):
    """The sampler of diffusers pipelines over one that is in memory, and in no folder."""

    def __init__(self, pipeline: Any, device: str, steps: int, batch_size: int) -> None:
        options: Any = chosen(Options, {"device": device, "steps": steps})
        self.options = options
        self.pipeline = pipeline
        self.call = make_call(pipeline, options)
        self.text = remember(pipeline)
        self.beside = stream_beside(options)
        self._tokenizers = limits(pipeline, self.call.resolved)
        self._unseen: dict[str, str] = {}
        self._cut = 0
        self.frames = None
        self.batch = BatchSize(batch_size)
        made_by = Fingerprint("sampler", "sdxl-random", {"device": device, "steps": steps})
        self.info = SamplerInfo(made_by, batch_size)


def plain_loop(pipeline: Any, samples: Any, steps: int, batch: int) -> None:
    """What one would write without the suite: pictures are made, and dropped."""
    for start in range(0, len(samples), batch):
        part = samples[start : start + batch]
        pipeline(
            [sample.cell.text for sample in part],
            generator=[torch.Generator().manual_seed(sample.seed) for sample in part],
            num_inference_steps=steps,
        )


def work(pipeline: Any, side: int, device: str, dtype: torch.dtype) -> SimpleNamespace:
    """Arithmetic of one guided step of one image and of one decoding, in FLOP."""
    from torch.utils.flop_counter import FlopCounterMode

    small = side // 8
    unet, width = pipeline.unet, pipeline.unet.config.cross_attention_dim
    pooled = pipeline.text_encoder_2.config.projection_dim
    given = {"device": device, "dtype": dtype}
    added = {"text_embeds": torch.zeros(2, pooled, **given), "time_ids": torch.zeros(2, 6, **given)}
    with torch.inference_mode():
        with FlopCounterMode(display=False) as step:
            unet(
                torch.zeros(2, 4, small, small, **given),
                1,
                torch.zeros(2, 77, width, **given),
                added_cond_kwargs=added,
            )
        with FlopCounterMode(display=False) as decoding:
            pipeline.vae.decode(torch.zeros(1, 4, small, small, **given))
    return SimpleNamespace(step=step.get_total_flops(), decoding=decoding.get_total_flops())
