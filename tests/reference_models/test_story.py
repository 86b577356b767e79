"""The story: the clearest image of each place, a row each."""

import numpy as np
import pandas as pd
from PIL import Image

from reference_models.story import GAP, HEAD, LABEL, SIDE, chapters, sheet_of

ROWS = [
    ("a", "background", "leak_wall", 0.5, 0.0, 0.1),
    ("b", "background", "leak_wall", 0.9, 0.0, 0.1),
    ("c", "neighbour", "leak_picture_frame", 0.8, 0.1, 0.0),
    ("d", "mixed", "bind", 0.3, 0.3, 0.0),
    ("e", "mixed", "bind", 0.5, 0.5, 0.0),
    ("f", "bound", "bind", 0.9, 0.9, 0.0),
    ("g", "spilled", "bind and leak_plate", 0.9, 0.9, 0.0),
]


def test_each_place_is_shown_by_its_clearest_image():
    columns = ["sample_id", "verdict", "rule", "value", "bind", "leak_background"]
    verdicts = pd.DataFrame(ROWS, columns=columns).assign(prior=0.4)
    assert chapters(verdicts, "potato") == {
        "the frame": "c",
        "the wall": "b",
        "half the potato": "e",
        "the potato": "f",
    }


def test_a_row_is_a_film():
    red, blue = (Image.new("RGB", (8, 8), colour) for colour in ((200, 0, 0), (0, 0, 200)))
    sheet = np.asarray(sheet_of({"one": [red, blue], "two": [blue, red]}, ["step 1", "image"]))
    assert sheet.shape == (HEAD + 2 * (SIDE + GAP) + GAP, LABEL + 2 * (SIDE + GAP) + GAP, 3)
    middle = SIDE // 2
    assert (sheet[HEAD + middle, LABEL + middle] == (200, 0, 0)).all()
    assert (sheet[HEAD + SIDE + GAP + middle, LABEL + middle] == (0, 0, 200)).all()
