"""What can go wrong with the bundled models that a user can mend."""

from __future__ import annotations


class ModelError(ValueError):
    """A weight file that is missing or damaged, or a prompt that the model has no words for."""
