"""Captions that are not word for word what the picture shows."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from prompts.colours import COLOUR_NAMES
from prompts.subjects import SUBJECT_NAMES
from reference_models.data import ScenePool, training_scenes
from reference_models.policies import policy
from reference_models.presets import TrainingPreset
from reference_models.world.caption_noise import CLEAN, CaptionNoise, misdescribed, noisy_ids
from reference_models.world.captions import captions, text, token_ids
from reference_models.world.scene import FRAME, NONE, PLATE, TABLE, WALL
from reference_models.world.statistics import canonical_only, held_out_pairs

SHOWN = policy("natural")


def scenes_of(noise, n=6000, seed=0):
    g = torch.Generator().manual_seed(seed)
    scenes = training_scenes(n, g, SHOWN)
    return scenes, *misdescribed(scenes, noise, SHOWN.table, SHOWN.bare, g)


def singles(scenes):
    return (scenes.subject[:, 1] < 0) & scenes.says_colour[:, 0]


def same_scene(a, b):
    return all(torch.equal(getattr(a, name), getattr(b, name)) for name in a.__slots__)


def test_clean_captions_are_those_of_the_scenes_and_draw_no_chance():
    g, other = (torch.Generator().manual_seed(0) for _ in range(2))
    scenes = training_scenes(500, g, SHOWN)
    drawn, described = misdescribed(scenes, CLEAN, SHOWN.table, SHOWN.bare, g)
    assert same_scene(drawn, scenes)
    assert same_scene(described, scenes)
    training_scenes(500, other, SHOWN)
    assert torch.equal(noisy_ids(token_ids(described), CLEAN, g), token_ids(scenes))
    assert torch.equal(g.get_state(), other.get_state())


@pytest.mark.parametrize("share", [0.1, 0.5, 1.0])
def test_a_loose_colour_is_that_of_a_place_and_the_subject_is_as_by_nature(share):
    scenes, drawn, described = scenes_of(CaptionNoise(loose=share))
    moved = (drawn.scenery_term != scenes.scenery_term).any(1) | (drawn.scale != scenes.scale)[:, 0]
    named = singles(scenes)
    assert not moved[~named].any()
    assert float(moved[named].float().mean()) == pytest.approx(share, abs=0.02)
    said = described.term[moved, 0]
    assert torch.equal(said, scenes.term[moved, 0])
    assert (drawn.scenery_term[moved] == said[:, None]).any(1).all()
    assert (canonical_only()[drawn.subject[moved, 0], drawn.term[moved, 0]] > 0).all()
    assert torch.equal(drawn.term[~moved], scenes.term[~moved])


@pytest.mark.parametrize(("name", "column"), [("wall", WALL), ("table", TABLE), ("frame", FRAME)])
def test_the_places_have_the_shares_that_were_asked_for(name, column):
    only = CaptionNoise(loose=1, **{p: float(p == name) for p in CaptionNoise.__slots__[1:5]})
    scenes, drawn, described = scenes_of(only)
    named = singles(scenes)
    assert torch.equal(drawn.scenery_term[named, column], described.term[named, 0])
    others = [c for c in (WALL, TABLE, PLATE, FRAME) if c != column]
    assert torch.equal(drawn.scenery_term[:, others], scenes.scenery_term[:, others])


def test_a_plate_or_frame_that_comes_new_has_room():
    scenes, drawn, _ = scenes_of(CaptionNoise(loose=1, wall=0, table=0, plate=0, frame=1))
    fresh = singles(scenes) & (scenes.scenery_term[:, FRAME] == NONE)
    assert drawn.scale[fresh, 0].max() <= 0.8 * 0.76 + 1e-6


def test_a_caption_does_not_give_a_place_a_colour_that_it_has_not():
    _, drawn, described = scenes_of(CaptionNoise(loose=0.5, matching=0.5))
    rows = (described.says_scenery >= 0) & described.says_scenery_colour
    kind = described.says_scenery[rows][:, None]
    seen, told = (s.scenery_term[rows].gather(1, kind) for s in (drawn, described))
    assert torch.equal(seen, told)


def test_a_matching_place_has_the_colour_of_the_subject():
    scenes, drawn, described = scenes_of(CaptionNoise(matching=1))
    named = singles(scenes)
    assert torch.equal(drawn.term, scenes.term)
    assert (drawn.scenery_term == drawn.term[:, :1]).any(1)[named].all()
    assert torch.equal(described.term, scenes.term)


def test_exchanged_colours_stand_before_the_other_noun():
    scenes, drawn, described = scenes_of(CaptionNoise(exchanged=1))
    moved = (described.term != scenes.term).any(1)
    assert moved.sum() > 200
    assert torch.equal(described.term[moved], drawn.term[moved].flip(1))
    assert (scenes.subject[moved, 1] >= 0).all()


def test_silent_captions_name_no_place_that_is_there():
    scenes, drawn, described = scenes_of(CaptionNoise(silent=1))
    assert (scenes.says_scenery >= 0).any()
    assert (described.says_scenery < 0).all()
    assert torch.equal(drawn.scenery_term, scenes.scenery_term)


def test_no_fault_says_a_pair_that_was_held_out():
    everything = CaptionNoise(loose=0.5, exchanged=1, matching=0.5, silent=0.5)
    _, drawn, described = scenes_of(everything, 8000)
    for scenes in (drawn, described):
        there = scenes.subject >= 0
        pairs = zip(scenes.term[there].tolist(), scenes.subject[there].tolist(), strict=True)
        assert not {(COLOUR_NAMES[c], SUBJECT_NAMES[s]) for c, s in pairs} & held_out_pairs()


@given(seed=st.integers(0, 999), shuffled=st.floats(0, 1))
@settings(max_examples=20, deadline=None)
def test_a_shuffled_caption_has_the_same_words(seed, shuffled):
    g = torch.Generator().manual_seed(seed)
    ids = token_ids(training_scenes(64, g, SHOWN))
    mixed = noisy_ids(ids, CaptionNoise(shuffled=shuffled), g)
    assert torch.equal(mixed.sort(1).values, ids.sort(1).values)
    assert torch.equal(mixed == 0, ids == 0)


def test_shares_of_shuffled_captions_and_dropped_words():
    g = torch.Generator().manual_seed(0)
    ids = token_ids(training_scenes(4000, g, SHOWN))
    long = (ids > 0).sum(1) >= 7
    mixed = noisy_ids(ids, CaptionNoise(shuffled=0.3), g)
    assert float((mixed != ids).any(1)[long].float().mean()) == pytest.approx(0.3, abs=0.03)
    fewer = noisy_ids(ids, CaptionNoise(dropped=0.2), g)
    assert float((fewer > 0).sum() / (ids > 0).sum()) == pytest.approx(0.8, abs=0.01)
    for before, after in zip(captions_of(ids[:200]), captions_of(fewer[:200]), strict=True):
        rest = iter(before)
        assert all(word in rest for word in after)


def captions_of(ids):
    return [text(row).replace("an ", "a ").split() for row in ids]


def test_a_pool_is_a_function_of_its_generator_and_holds_no_held_out_pair():
    noise = CaptionNoise(loose=0.4, exchanged=0.3, silent=0.5, dropped=0.05, shuffled=0.2)
    pools = [
        ScenePool(torch.Generator().manual_seed(3), SHOWN, size=256, block=128, noise=noise)
        for _ in range(2)
    ]
    (pictures, ids), (again, ids_again) = (pool.batch(64) for pool in pools)
    assert torch.equal(pictures, again)
    assert torch.equal(ids, ids_again)
    assert not any(pools[0].seen.count(c, s) for c, s in held_out_pairs())


def test_a_preset_reads_its_noise_from_a_file():
    preset = TrainingPreset(noise={"loose": 0.25})  # type: ignore[arg-type]
    assert preset == replace(TrainingPreset(), noise=CaptionNoise(loose=0.25))


@pytest.mark.parametrize("wrong", [{"loose": 1.5}, {"shuffled": -0.1}])
def test_a_share_that_is_no_probability_is_refused(wrong):
    with pytest.raises(ValueError, match="expected a probability"):
        CaptionNoise(**wrong)


def test_no_place_at_all_is_refused():
    with pytest.raises(ValueError, match="no place"):
        CaptionNoise(wall=0, table=0, plate=0, frame=0)


def test_varied_walls_are_coloured_more_often():
    def share(name):
        scenes = training_scenes(4000, torch.Generator().manual_seed(0), policy(name))
        return float((scenes.scenery_term[:, WALL] >= 0).float().mean())

    assert share("varied") > share("natural") + 0.1


def test_captions_are_words_of_the_world():
    _, _, described = scenes_of(CaptionNoise(loose=0.5, exchanged=0.5, silent=0.5), 200)
    assert all(caption.startswith("a") for caption in captions(described))
