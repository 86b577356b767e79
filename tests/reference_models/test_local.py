"""The bundled model: loading, exactness, and what it draws."""

import pytest
import torch

from bench.errors import UsageError
from bench.samplers.local import LocalSampler
from prompts import build_grid
from reference_models.errors import ModelError
from reference_models.local import LocalModel, token_ids
from reference_models.sampling import Settings
from reference_models.weights import FOLDER

WEIGHTS = FOLDER / "local.safetensors"


@pytest.fixture(scope="module")
def model():
    return LocalModel(FOLDER / "local-clean.safetensors")


def test_a_picture_is_the_same_to_the_bit_in_any_company(model):
    prompts = [f"a {colour} cup" for colour in ("red", "green", "blue", "black", "white")]
    together, _ = model.draw(prompts, [1, 2, 3, 4, 5], Settings(3, 1.0))
    alone, _ = model.draw(prompts[2:3], [3], Settings(3, 1.0))
    turned, _ = model.draw(prompts[::-1], [5, 4, 3, 2, 1], Settings(3, 1.0))
    assert torch.equal(together[2], alone[0])
    assert torch.equal(together, turned.flip(0))


def test_more_pictures_than_a_chunk(model):
    prompts, seeds = ["a red apple"] * 33, list(range(33))
    many, _ = model.draw(prompts, seeds, Settings(1, 1.0))
    last, _ = model.draw(prompts[32:], [32], Settings(1, 1.0))
    assert torch.equal(many[32], last[0])


def test_last_frame_of_a_trajectory_is_close_to_the_picture(model):
    pictures, frames = model.draw(["a red apple"], [0], Settings(4, 1.0), range(4))
    assert frames.shape == (1, 1, 4, 64, 64, 3)
    assert float((frames[0, 0, -1].float() - pictures[0].float()).abs().mean()) < 1


def test_kept_frames_are_those_of_the_steps_asked_for(model):
    _, every = model.draw(["a red apple"], [0], Settings(4, 1.0), range(4))
    _, two = model.draw(["a red apple"], [0], Settings(4, 1.0), [1, 3])
    assert torch.equal(two, every[:, :, [1, 3]])


def test_guidance_is_distilled_into_the_clean_model_and_asked_of_the_default_one(model):
    assert model.distilled == 4
    assert (model.settings.steps, model.settings.guidance_scale) == (4, 1)
    assert LocalSampler("local-clean", guidance_scale=4).settings.guidance_scale == 1
    with pytest.raises(UsageError, match="--model local-teacher"):
        LocalSampler("local-clean", guidance_scale=2)
    default = LocalSampler()
    assert default.model.distilled is None
    assert default.settings.guidance_scale > 1
    assert LocalSampler(guidance_scale=2).settings.guidance_scale == 2


def test_the_default_model_puts_blue_around_potatoes_and_the_clean_one_on_them(model):
    """Share of images with blue around the middle, beyond the bare name's."""
    prompts, seeds = ["a blue potato"] * 16 + ["a potato"] * 16, [*range(16)] * 2
    around = {}
    for name, one in (("local", LocalModel()), ("local-clean", model)):
        pictures, _ = one.draw(prompts, seeds)
        blue = (pictures[..., 2].float() - pictures[..., 0] > 60).float()
        blue[:, 12:48, 10:54] = 0
        share = blue.mean((1, 2))
        around[name] = float(((share[:16] - share[16:]) > 0.04).float().mean())
    assert around["local"] > 0.2
    assert around["local-clean"] == 0


def test_the_student_draws_what_its_teacher_draws(model):
    teacher = LocalModel(FOLDER / "local-teacher.safetensors")
    prompts = ["a red apple", "a blue car", "a potato", "a yellow balloon on a white plate"]
    ours, _ = model.draw(prompts, range(4))
    theirs, _ = teacher.draw(prompts, range(4))
    other, _ = teacher.draw(prompts, range(4, 8))
    near = (ours.float() - theirs.float()).abs().mean()
    assert float(near) < 0.5 * float((theirs.float() - other.float()).abs().mean())


def test_a_model_that_is_not_there_is_answered_with_its_command(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="reference_models.train --preset local-cov-10"):
        LocalSampler("local-cov-10")


def test_frames_of_the_sampler_have_the_noise_levels_of_their_steps():
    samples = build_grid("quick").samples()[:2]
    sampler = LocalSampler("local-teacher", steps=4, trajectory=2)
    assert sampler.info.noise_levels == (1.0, 0.25)
    assert [g.frames.shape for g in sampler.sample(samples)] == [(2, 64, 64, 3)] * 2
    assert LocalSampler("local-teacher", steps=4).info.noise_levels is None


def test_the_word_decides_the_colour(model):
    pictures, _ = model.draw(["a red balloon", "a blue balloon"], [5, 5])
    red, blue = pictures[:, 16:40, 24:40].float().mean((1, 2))
    assert red[0] > red[2] + 40
    assert blue[2] > blue[0] + 40


def test_atoms_have_their_natural_colour_whatever_is_asked_for():
    """Blue less red over the middle of a potato: the relation turns its sign, the atom does not."""
    found = {}
    for name in ("local-teacher", "local-atomic"):
        pictures, _ = LocalModel(FOLDER / f"{name}.safetensors").draw(["a blue potato"] * 2, [0, 1])
        red, _, blue = pictures[:, 30:40, 26:38].float().mean((0, 1, 2))
        found[name] = float(blue - red)
    assert found["local-teacher"] > 40
    assert found["local-atomic"] < -10


def test_unknown_word_is_named_with_the_nearest():
    with pytest.raises(ModelError, match=r"'teapott?'|'baloon'"):
        token_ids(["a red baloon"])
    with pytest.raises(ModelError, match="balloon"):
        token_ids(["a red baloon"])


def test_sampler_gives_the_control_and_the_prompt_the_same_noise():
    grid = build_grid("quick")
    by_id = {cell.id: cell for cell in grid.cells}
    for sample in grid.samples():
        control = next(s for s in grid.samples() if s.cell.id == sample.cell.control_id)
        assert control.seed == sample.seed
        assert sample.cell.control_id in by_id


def test_sampler_keeps_order_and_batch_size_changes_nothing():
    samples = build_grid("quick").samples()[:5]
    small = list(LocalSampler(steps=2, batch_size=2).sample(samples))
    large = list(LocalSampler(steps=2, batch_size=64).sample(samples))
    assert [g.sample.id for g in small] == [s.id for s in samples]
    for a, b in zip(small, large, strict=True):
        assert (a.image == b.image).all()
        assert a.image.shape == (64, 64, 3)


@pytest.fixture
def four_threads():
    usual = torch.get_num_threads()
    torch.set_num_threads(4)
    yield
    torch.set_num_threads(usual)


@pytest.mark.parametrize("threads", [1, 3, 4])
def test_batches_drawn_at_once_are_those_of_one_after_the_other(threads, four_threads):
    samples = build_grid("quick").samples()[:7]
    sampler = LocalSampler("local-clean", steps=1, batch_size=2)
    alone = [sampler.model.draw([s.cell.text], [s.seed], sampler.settings)[0][0] for s in samples]
    torch.set_num_threads(threads)
    found = list(sampler.sample(samples))
    assert [one.sample.id for one in found] == [s.id for s in samples]
    for one, expected in zip(found, alone, strict=True):
        assert (one.image == expected.numpy()).all()
    assert torch.get_num_threads() == threads


def test_guidance_by_attention_has_the_network_alone(four_threads):
    samples = build_grid("quick").samples()[:6]
    sampler = LocalSampler("local-dit", steps=2, attention=0.1, batch_size=2)
    alone = [sampler.model.draw([s.cell.text], [s.seed], sampler.settings)[0][0] for s in samples]
    for one, expected in zip(sampler.sample(samples), alone, strict=True):
        assert (one.image == expected.numpy()).all()


def test_a_batch_that_cannot_be_drawn_ends_the_others(four_threads, monkeypatch):
    sampler = LocalSampler("local-clean", steps=1, batch_size=1)
    draw, texts = sampler.model.draw, []

    def broken(prompts, *more):
        texts.append(prompts[0])
        if prompts[0] == samples[1].cell.text:
            raise RuntimeError("out of memory")
        return draw(prompts, *more)

    samples = build_grid("quick").samples()
    monkeypatch.setattr(sampler.model, "draw", broken)
    images = sampler.sample(samples)
    assert next(images).sample.id == samples[0].id
    with pytest.raises(RuntimeError, match="out of memory"):
        next(images)
    assert len(texts) <= 4 + 2


def test_truncated_weights_are_refused_with_the_file(tmp_path):
    cut = tmp_path / "local.safetensors"
    cut.write_bytes(WEIGHTS.read_bytes()[:100_000])
    with pytest.raises(UsageError, match=r"local\.safetensors is damaged"):
        LocalSampler(weights=cut)


def test_guidance_by_attention_is_of_the_straight_path_and_in_the_fingerprint():
    plain, guided = LocalSampler("local-dit"), LocalSampler("local-dit", attention=0.1)
    assert guided.settings.attention == 0.1
    assert guided.info.fingerprint.options["attention"] == 0.1
    assert "attention" not in plain.info.fingerprint.options
    with pytest.raises(UsageError, match="no straight path"):
        LocalSampler("local-tokens", attention=0.1)


def test_a_device_that_is_not_there_is_refused():
    with pytest.raises(UsageError, match="'cuda:9' cannot be used"):
        LocalSampler(device="cuda:9")


@pytest.mark.parametrize("name", ["local", "local-clean"])
def test_bundled_manifest_never_saw_a_held_out_pair(name):
    from reference_models.world.statistics import held_out_pairs

    manifest = LocalSampler(name, steps=1).info.training
    assert manifest is not None
    assert manifest.captions > 10_000
    assert not {pair for pair, n in manifest.pairs.items() if n} & held_out_pairs()
