"""Usual parts of things are measured where the masks of path-traced scenes tell them apart."""

import json

import numpy as np
from PIL import Image

from bench.certificate.parts import LEAST_SCENES, usual_parts


def made(folder, count, part, name="house"):
    """Scenes of a white thing whose upper part, a share of it, is gray, and whose rest is paint."""
    lines = []
    for number in range(count):
        labels = np.zeros((40, 40), np.uint8)
        labels[5:35, 5:35] = 4
        labels[5 : 5 + round(30 * part), 5:35] = 5
        picture = np.full((40, 40, 3), 250, np.uint8)
        picture[labels == 4] = (30, 60, 200)
        picture[labels == 5] = 120
        Image.fromarray(picture).save(folder / f"{number:05d}.jpg", quality=100)
        Image.fromarray(labels).save(folder / f"{number:05d}.png")
        thing = {"name": name, "colour": "blue", "second": None, "pattern": "plain"}
        lines.append(json.dumps({"number": number, "drawn": [thing]}))
    (folder / "scenes.jsonl").write_text("\n".join(lines))
    return folder


def test_the_share_of_a_part_is_found_and_the_paint_is_none(tmp_path):
    found = usual_parts([made(tmp_path, LEAST_SCENES, 0.4)])
    assert list(found) == ["house"]
    assert list(found["house"]) == ["gray"]
    assert 0.36 <= found["house"]["gray"] <= 0.4


def test_small_parts_and_few_scenes_say_nothing(tmp_path):
    (tmp_path / "small").mkdir()
    (tmp_path / "few").mkdir()
    assert usual_parts([made(tmp_path / "small", LEAST_SCENES, 0.04)]) == {}
    assert usual_parts([made(tmp_path / "few", LEAST_SCENES - 1, 0.4)]) == {}
