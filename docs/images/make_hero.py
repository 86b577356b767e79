"""Make the picture at the top of the README: one real image of each verdict of a run.

Usage: ``python docs/images/make_hero.py RUN [OUT.png]``. Takes the blue potato where it is bound,
and for every other verdict that occurs, and every place of a leak, the clearest case: the one with
the least of the asked colour on its subject (the most, where it spilled), or of its subject at all.
"""

from __future__ import annotations

import io
import sys
import textwrap
from pathlib import Path

import pandas as pd
from PIL import Image, ImageDraw, ImageFont

TILE, GAP, TEXT = 192, 24, 112
GROUND, INK, QUIET = (128, 128, 128), (255, 255, 255), (225, 225, 225)
#: Verdicts and the start of their rule, in the order of the picture.
ORDER = (
    ("bound", ""),
    ("neighbour", "leak_picture_frame"),
    ("background", "leak_wall"),
    ("neighbour", "leak_plate"),
    ("swapped", ""),
    ("spilled", "bind and leak_plate"),
    ("background", "leak_support"),
    ("mixed", ""),
    ("prior", ""),
    ("wrong", ""),
    ("absent", ""),
)
MOST = 6
#: Colours of which a leak is seen at a glance.
STRONG = ("red", "orange", "yellow", "green", "blue", "purple", "pink")


def main(run: Path, out: Path) -> None:
    """Draw the picture."""
    verdicts = pd.read_parquet(run / "verdicts.parquet")
    samples = pd.read_parquet(run / "samples", columns=["sample_id", "text", "image"])
    chosen = []
    for verdict, rule in ORDER:
        rows = verdicts[(verdicts.verdict == verdict) & verdicts.rule.str.startswith(rule)]
        strong = rows[rows.colour.isin(STRONG) & ~rows.cell_id.str.contains("wall")]
        rows = (strong if len(strong) else rows).sort_values(["presence", "cell_id", "index"])
        potato = rows[rows.cell_id == "single/blue/potato"]
        if verdict == "bound" and len(potato):
            rows = potato
        elif verdict in ("bound", "spilled"):
            rows = rows.sort_values(["bind", "cell_id", "index"], ascending=[False, True, True])
        elif verdict != "absent":
            rows = rows.sort_values(["bind", "cell_id", "index"])
        if len(rows) and len(chosen) < MOST:
            chosen.append(rows.iloc[0])
    width = GAP + len(chosen) * (TILE + GAP)
    sheet = Image.new("RGB", (width, TILE + TEXT + 2 * GAP), GROUND)
    draw = ImageDraw.Draw(sheet)
    title, small = ImageFont.load_default(17), ImageFont.load_default(13)
    for k, row in enumerate(chosen):
        left = GAP + k * (TILE + GAP)
        stored = samples[samples.sample_id == row.sample_id].iloc[0]
        picture = Image.open(io.BytesIO(stored.image["bytes"])).convert("RGB")
        sheet.paste(picture.resize((TILE, TILE), Image.Resampling.NEAREST), (left, GAP))
        top = GAP + TILE + 8
        draw.text((left, top), row.verdict, INK, title)
        top += 26
        for line in textwrap.wrap(stored.text, 30)[:2]:
            draw.text((left, top), line, INK, small)
            top += 17
        for n, line in enumerate(textwrap.wrap(row.words, 30)[:3]):
            draw.text((left, top + 4 + 17 * n), line, QUIET, small)
    sheet.save(out)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2] if len(sys.argv) > 2 else "docs/images/hero.png"))
