"""PNG of pictures of several kinds: milliseconds and bytes, ours and Pillow's.

``python -m benchmarks.encoding`` from the root of a clone; CPU time of one core.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Sequence

import numpy as np
from PIL import Image

from bench.certificate.photoreal import photoreal_batches
from bench.certificate.scenes import known_answers
from bench.store.pictures import encode_png

#: CPU seconds of each measurement.
SECONDS = 0.5


def by_pillow(level: int) -> Callable[[np.ndarray], bytes]:
    """Pillow's encoder at a level of zlib."""

    def encode(image: np.ndarray) -> bytes:
        file = io.BytesIO()
        Image.fromarray(image).save(file, "PNG", compress_level=level)
        return file.getvalue()

    return encode


def measured(encode: Callable[[np.ndarray], bytes], images: Sequence[np.ndarray]) -> str:
    """Milliseconds a picture, and bytes of a hundred."""
    start, done = time.process_time(), 0
    while time.process_time() - start < SECONDS:
        size = sum(len(encode(image)) for image in images)
        done += len(images)
    taken = (time.process_time() - start) / done
    return f"{1e3 * taken:.2f} ms, {size / sum(i.nbytes for i in images):.0%}"


def main() -> None:
    """Measure, and print a table."""
    drawn = [answer.generation.image for answer in known_answers(64, 3)]
    photograph = next(photoreal_batches(1))[0].generation.image
    large = np.asarray(Image.fromarray(photograph).resize((1024, 1024), Image.Resampling.BICUBIC))
    grain = np.random.default_rng(0).integers(-2, 3, large.shape)
    grainy = (large + grain).clip(0, 255).astype(np.uint8)
    kinds = {
        "drawings, 64 px": drawn,
        "photograph, 1024 px": [large],
        "with grain": [grainy],
    }
    ways = {"Pillow, level 1": by_pillow(1), "Pillow, level 6": by_pillow(6), "ours": encode_png}
    print("| | " + " | ".join(kinds) + " |\n|---" * 1 + "|---:" * len(kinds) + "|")
    for name, encode in ways.items():
        print(f"| {name} | " + " | ".join(measured(encode, i) for i in kinds.values()) + " |")


if __name__ == "__main__":
    main()
