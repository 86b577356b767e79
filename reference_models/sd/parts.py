"""The parts of the small Stable Diffusion, untrained, and the folder that they make together."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from reference_models.sd.vocabulary import END, READS, START


@dataclass(frozen=True, slots=True)
class Shape:
    """Sizes of the parts.

    Attributes
    ----------
    autoencoder : tuple of int
        Channels at 64, 32 and 16 pixels.
    unet : tuple of int
        Channels at 16 and 8 latent pixels; attention works at 8.
    text, text_layers : int
        Width and depth of the text encoder.
    """

    autoencoder: tuple[int, ...] = (16, 32, 48)
    unet: tuple[int, ...] = (48, 96)
    text: int = 96
    text_layers: int = 2


def make_autoencoder(shape: Shape) -> Any:
    """Pictures (N, 3, 64, 64) to latents (N, 4, 16, 16) and back."""
    levels = len(shape.autoencoder)
    return AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * levels,
        up_block_types=("UpDecoderBlock2D",) * levels,
        block_out_channels=shape.autoencoder,
        layers_per_block=1,
        latent_channels=4,
        norm_num_groups=8,
        sample_size=64,
        mid_block_add_attention=False,
    )


def make_unet(shape: Shape) -> Any:
    """Predicts v of noisy latents, with the words at hand where there are few pixels."""
    return UNet2DConditionModel(
        sample_size=16,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        block_out_channels=shape.unet,
        layers_per_block=1,
        cross_attention_dim=shape.text,
        attention_head_dim=4,  # diffusers reads this as the number of heads
        norm_num_groups=16,
    )


def make_text_encoder(shape: Shape, tokenizer: CLIPTokenizer) -> Any:
    """A CLIP text encoder, trained together with the U-Net."""
    vocabulary = tokenizer.get_vocab()
    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(vocabulary),
            hidden_size=shape.text,
            intermediate_size=2 * shape.text,
            projection_dim=shape.text,
            num_hidden_layers=shape.text_layers,
            num_attention_heads=4,
            max_position_embeddings=READS,
            bos_token_id=vocabulary[START],
            eos_token_id=vocabulary[END],
            pad_token_id=vocabulary[END],
        )
    )


def make_scheduler() -> Any:
    """DDIM on a cosine schedule (Nichol and Dhariwal 2021) that ends in pure noise.

    Zero terminal SNR, v-prediction and trailing steps as Lin et al. 2024, "Common Diffusion Noise
    Schedules and Sample Steps are Flawed": otherwise the mean colour of the noise would leak into
    the picture.
    """
    return DDIMScheduler(
        beta_schedule="squaredcos_cap_v2",
        prediction_type="v_prediction",
        rescale_betas_zero_snr=True,
        timestep_spacing="trailing",
        clip_sample=False,
        steps_offset=1,
    )


def write_pipeline(
    folder: Path,
    autoencoder: Any,
    unet: Any,
    text_encoder: Any,
    tokenizer: CLIPTokenizer,
) -> None:
    """Write the folder that `StableDiffusionPipeline.from_pretrained` reads, in float16."""
    pipeline: Any = StableDiffusionPipeline(
        vae=autoencoder,
        text_encoder=text_encoder,
        tokenizer=tokenizer,
        unet=unet,
        scheduler=make_scheduler(),
        # No photographs of people come out of this world.
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.to(dtype=torch.float16)
    pipeline.save_pretrained(folder, safe_serialization=True)
