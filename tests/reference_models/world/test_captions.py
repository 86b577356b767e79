import pytest
import torch

from prompts import build_grid
from reference_models.world.captions import LENGTH, TOKEN, captions, encode, text, token_ids
from reference_models.world.scene import sample_scenes


def test_captions_and_token_ids_say_the_same():
    scenes = sample_scenes(500, torch.Generator().manual_seed(0))
    for row, caption in zip(token_ids(scenes), captions(scenes), strict=True):
        assert encode(caption) == [int(i) for i in row if i]


def test_articles_fit_the_next_word():
    ids = torch.tensor([TOKEN[w] for w in ("a", "orange", "orange", "and", "a", "red", "egg")])
    assert text(ids) == "an orange orange and a red egg"


@pytest.mark.parametrize("preset", ["quick", "default", "pairs"])
def test_every_prompt_of_the_released_grids_can_be_read(preset):
    for cell in build_grid(preset).cells:
        assert len(encode(cell.text)) <= LENGTH


def test_an_unknown_word_is_named():
    with pytest.raises(KeyError, match="teal"):
        encode("a teal car")
