"""Remembered text embeddings."""

import pytest
import torch

from bench.samplers.diffusers.prompt_cache import RememberedText, remember


class Encoder:
    """Counts what it is asked for, and returns what families return."""

    def __init__(self, same_length=True):
        self.asked = []
        self.same_length = same_length

    def encode_prompt(
        self,
        prompt,
        prompt_2=None,
        device=None,
        negative_prompt=None,
        prompt_embeds=None,
        instruction=None,
    ):
        self.instruction = instruction
        self.asked.append(list(prompt))
        n = len(prompt)
        length = 4 if self.same_length else max(len(p) for p in prompt)
        rows = torch.stack([torch.full((length, 2), float(len(p))) for p in prompt])
        negative = torch.full((n, 4, 2), float(len((negative_prompt or [""])[0])))
        positions = torch.arange(12.0).view(4, 3)
        return (
            rows,
            negative,
            None,
            positions,
            [f"{p}+{q}" for p, q in zip(prompt, prompt_2 or [None] * n, strict=True)],
        )


def test_each_prompt_once_and_rows_in_order():
    encoder = Encoder()
    text = remember(encoder)
    rows, negative, none, positions, listed = encoder.encode_prompt(["aa", "b", "aa"], device="cpu")
    assert encoder.asked == [["aa"], ["b"]]
    assert rows[:, 0, 0].tolist() == [2, 1, 2]
    assert negative.shape == (3, 4, 2)
    assert none is None
    assert positions.shape == (4, 3)
    assert listed == ["aa+None", "b+None", "aa+None"]
    encoder.encode_prompt(prompt=["b"], device="cpu")
    assert text.encoded == 2


def test_other_arguments_are_another_embedding():
    encoder = Encoder()
    remember(encoder)
    one = encoder.encode_prompt(["a", "a"], negative_prompt=["x", "x"])
    two = encoder.encode_prompt(["a", "a"], negative_prompt=["xyz", "xyz"])
    assert one[1][0, 0, 0] == 1
    assert two[1][0, 0, 0] == 3
    three = encoder.encode_prompt(["a", "a"], prompt_2=["p", "q"])
    assert three[4] == ["a+p", "a+q"]
    assert len(encoder.asked) == 4


def test_prompts_ahead_are_encoded_once_as_the_last_ones_were():
    encoder = Encoder()
    text = remember(encoder)
    text.ahead(["early"], None)
    assert encoder.asked == []
    encoder.encode_prompt(["a", "bb"], device="cpu", negative_prompt=["xyz", "xyz"])
    text.ahead(["ccc", "a", "dddd"], None)
    assert encoder.asked == [["a"], ["bb"], ["ccc"], ["dddd"]]
    rows, negative, *_ = encoder.encode_prompt(
        ["ccc", "dddd"], device="cpu", negative_prompt=["xyz", "xyz"]
    )
    assert text.encoded == 4
    assert rows[:, 0, 0].tolist() == [3, 4]
    assert negative[0, 0, 0] == 3


def test_what_goes_wrong_ahead_goes_wrong_when_it_is_due():
    encoder = Encoder()
    text = remember(encoder)
    encoder.encode_prompt(["a"], device="cpu")
    text.ahead(["", None], None)
    with pytest.raises(TypeError):
        encoder.encode_prompt(["a", None], device="cpu")


def test_a_list_that_is_as_long_as_the_batch_by_chance_is_not_taken_apart():
    encoder = Encoder()
    remember(encoder)
    encoder.encode_prompt(["a", "b"], instruction=["first line", "second line"])
    assert encoder.instruction == ["first line", "second line"]


def test_embeddings_of_different_lengths_are_left_to_the_pipeline():
    encoder = Encoder(same_length=False)
    text = remember(encoder)
    rows = encoder.encode_prompt(["a", "bbb"])[0]
    assert rows.shape == (2, 3, 2)
    assert encoder.asked[-1] == ["a", "bbb"]
    encoder.encode_prompt(["c", "dd"])
    assert encoder.asked[-1] == ["c", "dd"]
    assert not text._rows


def test_given_embeddings_pass_through():
    encoder = Encoder()
    remember(encoder)
    encoder.encode_prompt(["a", "a"], prompt_embeds=torch.zeros(2, 4, 2))
    assert encoder.asked == [["a", "a"]]


def test_memory_is_bounded():
    encoder = Encoder()
    row = 4 * (4 * 2 + 4 * 2 + 12)
    text = RememberedText(encoder.encode_prompt, most=3 * row)
    for k in range(1, 50):
        text(["x" * k])
    assert len(text._rows) <= 3
    assert text._held <= 3 * row
    text(["x" * 49])
    assert text.encoded == 49


def test_a_pipeline_without_encode_prompt():
    assert remember(object()) is None
