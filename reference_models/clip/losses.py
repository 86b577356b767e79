"""The losses of the bundled CLIP: open_clip's contrastive one, and alignment by closed vocabulary.

- Contrastive: `open_clip.ClipLoss`. Captions that are true of another image of the batch are no
  negatives of it; their logits are left out.
- Patches: each patch against the bare nouns, weighted by the exact area of each noun in it. This is
  what makes the dense features point at things; it is possible because the world is rendered.
- Subject and colour: the whole image against the bare subjects, a masked crop of a subject against
  that subject in the eleven colours.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from open_clip import ClipLoss
from torch import Tensor

#: Inverse temperature of the closed-vocabulary losses.
SCALE = 16.0


class TruthfulClipLoss(ClipLoss):
    """`ClipLoss` in which a true caption of another image is not taken for a false one.

    Set ``truth`` (images, captions) before each call.
    """

    truth: Tensor

    def get_logits(
        self,
        image_features: Tensor,
        text_features: Tensor,
        logit_scale: Tensor,
        logit_bias: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Logits per image and per text, those of other true pairs at minus infinity."""
        per_image, per_text = super().get_logits(
            image_features, text_features, logit_scale, logit_bias
        )
        others = self.truth & ~torch.eye(len(self.truth), dtype=torch.bool)
        return (
            per_image.masked_fill(others, -torch.inf),
            per_text.masked_fill(others.T, -torch.inf),
        )


def soft_cross_entropy(logits: Tensor, target: Tensor) -> Tensor:
    """Cross entropy against a distribution; rows without mass count for nothing."""
    weight = target.sum(-1)
    target = target / weight.clamp(min=1e-6)[..., None]
    loss = -(target * F.log_softmax(logits, -1)).sum(-1)
    return (loss * weight).sum() / weight.sum().clamp(min=1e-6)


def patch_loss(patches: Tensor, nouns: Tensor, masks: Tensor) -> Tensor:
    """Each patch (N, h, w, D) against the nouns (K, D) by their areas in it (N, K, H, W)."""
    area = F.adaptive_avg_pool2d(masks, (patches.shape[1], patches.shape[2])).permute(0, 2, 3, 1)
    # A subject covers few patches; weigh them so that they count as much as the walls.
    return soft_cross_entropy(SCALE * patches @ nouns.T, area)
