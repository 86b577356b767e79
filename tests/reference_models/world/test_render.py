import pytest
import torch

from prompts.colours import COLOUR_NAMES
from prompts.subjects import SUBJECT_NAMES
from reference_models.world.known import KNOWN_VERDICTS, known_scenes
from reference_models.world.render import render
from reference_models.world.scene import HALVES, STRIPES, Mixture, sample_scenes
from reference_models.world.shapes import SHAPES

BARE = Mixture(pair=0, scenery=0, plate=0, frame=0, coloured_wall=0)


def one_of_each(seed: int = 0, colour: str = "blue"):
    n = len(SUBJECT_NAMES)
    subject = torch.stack((torch.arange(n), torch.full((n,), -1)), 1)
    term = torch.full((n, 2), COLOUR_NAMES.index(colour))
    generator = torch.Generator().manual_seed(seed)
    return sample_scenes(n, generator, BARE, subject=subject, term=term)


def test_every_subject_has_a_shape():
    assert set(SHAPES) == set(SUBJECT_NAMES)


def test_masks_sum_to_one_everywhere():
    r = render(sample_scenes(96, torch.Generator().manual_seed(1)))
    total = r.subjects.sum(1) + r.plate + r.frame + r.table + r.wall
    assert torch.allclose(total, torch.ones_like(total), atol=1e-5)
    for mask in (r.subjects, r.bodies, r.plate, r.frame, r.table, r.wall):
        assert float(mask.min()) >= 0
        assert float(mask.max()) <= 1 + 1e-6


def test_same_seed_same_pictures_and_other_seed_others():
    first = render(sample_scenes(16, torch.Generator().manual_seed(7))).image
    again = render(sample_scenes(16, torch.Generator().manual_seed(7))).image
    other = render(sample_scenes(16, torch.Generator().manual_seed(8))).image
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_a_picture_does_not_depend_on_its_batch():
    scenes = sample_scenes(24, torch.Generator().manual_seed(3))
    together, alone = render(scenes).image, render(scenes[5:9]).image
    assert torch.allclose(together[5:9], alone, atol=1e-6)


@pytest.mark.parametrize("size", [32, 64, 256])
def test_every_subject_fills_a_fair_share_at_any_size(size):
    r = render(one_of_each(), size)
    share = r.subjects[:, 0].mean((1, 2))
    assert r.image.shape == (len(SUBJECT_NAMES), 3, size, size)
    assert float(share.min()) > 0.04, SUBJECT_NAMES[int(share.argmin())]
    assert float(share.max()) < 0.5


def test_parts_that_keep_their_colour_are_the_lesser_part():
    r = render(one_of_each())
    body = r.bodies[:, 0].sum((1, 2)) / r.subjects[:, 0].sum((1, 2))
    assert float(body.min()) > 0.55, SUBJECT_NAMES[int(body.argmin())]


def test_body_wears_the_asked_colour():
    blue, red = render(one_of_each(colour="blue")), render(one_of_each(colour="red"))
    weight = blue.bodies[:, 0] > 0.99
    for k, name in enumerate(SUBJECT_NAMES):
        b = blue.image[k][:, weight[k]].mean(1)
        r = red.image[k][:, weight[k]].mean(1)
        assert b[2] > b[0] + 0.2, name
        assert r[0] > r[2] + 0.2, name


@pytest.mark.parametrize("pattern", [STRIPES, HALVES])
@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
def test_pattern_covers_the_asked_share(pattern, share):
    from dataclasses import replace

    scenes = one_of_each(colour="red")
    n = len(scenes)
    blue = torch.tensor([0.1, 0.2, 0.9]).expand(n, 2, 3)
    scenes = replace(
        scenes,
        pattern=torch.full((n, 2), pattern),
        coverage=torch.full((n, 2), share),
        second_rgb=blue,
    )
    r = render(scenes)
    inside = r.bodies[:, 0] > 0.99
    covered = torch.tensor(
        [float((r.image[k][0] > r.image[k][2])[inside[k]].float().mean()) for k in range(n)]
    )
    assert float((covered - share).abs().max()) < 0.1


def test_known_scenes_show_every_verdict_and_colour():
    from bench.records import VERDICTS

    assert KNOWN_VERDICTS == tuple(v for v in VERDICTS if v != "unjudged")
    known = known_scenes(220, torch.Generator().manual_seed(0))
    assert {v for row in known.verdicts for v in row} == set(KNOWN_VERDICTS)
    for verdict in KNOWN_VERDICTS:
        asked = {
            cell.bindings[0].colour
            for cell, row in zip(known.cells, known.verdicts, strict=True)
            if row[0] == verdict
        }
        assert asked == set(COLOUR_NAMES)


def test_known_prior_scene_is_never_asked_in_the_colour_it_has():
    known = known_scenes(330, torch.Generator().manual_seed(4))
    for row, (cell, verdict) in enumerate(zip(known.cells, known.verdicts, strict=True)):
        drawn = COLOUR_NAMES[int(known.scenes.term[row, 0])]
        if verdict[0] in ("prior", "wrong", "neighbour", "background"):
            assert drawn != cell.bindings[0].colour
        if verdict[0] in ("bound", "spilled", "mixed"):
            assert drawn == cell.bindings[0].colour
