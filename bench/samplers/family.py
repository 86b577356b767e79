"""The other models of the family, by name."""

from __future__ import annotations

from bench.samplers.local import LocalSampler


class Teacher(LocalSampler):
    """What ``local`` was distilled from: eight steps, guided when sampled."""

    model_name = "local-teacher"


class Atomic(LocalSampler):
    """Trained on canonical pairs and bare names only."""

    model_name = "local-atomic"


class Transformer(LocalSampler):
    """A transformer in place of the U-Net."""

    model_name = "local-dit"


class Discrete(LocalSampler):
    """Noise prediction on a discrete schedule, sampled by Euler's method."""

    model_name = "local-ddpm"


class Ancestral(Discrete):
    """The same, sampled by ancestral sampling."""

    solver = "ancestral"


class Capped(LocalSampler):
    """Never saw pure noise in training."""

    model_name = "local-capped"


class Tokens(LocalSampler):
    """Draws code by code: a quantiser and an autoregressive transformer."""

    model_name = "local-tokens"


class Coverage10(LocalSampler):
    """Trained on a tenth of the pairs."""

    model_name = "local-cov-10"


class Coverage25(LocalSampler):
    """Trained on a quarter of the pairs."""

    model_name = "local-cov-25"


class Coverage50(LocalSampler):
    """Trained on half of the pairs."""

    model_name = "local-cov-50"


class Coverage75(LocalSampler):
    """Trained on three quarters of the pairs."""

    model_name = "local-cov-75"


class Coverage100(LocalSampler):
    """Trained on all pairs."""

    model_name = "local-cov-100"
