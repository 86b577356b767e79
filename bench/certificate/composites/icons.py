"""Icons to compose pictures from: drawn here from a few curves, or read from a folder.

They look nothing like the rendered world, so that what was tuned on that world can be judged far
from it.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image

from bench.certificate.composites import animals, artefacts, food
from bench.certificate.composites.icon import SIDE, Icon
from bench.certificate.composites.pen import Drawing, Pen
from bench.errors import UsageError
from prompts.subjects import SUBJECTS

#: What draws each subject.
DRAWINGS: dict[str, Drawing] = {**food.DRAWINGS, **animals.DRAWINGS, **artefacts.DRAWINGS}


@lru_cache(maxsize=1)
def drawn_icons() -> tuple[Icon, ...]:
    """The icons that are drawn here, one a subject."""
    icons = []
    for subject, draw in DRAWINGS.items():
        pen = Pen()
        draw(pen)
        icons.append(pen.icon(subject))
    return tuple(icons)


def read_icons(folder: Path) -> tuple[Icon, ...]:
    """Icons from a folder of PNG files with transparency, named by subject (``apple.png``).

    The commonest colour of an icon, with its shades, is taken for the body that is painted.

    Raises
    ------
    UsageError
        No file of the folder is named like a subject, or one has no transparency.
    """
    from bench.judge.colour import memberships

    icons = []
    for path in sorted(folder.glob("*.png")):
        if path.stem not in SUBJECTS:
            continue
        with Image.open(path) as image:
            rgba = np.asarray(image.convert("RGBA").resize((SIDE, SIDE), Image.Resampling.LANCZOS))
        mask = rgba[..., 3].astype(np.float32) / 255
        if mask.min() > 0.5:
            raise UsageError(f"{path} has no transparent part; expected an icon that is cut out")
        rgb = rgba[..., :3]
        named = memberships(rgb)
        main = int(np.einsum("hw,hwc->c", mask, named).argmax())
        body = mask * (named[..., main] > 0.3)
        light = rgb.astype(np.float32).max(-1)
        scale = 200 / max(float(np.median(light[body > 0.5])), 1.0) if (body > 0.5).any() else 1.0
        gray = np.clip(light * scale, 0, 255).astype(np.uint8)[..., None].repeat(3, -1)
        colour = np.where((body > 0.5)[..., None], gray, rgb)
        icons.append(Icon(path.stem, colour, mask, body.astype(np.float32)))
    if not icons:
        raise UsageError(
            f"no PNG of {folder} is named like a subject; known: {', '.join(SUBJECTS)}"
        )
    return tuple(icons)
