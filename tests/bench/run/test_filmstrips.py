"""The strip: every frame in its place, words that do not hide it."""

import numpy as np

from bench.run.filmstrips import GAP, LINE, SIDE, Film, filmstrip


def flat(*values, side=16):
    return np.stack([np.full((side, side, 3), v, np.uint8) for v in values])


def test_frames_stand_in_order_side_by_side_and_films_one_above_the_other():
    films = [Film("a", flat(10, 20), ["x", "y"]), Film("b", flat(30, 40, side=200), ["", ""])]
    sheet = np.asarray(filmstrip(films, ["noise 1.00", "noise 0.50"]))
    row = LINE + SIDE + LINE + GAP
    for number, values in enumerate(((10, 20), (30, 40))):
        for column, value in enumerate(values):
            y = GAP + LINE + number * row + LINE + SIDE // 2
            x = GAP + column * (SIDE + GAP) + SIDE // 2
            assert (sheet[y, x] == value).all()


def test_a_frame_that_is_not_square_keeps_its_shape():
    wide = np.zeros((1, 10, 40, 3), np.uint8)
    sheet = np.asarray(filmstrip([Film("", wide, [""])], []))
    assert (sheet == 0).all(-1).sum() == SIDE * SIDE // 4
