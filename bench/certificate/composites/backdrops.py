"""What icons are laid over: photographs that scikit-image ships, plain walls, and plates."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from PIL import Image

#: Photographs of scikit-image that come with the package and show none of the subjects.
PHOTOGRAPHS: tuple[str, ...] = (
    "astronaut",
    "chelsea",
    "rocket",
    "hubble_deep_field",
    "immunohistochemistry",
    "brick",
    "grass",
    "gravel",
    "coins",
)
_LUMINANCE = np.array([0.299, 0.587, 0.114])


@lru_cache(maxsize=16)
def photograph(name: str) -> np.ndarray:
    """One photograph, uint8 (H, W, 3)."""
    from skimage import data

    image: np.ndarray = getattr(data, name)()
    return np.repeat(image[..., None], 3, -1) if image.ndim == 2 else image[..., :3]


def cut_photograph(rng: np.random.Generator, size: int) -> np.ndarray:
    """A square piece of some photograph, float (size, size, 3) in [0, 255]."""
    image = photograph(str(rng.choice(PHOTOGRAPHS)))
    short = min(image.shape[:2])
    side = int(rng.integers(short // 2, short + 1))
    y = int(rng.integers(image.shape[0] - side + 1))
    x = int(rng.integers(image.shape[1] - side + 1))
    piece = Image.fromarray(np.ascontiguousarray(image[y : y + side, x : x + side]))
    return np.asarray(piece.resize((size, size), Image.Resampling.BICUBIC), np.float64)


def dyed(photo: np.ndarray, paint: np.ndarray) -> np.ndarray:
    """A photograph in one colour: its light and dark, flattened, times the paint."""
    light = photo @ _LUMINANCE / 255
    relief = (light - light.mean()) / max(float(light.std()), 0.05)
    return _shaded(paint, 0.10 * np.clip(relief, -1.5, 1.5))


def wall(rng: np.random.Generator, size: int, paint: np.ndarray) -> np.ndarray:
    """A painted wall under a soft gradient of light, float (size, size, 3)."""
    rows, columns = np.mgrid[:size, :size] / size - 0.5
    angle = rng.uniform(0, 2 * np.pi)
    light = rng.uniform(0, 0.14) * (rows * np.sin(angle) + columns * np.cos(angle))
    light = light + rng.normal(0, 0.008, (size, size))
    return _shaded(paint, light)


def _shaded(paint: np.ndarray, light: np.ndarray) -> np.ndarray:
    """A paint, lit more and less; what is white is only dimmed, what is black only lit."""
    scaled = paint * (1 + light[..., None]) + 12 * light[..., None]
    return np.clip(scaled, 0, 255)


def plate(
    size: int, paint: np.ndarray, centre: tuple[float, float], reach: tuple[float, float]
) -> tuple[np.ndarray, np.ndarray]:
    """A plate seen from above or aslant: picture (size, size, 3) and mask (size, size).

    Parameters
    ----------
    size : int
    paint : ndarray (3,)
    centre, reach : (float, float)
        Of the ellipse, (y, x) in pixels.
    """
    over = 2
    rows, columns = (np.mgrid[: size * over, : size * over] + 0.5) / over
    far = np.hypot((rows - centre[0]) / reach[0], (columns - centre[1]) / reach[1])
    tone = np.where(far < 0.68, 0.0, np.where(far < 0.72, -0.12, np.where(far < 0.95, 0.03, -0.06)))
    picture = _shaded(paint, tone)
    mask = (far < 1).astype(np.float64)

    def small(layer: np.ndarray) -> np.ndarray:
        return layer.reshape(size, over, size, over, -1).mean((1, 3))

    return small(picture), small(mask)[..., 0]
