"""Prompts in the names of files."""

import pytest

from bench.importers.names import is_sheet, prompt_of_name

CUP = "a teal cup"
NAMES = {
    "a teal cup_000017.png": CUP,
    "samples/a teal cup_000017.png": CUP,
    "a_teal_cup_0001.jpg": CUP,
    "a-teal-cup-3.webp": CUP,
    "00021-3141592653-a teal cup.png": CUP,
    "00021-a_teal_cup.png": CUP,
    "7_a teal cup.png": CUP,
    "a teal cup_seed42.png": CUP,
    "a teal cup_seed_42_step_30.png": CUP,
    "a teal cup (3).png": CUP,
    "a%20teal%20cup_2.png": CUP,
    "DALL·E 2024-02-03 10.11.12 - a teal cup.png": CUP,
    "ann_a_teal_cup_3f2a3c1e-aaaa-bbbb-cccc-0123456789ab.png": CUP,
    "ann_lee_99_a_teal_cup_3f2a3c1e-aaaa-bbbb-cccc-0123456789ab_2.png": CUP,
    "ann_teal_cups_3f2a3c1e-aaaa-bbbb-cccc-0123456789ab.png": "teal cups",
    "a teal cup/0003.png": CUP,
    "out/a_teal_cup/seed_3.png": CUP,
    "2 red apples_000003.png": "2 red apples",
    "a red cup, and a teal bowl_000001.png": "a red cup, and a teal bowl",
}


@pytest.mark.parametrize("name", NAMES)
def test_prompt_of_a_name(name):
    assert prompt_of_name(name) == (NAMES[name], "")


@pytest.mark.parametrize(
    "name", ["0001.png", "ComfyUI_00012_.png", "IMG_2044.JPG", "out/0001.png", "seed_3.png"]
)
def test_name_without_a_prompt(name):
    prompt, why = prompt_of_name(name)
    assert prompt == ""
    assert "no prompt" in why


def test_names_that_are_cut_off_are_not_read():
    user = "ann_a_teal_cup_on_a_wooden_table_beside_an_old_brown_teapot_and_"
    assert "cut" in prompt_of_name(f"{user}3f2a3c1e-aaaa-bbbb-cccc-0123456789ab.png")[1]
    assert "cut off" in prompt_of_name("a teal cup " * 22 + ".png")[1]


@pytest.mark.parametrize(
    ("name", "sheet"),
    [
        ("grid-0003.png", True),
        ("a teal cup-grid-0003.png", True),
        ("a/grid.png", True),
        ("contact_sheet_2.jpg", True),
        ("a blue grid_000003.png", False),
        ("a teal cup_000003.png", False),
        ("gridlock_1.png", False),
    ],
)
def test_contact_sheets_by_name(name, sheet):
    assert is_sheet(name) is sheet
