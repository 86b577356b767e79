"""What every network here that reads a prompt shares: how the prompt is encoded, once a picture."""

from __future__ import annotations

from torch import Tensor, nn

from reference_models.nn.linear import Linear


class Prompted(nn.Module):
    """A network that reads a prompt.

    Attributes
    ----------
    text : TextEncoder or another of ``text_encoders``
        Gives the words.
    prompt : Linear
        From the mean of the words to the condition of the whole network.
    """

    text: nn.Module
    prompt: Linear

    def encode(self, ids: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Token ids (N, L) to words (N, L, text), mask (N, L) and the whole prompt (N, width)."""
        words, mask = self.text(ids)
        weight = mask.to(words.dtype)[..., None]
        return words, mask, self.prompt((words * weight).sum(1) / weight.sum(1))
