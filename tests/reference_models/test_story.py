"""The story: strips one above the other."""

import numpy as np
from PIL import Image

from reference_models.story import rows_used, stacked


def test_strips_are_stacked_under_their_titles_without_white_feet():
    strip = Image.new("RGB", (40, 100), (255, 255, 255))
    strip.paste((200, 0, 0), (0, 0, 40, 50))
    cut = rows_used(strip)
    assert cut.size == (40, 57)
    sheet = np.asarray(stacked([("one", cut), ("two", cut)]))
    assert sheet.shape == (2 * (57 + 22), 40, 3)
    assert (sheet[[30, 30 + 79], 20] == (200, 0, 0)).all()
