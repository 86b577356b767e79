"""The tokenizer of the small Stable Diffusion, and captions made for a whole batch at once."""

import torch

from reference_models.local import token_ids
from reference_models.sd.vocabulary import READS, Captions, make_tokenizer
from reference_models.world.captions import WORDS

PROMPTS = [
    "a blue potato",
    "an orange apple in front of a white wall",
    "a red car and an orange orange",
    "an egg",
]


def test_every_word_of_the_world_is_one_token():
    tokenizer = make_tokenizer()
    for word in (*WORDS[1:], "an"):
        assert len(tokenizer(word).input_ids) == 3, word


def test_other_words_fall_into_pieces():
    assert len(make_tokenizer()("zeppelin").input_ids) > 4


def test_captions_of_a_batch_are_what_the_tokenizer_makes_of_their_text():
    tokenizer = make_tokenizer()
    ids = torch.cat((token_ids(PROMPTS), torch.zeros(1, 12, dtype=torch.int64)))
    expected = tokenizer(
        [*PROMPTS, ""], padding="max_length", max_length=READS, return_tensors="pt"
    ).input_ids
    assert torch.equal(Captions(tokenizer)(ids), expected)
