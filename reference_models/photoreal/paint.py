"""Paints of surfaces: colour terms as sRGB, patterns on meshes, pictures for walls and tables."""

from __future__ import annotations

import numpy as np
import torch

from prompts.colours import COLOUR_NAMES
from reference_models.photoreal.draws import Draws
from reference_models.photoreal.meshes import waves
from reference_models.world.palette import draw_quiet, draw_terms

#: Side of the pictures on walls and tables.
SIDE = 256

#: What walls and tables are of; the test set has surfaces of its own.
_SURFACES = ("plain", "plain", "grain", "wood", "tiles", "weave", "bricks", "dots")
_TEST_SURFACES = ("plain", "plain", "checks", "boards", "marble", "grain")


def linear(srgb: np.ndarray) -> np.ndarray:
    """Reflectance from sRGB in [0, 1] (IEC 61966-2-1)."""
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


def gamma(light: np.ndarray) -> np.ndarray:
    """SRGB in [0, 1] from linear light, clipped (IEC 61966-2-1)."""
    x = np.clip(light, 0, 1)
    return np.where(x <= 0.0031308, 12.92 * x, 1.055 * x ** (1 / 2.4) - 0.055)


def colour_of(term: str | None, d: Draws) -> np.ndarray:
    """An sRGB value of a term, of a quiet surface for None, (3,) in [0, 1]."""
    g = torch.Generator().manual_seed(int(d.rng.integers(2**31)))
    if term is None:
        return draw_quiet(1, g)[0].numpy().astype(float)
    return draw_terms(torch.tensor([COLOUR_NAMES.index(term)]), g)[0].numpy().astype(float)


def painted(
    points: np.ndarray, first: np.ndarray, second: np.ndarray, pattern: str, d: Draws
) -> np.ndarray:
    """SRGB of the vertices (V, 3) of a body that stands within about one unit of the origin."""
    grain = waves(points * d.uniform(2, 9), d.rng)[:, None]
    amount = d.uniform(0, 0.16) if d.chance(0.6) else 0.0
    out = first * (1 + amount * grain)
    if pattern != "plain":
        if pattern == "halves":
            angle = d.uniform(-0.5, 0.5)
            along = points[:, 0] * np.cos(angle) + (points[:, 2] - points[:, 2].mean()) * np.sin(
                angle
            )
            there = along > np.median(along)
        elif pattern == "stripes":
            axis = points[:, 2] if d.chance(0.5) else points[:, 0] + 0.3 * points[:, 2]
            there = np.sin(axis * d.uniform(18, 40)) > 0
        else:
            there = waves(points * d.uniform(1.0, 1.8), d.rng, 2) > d.uniform(-0.05, 0.05)
        out = np.where(there[:, None], second * (1 + amount * grain), out)
    return np.clip(out, 0.012, 0.97)


def surface(base: np.ndarray, d: Draws, photo: np.ndarray | None = None) -> np.ndarray:
    """A picture (SIDE, SIDE, 3) sRGB in [0, 1] for a wall or a table, all of it near ``base``."""
    v, u = np.meshgrid(np.linspace(0, 1, SIDE), np.linspace(0, 1, SIDE), indexing="ij")
    flat = np.stack([u, v, 0 * u], -1).reshape(-1, 3)
    kind = d.pick(_TEST_SURFACES if d.test else _SURFACES)
    tone: np.ndarray = np.zeros((SIDE, SIDE))
    if kind == "grain":
        tone = 0.12 * waves(flat * d.uniform(6, 30), d.rng, 5).reshape(SIDE, SIDE)
    elif kind == "wood":
        bend = waves(flat * [1, 3, 1], d.rng, 3).reshape(SIDE, SIDE)
        tone = 0.1 * np.sin((v * d.uniform(6, 14) + 0.12 * bend) * 2 * np.pi * 4)
        tone -= 0.25 * ((v * d.uniform(4, 9)) % 1 < 0.03)
    elif kind in ("tiles", "bricks"):
        n = d.uniform(4, 12)
        row = np.floor(v * n * (2 if kind == "bricks" else 1))
        across = (u * n + (0.5 * (row % 2) if kind == "bricks" else 0)) % 1
        up = (v * n * (2 if kind == "bricks" else 1)) % 1
        tone = -0.25 * ((across < 0.05) | (up < 0.07))
        cells = np.sin(row * 12.9 + np.floor(u * n) * 78.2) * 43758.5
        tone = tone + 0.1 * (cells - np.floor(cells) - 0.5)
    elif kind == "weave":
        n = d.uniform(30, 70)
        tone = 0.07 * np.sin(u * n * 6.28) * np.sin(v * n * 6.28)
    elif kind == "checks":
        n = d.uniform(5, 14)
        tone = 0.18 * (((u * n).astype(int) + (v * n).astype(int)) % 2 - 0.5)
    elif kind == "boards":
        n = d.uniform(5, 12)
        tone = 0.14 * np.sin((u * n).astype(int) * 7.3) - 0.3 * ((u * n) % 1 < 0.04)
    elif kind == "marble":
        bend = waves(flat * d.uniform(1, 3), d.rng, 5).reshape(SIDE, SIDE)
        tone = 0.16 * np.sin(u * 9 + 7 * bend)
    elif kind == "dots":
        n = d.uniform(6, 16)
        spots = ((u * n) % 1 - 0.5) ** 2 + ((v * n) % 1 - 0.5) ** 2 < 0.05
        tone = 0.25 * spots * d.uniform(-1, 1)
    if photo is not None:
        gray = photo.mean(-1)
        tone = 0.7 * (gray - gray.mean())
    return np.clip(base * (1 + tone[..., None]), 0.012, 0.97)
