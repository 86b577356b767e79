import numpy as np
import pytest

from bench.judge.white_balance import MOST_GAIN, find_light, find_lights, remove_light
from tests.bench.scenes import Scene, draw

#: Linear light of a blue-lit room, of a lamp, of a green-lit one.
BLUE, WARM, GREEN = (0.4, 0.55, 1.0), (1.0, 0.86, 0.66), (0.75, 1.0, 0.8)
#: A room of quiet colours: no paint of its own.
ROOM = Scene(plate="#f0f0ee", wall="#d4d6d8", table="#b4b6b6")


def light_of(scene: Scene):
    image, regions = draw(scene)
    masks = np.concatenate([regions.masks, regions.neighbour_masks, regions.background[None]])
    return image.reshape(-1, 3), find_light(image, masks, len(regions.masks))


@pytest.mark.parametrize("light", [BLUE, WARM, GREEN])
@pytest.mark.parametrize("subject", ["white", "gray"])
def test_a_light_over_everything_is_found(light, subject):
    byte, found = light_of(ROOM.but(subject=subject, light=light))
    np.testing.assert_allclose(found / found.max(), light, atol=0.08)
    plain, none = light_of(ROOM.but(subject=subject))
    assert none is None
    assert np.abs(remove_light(byte, found).astype(int) - plain).mean() < 14


@pytest.mark.parametrize(
    "scene",
    [
        ROOM.but(subject="blue"),
        ROOM.but(subject="blue", wall="blue"),
        ROOM.but(subject="blue", wall="blue", table="blue", plate="blue"),
        ROOM.but(subject="white", wall="#aac8ff"),
        Scene(subject="#c8a06e", wall="#e1d2be", table="#8a6f55", plate="#f4f4f0"),
        ROOM.but(subject="#f49ac1", wall="#ee97ba", table="#f49ac1", plate="#e88ab0"),
    ],
    ids=["blue thing", "blue wall", "blue everything", "pastel wall", "tan and beige", "all pink"],
)
def test_paint_is_not_light(scene):
    _, found = light_of(scene)
    assert found is None or np.ptp(found) == 0


def test_a_dim_room_is_brightened_and_a_black_one_is_not():
    _, dim = light_of(ROOM.but(subject="white", light=(0.4, 0.4, 0.4)))
    assert dim is not None
    # A white room in little light and a gray one are the same pixels: the gain has an end.
    assert dim.max() == pytest.approx(1 / MOST_GAIN)
    _, black = light_of(Scene(subject="black", wall="black", table="black", plate="#303030"))
    assert black is None or black.min() > 0.7


def test_removing_a_light_keeps_black_and_makes_white():
    byte = np.array([[0, 0, 0], [170, 197, 255]], dtype=np.uint8)
    light = np.array([0.402, 0.558, 1.0])
    assert remove_light(byte, light).tolist()[0] == [0, 0, 0]
    assert min(remove_light(byte, light).tolist()[1]) > 250


def test_the_light_of_a_picture_is_its_own_whatever_is_beside_it():
    scenes = [ROOM.but(subject="white", light=BLUE), ROOM.but(subject="blue"), ROOM.but(size=96)]
    scenes += [ROOM.but(subject="gray", light=WARM), ROOM.but(subject="white", light=(0.4,) * 3)]
    drawn = [draw(scene) for scene in scenes]
    masks = [
        np.concatenate([own.masks, own.neighbour_masks, own.background[None]]) for _, own in drawn
    ]
    images, counts = [image for image, _ in drawn], [len(own.masks) for _, own in drawn]
    together = find_lights(images, masks, counts)
    alone = [find_light(*one) for one in zip(images, masks, counts, strict=True)]
    assert [str(light) for light in together] == [str(light) for light in alone]
    assert sum(light is None for light in alone) not in (0, len(alone))
