"""A tiny pipeline with random weights of each family of diffusers, made once a test session.

Each is built from its family's own classes and draws 32 x 32 pixels.
"""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

import diffusers
import torch
import transformers

from reference_models.sd.vocabulary import END, START, make_tokenizer
from reference_models.world.captions import WORDS

#: What a user would have to say besides the path, for a picture of 32 pixels.
OPTIONS = {
    "sd1": {},
    "sd2": {},
    "sdxl": {},
    "sd3": {},
    "flux": {"size": "32"},
    "pixart": {"extra": ["use_resolution_binning=false", "clean_caption=false"]},
    "sana": {
        "size": "32",
        "extra": ["use_resolution_binning=false", "complex_human_instruction=null"],
    },
    "amused": {},
}


@cache
def saved(family: str) -> Path:
    """Folder of the family's pipeline."""
    root = Path(tempfile.mkdtemp(prefix=f"bench-{family}-"))
    folder = root / f"tiny-{family}"
    torch.manual_seed(0)
    MAKERS[family]().save_pretrained(folder, safe_serialization=True)
    return folder


def vae(**other):
    return diffusers.AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
        block_out_channels=(4, 8),
        layers_per_block=1,
        latent_channels=4,
        norm_num_groups=4,
        sample_size=32,
        **other,
    )


def unet(width, **other):
    return diffusers.UNet2DConditionModel(
        sample_size=16,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        block_out_channels=(8, 16),
        layers_per_block=1,
        cross_attention_dim=width,
        attention_head_dim=2,
        norm_num_groups=4,
        **other,
    )


def clip_text(projected, width=16):
    words = make_tokenizer().get_vocab()
    config = transformers.CLIPTextConfig(
        vocab_size=len(words),
        hidden_size=width,
        intermediate_size=16,
        projection_dim=width,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=16,
        bos_token_id=words[START],
        eos_token_id=words[END],
        pad_token_id=words[END],
    )
    cls = transformers.CLIPTextModelWithProjection if projected else transformers.CLIPTextModel
    return cls(config).eval()


def t5(width=16):
    pieces = ["<pad>", "</s>", "<unk>", "▁", *(f"▁{word}" for word in WORDS[1:]), "▁an"]
    tokenizer = transformers.T5Tokenizer(
        vocab=[(piece, -2.0) for piece in pieces], extra_ids=0, model_max_length=16
    )
    config = transformers.T5Config(
        vocab_size=len(pieces), d_model=width, d_kv=8, d_ff=16, num_layers=1, num_heads=2
    )
    return tokenizer, transformers.T5EncoderModel(config).eval()


def sd1(safety_checker=None):
    return diffusers.StableDiffusionPipeline(
        vae=vae(),
        text_encoder=clip_text(projected=False),
        tokenizer=make_tokenizer(),
        unet=unet(16),
        scheduler=diffusers.PNDMScheduler(skip_prk_steps=True, steps_offset=1),
        safety_checker=safety_checker,
        feature_extractor=transformers.CLIPImageProcessor(size=32, crop_size=32)
        if safety_checker
        else None,
        requires_safety_checker=safety_checker is not None,
    )


def sd2():
    return diffusers.StableDiffusionPipeline(
        vae=vae(),
        text_encoder=clip_text(projected=False),
        tokenizer=make_tokenizer(),
        unet=unet(16, use_linear_projection=True),
        scheduler=diffusers.DDIMScheduler(
            prediction_type="v_prediction", steps_offset=1, clip_sample=False
        ),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


def sdxl():
    return diffusers.StableDiffusionXLPipeline(
        vae=vae(),
        text_encoder=clip_text(projected=False),
        text_encoder_2=clip_text(projected=True),
        tokenizer=make_tokenizer(),
        tokenizer_2=make_tokenizer(),
        unet=unet(
            32,
            addition_embed_type="text_time",
            addition_time_embed_dim=4,
            projection_class_embeddings_input_dim=16 + 6 * 4,
            use_linear_projection=True,
        ),
        scheduler=diffusers.EulerDiscreteScheduler(),
        add_watermarker=False,
    )


def sd3():
    tokenizer, encoder = t5(width=32)
    return diffusers.StableDiffusion3Pipeline(
        transformer=diffusers.SD3Transformer2DModel(
            sample_size=16,
            in_channels=4,
            out_channels=4,
            num_layers=1,
            attention_head_dim=8,
            num_attention_heads=2,
            joint_attention_dim=32,
            caption_projection_dim=16,
            pooled_projection_dim=32,
            pos_embed_max_size=16,
        ),
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(shift=3.0),
        vae=vae(shift_factor=0.06, use_quant_conv=False, use_post_quant_conv=False),
        text_encoder=clip_text(projected=True),
        tokenizer=make_tokenizer(),
        text_encoder_2=clip_text(projected=True),
        tokenizer_2=make_tokenizer(),
        text_encoder_3=encoder,
        tokenizer_3=tokenizer,
    )


def flux():
    tokenizer, encoder = t5()
    return diffusers.FluxPipeline(
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(),
        vae=vae(shift_factor=0.1, use_quant_conv=False, use_post_quant_conv=False),
        text_encoder=clip_text(projected=False),
        tokenizer=make_tokenizer(),
        text_encoder_2=encoder,
        tokenizer_2=tokenizer,
        transformer=diffusers.FluxTransformer2DModel(
            in_channels=16,
            num_layers=1,
            num_single_layers=1,
            attention_head_dim=16,
            num_attention_heads=2,
            joint_attention_dim=16,
            pooled_projection_dim=16,
            axes_dims_rope=(4, 4, 8),
            guidance_embeds=True,
        ),
    )


def pixart():
    tokenizer, encoder = t5()
    return diffusers.PixArtSigmaPipeline(
        tokenizer=tokenizer,
        text_encoder=encoder,
        vae=vae(),
        transformer=diffusers.PixArtTransformer2DModel(
            num_attention_heads=2,
            attention_head_dim=8,
            in_channels=4,
            out_channels=8,
            num_layers=1,
            norm_num_groups=4,
            cross_attention_dim=16,
            sample_size=16,
            caption_channels=16,
            use_additional_conditions=False,
        ),
        scheduler=diffusers.DPMSolverMultistepScheduler(),
    )


def sana():
    specials = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>"]
    letters = [chr(c) for c in range(33, 127)]
    vocabulary = {token: k for k, token in enumerate([*specials, "▁", *letters])}
    config = transformers.Gemma2Config(
        vocab_size=len(vocabulary),
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=8,
        bos_token_id=2,
        eos_token_id=1,
        pad_token_id=0,
    )
    half = ((), (5,))
    return diffusers.SanaPipeline(
        tokenizer=transformers.GemmaTokenizer(vocab=vocabulary),
        text_encoder=transformers.Gemma2Model(config).eval(),
        vae=diffusers.AutoencoderDC(
            latent_channels=4,
            attention_head_dim=2,
            encoder_block_types=("ResBlock", "EfficientViTBlock"),
            decoder_block_types=("ResBlock", "EfficientViTBlock"),
            encoder_block_out_channels=(8, 8),
            decoder_block_out_channels=(8, 8),
            encoder_qkv_multiscales=half,
            decoder_qkv_multiscales=half,
            encoder_layers_per_block=(1, 1),
            decoder_layers_per_block=(1, 1),
            downsample_block_type="conv",
            upsample_block_type="interpolate",
            scaling_factor=0.41,
        ),
        transformer=diffusers.SanaTransformer2DModel(
            in_channels=4,
            out_channels=4,
            num_attention_heads=2,
            attention_head_dim=4,
            num_layers=1,
            num_cross_attention_heads=2,
            cross_attention_head_dim=4,
            cross_attention_dim=8,
            caption_channels=16,
            sample_size=16,
        ),
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(shift=3.0),
    )


def amused():
    codebook = diffusers.VQModel(
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
        block_out_channels=(4, 8),
        latent_channels=8,
        sample_size=32,
        num_vq_embeddings=64,
        norm_num_groups=4,
        mid_block_add_attention=False,
        lookup_from_codebook=True,
    )
    # As it is made, the codes are almost alike, and so are all pictures.
    torch.nn.init.normal_(codebook.quantize.embedding.weight)
    return diffusers.AmusedPipeline(
        vqvae=codebook,
        tokenizer=make_tokenizer(),
        text_encoder=clip_text(projected=True),
        transformer=diffusers.UVit2DModel(
            hidden_size=16,
            cond_embed_dim=16,
            micro_cond_encode_dim=4,
            micro_cond_embed_dim=20,
            encoder_hidden_size=16,
            vocab_size=64 + 1,
            codebook_size=64,
            in_channels=16,
            block_out_channels=16,
            num_res_blocks=1,
            block_num_heads=2,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=16,
            sample_size=16,
        ),
        scheduler=diffusers.AmusedScheduler(mask_token_id=64),
    )


MAKERS = {
    "sd1": sd1,
    "sd2": sd2,
    "sdxl": sdxl,
    "sd3": sd3,
    "flux": flux,
    "pixart": pixart,
    "sana": sana,
    "amused": amused,
}
