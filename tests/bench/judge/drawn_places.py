"""Small drawn pictures with label maps: a thing, a wall, a table, a plate where one is given."""

from __future__ import annotations

import numpy as np

from bench.judge.places import FIRST_NEIGHBOUR, SUPPORT, Picture

TAN, BLUE, PALE, BROWN = (185, 136, 79), (36, 84, 206), (206, 198, 184), (122, 76, 36)
SIZE = 80


def picture(
    subject=TAN, wall=PALE, table=BROWN, plate=None, box=(24, 44, 30, 50), plate_box=None
) -> Picture:
    byte = np.zeros((SIZE, SIZE, 3), np.uint8)
    labels = np.zeros((SIZE, SIZE), np.uint8)
    byte[:48], byte[48:] = wall, table
    labels[48:] = SUPPORT
    if plate is not None:
        top, bottom, left, right = plate_box or (52, 62, 20, 60)
        byte[top:bottom, left:right] = plate
        labels[top:bottom, left:right] = FIRST_NEIGHBOUR
    top, bottom, left, right = box
    byte[top:bottom, left:right] = subject
    labels[top:bottom, left:right] = 1
    return Picture(byte, labels, ("plate",) if plate is not None else ())
