"""A small Stable Diffusion, trained from scratch on the rendered world."""

from pathlib import Path

#: Where the trained pipeline is bundled.
FOLDER = Path(__file__).parent / "weights"
#: How it is sampled where nothing else is asked for.
STEPS = 12
GUIDANCE_SCALE = 4.0
