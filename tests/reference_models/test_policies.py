"""What the members of the family are shown."""

import pytest
import torch

from prompts.colours import COLOUR_NAMES
from prompts.subjects import SUBJECT_LIST, SUBJECT_NAMES
from reference_models.data import training_scenes
from reference_models.policies import covered_pairs, policy
from reference_models.world.captions import captions


def gen():
    return torch.Generator().manual_seed(0)


def test_atomic_scenes_say_a_colour_only_of_subjects_that_have_it_by_nature():
    natural = {s.name: s.canonical for s in SUBJECT_LIST}
    scenes = training_scenes(4000, gen(), policy("atomic"))
    for caption in captions(scenes):
        words = caption.split()
        for k, word in enumerate(words):
            said = k and words[k - 1] in COLOUR_NAMES and word in SUBJECT_NAMES
            if said:
                assert words[k - 1] in natural[word], caption
        for place in ("wall", "plate", "frame", "table"):
            if place in words:
                before = words[words.index(place) - 1 - (place == "frame")]
                assert before not in COLOUR_NAMES, caption


def test_coverages_are_nested_and_have_every_subject():
    smaller: frozenset = frozenset()
    for percent in (10, 25, 50, 75, 100):
        pairs = covered_pairs(percent)
        assert smaller < pairs
        assert {subject for _, subject in pairs} == set(SUBJECT_NAMES)
        assert len(pairs) == round(percent / 100 * 297)
        smaller = pairs


def test_coverage_scenes_show_the_covered_pairs_alone():
    scenes = training_scenes(8000, gen(), policy("coverage-25"))
    there = scenes.subject >= 0
    shown = {
        (COLOUR_NAMES[c], SUBJECT_NAMES[s])
        for s, c in zip(scenes.subject[there].tolist(), scenes.term[there].tolist(), strict=True)
    }
    assert shown == covered_pairs(25)


@pytest.mark.parametrize("name", ["natrual", "coverage-", "coverage-5"])
def test_unknown_policies_are_refused(name):
    with pytest.raises(ValueError, match=r"policy|pairs"):
        policy(name)
