"""Dense features: what each place of the image says in the space shared with the text.

Three ways, by the kind of image tower:

- ``tokens``: the patch tokens of the last layer through the same norm and projection as the pooled
  one. Right for a CLIP that was trained to align its patches, as the bundled one was.
- ``values``: for a plain ViT, whose last tokens have drifted from their places. The last block is
  run again without its residual and its MLP, and each patch attends to patches of like query, as
  in ClearCLIP (Lan et al., 2024) after MaskCLIP (Zhou, Loy and Dai, 2022).
- ``cells``: for a convolutional tower, its head at each cell of the last feature map.
- ``alone``: for a ViT of timm, whose tokens are pooled by attention (SigLIP, SigLIP 2, PE-Core):
  the pooling of each token alone. Attention to one token is its value: it is MaskCLIP's way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bench.errors import UsageError

if TYPE_CHECKING:
    import torch


def dense_features(visual: Any, batch: torch.Tensor, how: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Pooled and dense features from one pass of an open_clip image tower.

    Parameters
    ----------
    visual : Module
        ``model.visual`` of an open_clip model.
    batch : Tensor (B, 3, S, S)
    how : str
        ``tokens`` or ``values`` for a ViT; ignored by a convolutional tower.

    Returns
    -------
    pooled : Tensor (B, D)
    patches : Tensor (B, h, w, D)
        Neither is normalised.
    """
    if hasattr(visual, "pooled_and_dense"):
        pooled, patches = visual.pooled_and_dense(batch)
        return pooled, patches
    if hasattr(visual, "transformer") and hasattr(visual, "class_embedding"):
        return _vit(visual, batch, how)
    if hasattr(visual, "attnpool") and hasattr(visual, "layer4"):
        return _resnet(visual, batch)
    if hasattr(visual, "trunk") and hasattr(visual, "head"):
        return _timm(visual, batch)
    raise UsageError(
        f"the image tower {type(visual).__name__} gives no dense features; "
        "use a ViT, a ResNet or a convolutional timm tower of open_clip"
    )


def _project(visual: Any, tokens: torch.Tensor) -> torch.Tensor:
    tokens = visual.ln_post(tokens)
    return tokens if visual.proj is None else tokens @ visual.proj


def _vit(visual: Any, batch: torch.Tensor, how: str) -> tuple[torch.Tensor, torch.Tensor]:
    last = visual.transformer.resblocks[-1]
    plain = hasattr(getattr(last, "attn", None), "in_proj_weight")
    how = how if plain else "tokens"
    layers = len(visual.transformer.resblocks)
    wanted = [layers - 1] if how == "tokens" or layers == 1 else [layers - 2]
    out = visual.forward_intermediates(
        batch, indices=wanted, output_fmt="NLC", output_extra_tokens=True
    )
    tokens = out["image_intermediates"][0]
    if how == "values":
        prefix = out["image_intermediates_prefix"][0]
        import torch

        tokens = _query_attention(last, torch.cat([prefix, tokens], dim=1))[:, prefix.shape[1] :]
    height, width = (
        side // patch for side, patch in zip(batch.shape[-2:], visual.patch_size, strict=False)
    )
    patches = _project(visual, tokens)
    return out["image_features"], patches.reshape(len(batch), height, width, -1)


def _query_attention(block: Any, tokens: torch.Tensor) -> torch.Tensor:
    """Last block with attention from query to query, without residual and MLP."""
    import torch.nn.functional as F

    attention = block.attn
    heads = attention.num_heads
    projected = F.linear(block.ln_1(tokens), attention.in_proj_weight, attention.in_proj_bias)
    query, _, value = (
        part.unflatten(-1, (heads, -1)).transpose(1, 2) for part in projected.chunk(3, dim=-1)
    )
    mixed = F.scaled_dot_product_attention(query, query, value)
    return attention.out_proj(mixed.transpose(1, 2).flatten(2))


def _resnet(visual: Any, batch: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    cells = visual.stem(batch)
    for layer in (visual.layer1, visual.layer2, visual.layer3, visual.layer4):
        cells = layer(cells)
    pool = visual.attnpool
    return pool(cells), pool.c_proj(pool.v_proj(cells.permute(0, 2, 3, 1)))


def _timm(visual: Any, batch: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    features = visual.trunk.forward_features(batch)
    if features.ndim == 3:
        return _timm_vit(visual, features)
    if features.ndim != 4:
        raise UsageError(
            f"the timm tower {type(visual.trunk).__name__} gives no feature map; "
            "use a convolutional timm tower or a ViT"
        )
    pooled = visual.head(visual.trunk.forward_head(features))
    count, channels, height, width = features.shape
    cells = features.permute(0, 2, 3, 1).reshape(-1, channels, 1, 1)
    patches = visual.head(visual.trunk.forward_head(cells))
    return pooled, patches.reshape(count, height, width, -1)


def _timm_vit(visual: Any, tokens: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Pooled and dense features of the tokens (B, N, C) of a timm ViT."""
    import torch

    trunk = visual.trunk
    prefix = int(getattr(trunk, "num_prefix_tokens", 0))
    grid = getattr(getattr(trunk, "patch_embed", None), "grid_size", None)
    pooled = visual.head(trunk.forward_head(tokens))
    if pooled.ndim != 2 or grid is None or tokens.shape[1] != prefix + grid[0] * grid[1]:
        raise UsageError(
            f"the timm tower {type(trunk).__name__} gives no feature map: its tokens are not those "
            "of a grid that is pooled to one vector; use another ViT or a convolutional tower"
        )
    alone = tokens[:, prefix:].reshape(-1, 1, tokens.shape[2])
    if prefix and getattr(trunk, "global_pool", "") == "avg":
        # Pooling by the mean leaves the first tokens out.
        alone = torch.cat([alone.new_zeros(len(alone), prefix, alone.shape[2]), alone], dim=1)
    patches = visual.head(trunk.forward_head(alone))
    return pooled, patches.reshape(len(tokens), *grid, -1)
