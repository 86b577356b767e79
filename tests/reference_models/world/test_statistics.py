import torch

from prompts.colours import COLOUR_NAMES
from prompts.subjects import SUBJECT_LIST, SUBJECT_NAMES
from reference_models.data import training_scenes
from reference_models.world.statistics import (
    HELD_OUT_PER_SUBJECT,
    canonical_only,
    colour_given_subject,
    held_out_pairs,
)


def test_rows_are_probabilities():
    for table in (colour_given_subject(), canonical_only()):
        assert torch.allclose(table.sum(1), torch.ones(len(SUBJECT_NAMES)), atol=1e-6)


def test_held_out_pairs_have_no_probability_and_no_canonical_one_is_among_them():
    table = colour_given_subject()
    canonical = {(c, s.name) for s in SUBJECT_LIST for c in s.canonical}
    held = held_out_pairs()
    assert len(held) == HELD_OUT_PER_SUBJECT * len(SUBJECT_LIST)
    assert not held & canonical
    assert ("blue", "potato") in held
    for colour, subject in held:
        assert table[SUBJECT_NAMES.index(subject), COLOUR_NAMES.index(colour)] == 0
    assert int((table == 0).sum()) == len(held)


def test_held_out_pairs_are_spread_over_the_colours():
    counts = [sum(c == colour for c, _ in held_out_pairs()) for colour in COLOUR_NAMES]
    assert max(counts) - min(counts) <= 2


def test_canonical_colours_dominate_and_the_tail_is_long():
    table = colour_given_subject()
    for row, subject in enumerate(SUBJECT_LIST):
        first = table[row, COLOUR_NAMES.index(subject.canonical[0])]
        assert first == table[row].max()
        tail = table[row][table[row] > 0]
        assert float(tail.max() / tail.min()) > 5


def test_training_scenes_never_show_a_held_out_pair():
    scenes = training_scenes(20_000, torch.Generator().manual_seed(0))
    there = scenes.subject >= 0
    shown = {
        (COLOUR_NAMES[c], SUBJECT_NAMES[s])
        for s, c in zip(scenes.subject[there].tolist(), scenes.term[there].tolist(), strict=True)
    }
    assert not shown & held_out_pairs()


def test_a_bare_name_mostly_stands_for_a_canonical_colour():
    scenes = training_scenes(20_000, torch.Generator().manual_seed(0))
    bare = (scenes.subject >= 0) & ~scenes.says_colour
    subjects, terms = scenes.subject[bare], scenes.term[bare]
    canonical = canonical_only()[subjects, terms] > 0
    assert float(canonical.float().mean()) > 0.9
