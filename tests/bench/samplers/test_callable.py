"""A user's callable as a model: what it may return, and what is said where it does not."""

import re
import sys
import textwrap

import numpy as np
import pytest
import torch
from PIL import Image

from bench.cli.main import run
from bench.errors import UsageError
from bench.protocols import Sampler, SamplerInfo
from bench.records import Fingerprint, Generation
from bench.run.components import build
from bench.samplers.callable import OwnModel
from bench.samplers.local import LocalSampler
from bench.store.run import Run
from prompts.cells import plan
from tests.bench.shapes import cells
from tests.bundled import ROOT, require_weights

PARTS = ["--segmenter", "tests.bench.shapes:ShapeSegmenter", "--scorer", "segmentation"]
GRID = ["--colours", "red,blue", "--subjects", "potato,cup", "--templates", "single,control"]
SAMPLES = plan(cells(), 2)


def noise(generators, size=32):
    return torch.stack([torch.rand(3, size, size, generator=one) for one in generators])


def drawn(draw, samples=SAMPLES, **options):
    return list(OwnModel(draw, "my:draw", **options).sample(samples))


FORMS = {
    "tensor": lambda images: images,
    "list of tensors": list,
    "array": lambda images: images.permute(0, 2, 3, 1).numpy(),
    "bytes": lambda images: (images * 255).round().byte(),
    "PIL": lambda images: [
        Image.fromarray((one.permute(1, 2, 0).numpy() * 255).round().astype(np.uint8))
        for one in images
    ],
    "generator": iter,
    "tuple": tuple,
    "output": lambda images: type("Output", (), {"images": list(images)})(),
}


@pytest.mark.parametrize("form", FORMS)
def test_any_form_of_image_is_the_same_picture(form):
    def draw(prompts, generators):
        return FORMS[form](noise(generators))

    wanted = drawn(lambda prompts, generators: noise(generators))
    for one, two in zip(drawn(draw), wanted, strict=True):
        assert np.array_equal(one.image, two.image)
        assert one.image.dtype == np.uint8


@pytest.mark.parametrize("batch", [1, 3, 16, 100])
def test_batch_size_is_honoured_and_changes_no_picture(batch):
    calls = []

    def draw(prompts, generators):
        calls.append(len(prompts))
        assert all(isinstance(one, torch.Generator) for one in generators)
        return noise(generators)

    images = [one.image for one in drawn(draw, batch_size=batch)]
    assert sum(calls) == len(SAMPLES)
    assert set(calls[:-1]) <= {batch}
    assert calls[0] == min(batch, len(SAMPLES))
    alone = [one.image for one in drawn(lambda p, g: noise(g), batch_size=1)]
    assert np.array_equal(images, alone)


def test_batch_size_of_the_callable():
    class Draw:
        batch_size = 5

        def __call__(self, prompts, generators):
            assert len(prompts) <= 5
            return noise(generators)

    assert OwnModel(Draw(), "my:draw").info.batch_size == 5
    assert len(drawn(Draw())) == len(SAMPLES)


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("CUDA out of memory. Tried ...")])
def test_batch_is_halved_when_memory_runs_out_and_no_picture_changes(error, capsys):
    sizes = []

    def draw(prompts, generators):
        sizes.append(len(prompts))
        if len(prompts) > 3:
            raise error
        return noise(generators)

    images = [one.image for one in drawn(draw)]
    assert np.array_equal(images, [one.image for one in drawn(lambda p, g: noise(g))])
    assert sizes == [8, 4, *[2] * 8]
    assert "out of memory with 8 images a batch; going on with 4" in capsys.readouterr().err


def test_control_and_coloured_prompt_share_the_noise():
    made = drawn(lambda prompts, generators: noise(generators))
    by_cell = {(one.sample.cell.id, one.sample.index): one.image for one in made}
    assert np.array_equal(by_cell["control/cup", 1], by_cell["single/red/cup", 1])
    assert not np.array_equal(by_cell["control/cup", 0], by_cell["control/cup", 1])


WRONG = {
    "nothing": (lambda p, g: None, "returned nothing (None) for 8 prompts"),
    "too few": (lambda p, g: noise(g)[1:], "returned 7 images for 8 prompts"),
    "too many": (lambda p, g: [*noise(g), *noise(g)], "returned 16 images for 8 prompts"),
    "text": (lambda p, g: "an image", "returned a str for 8 prompts"),
    "number": (lambda p, g: 3, "returned a int for 8 prompts"),
    "one image": (lambda p, g: noise(g)[0], "returned a Tensor of shape (3, 32, 32)"),
    "dict": (lambda p, g: {"a": 1}, "returned a dict for 8 prompts"),
    "paths": (lambda p, g: ["a.png"] * 8, "returned no picture for 'a potato': cannot read a pict"),
    "in [0, 255]": (lambda p, g: noise(g) * 255, "must lie in [0, 1]"),
    "five channels": (lambda p, g: torch.zeros(8, 5, 9, 9), "1, 3 or 4 channels"),
    "no pixels": (lambda p, g: np.zeros((8, 0, 4, 3)), "has no pixels"),
    "raises": (lambda p, g: 1 // 0, "failed on 8 prompts: ZeroDivisionError: "),
    "exits": (lambda p, g: sys.exit(0), "failed on 8 prompts: SystemExit: 0"),
    "raises late": (lambda p, g: (1 // 0 for _ in p), "failed on 8 prompts: ZeroDivisionError: "),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_return_is_one_clear_line(name):
    draw, words = WRONG[name]
    with pytest.raises(UsageError, match=re.escape(words)) as caught:
        drawn(draw)
    assert "\n" not in str(caught.value)
    assert "'my:draw'" in str(caught.value)


def test_where_an_exception_came_from_is_told():
    with pytest.raises(UsageError, match=r"\(test_callable.py:\d+\); `bench --debug"):
        drawn(WRONG["raises"][0])


def test_refused_flagged_and_nan_images_are_invalid():
    def draw(prompts, generators):
        images = list(noise(generators))
        images[0] = None
        images[1] = images[1] * float("nan")
        output = type("Output", (), {})()
        output.images, output.nsfw_content_detected = images, [False, False, True, False]
        return output

    found = [one.invalid for one in drawn(draw, SAMPLES[:4])]
    assert found == ["refused by the model", "not finite (NaN)", "safety filter", None]


@pytest.mark.parametrize("form", [list, np.array, torch.tensor, tuple])
def test_flags_of_any_form_are_read(form):
    def draw(prompts, generators):
        output = type("Output", (), {})()
        output.images, output.nsfw_content_detected = noise(generators), form([True, False])
        return output

    assert [one.invalid for one in drawn(draw, SAMPLES[:2])] == ["safety filter", None]
    with pytest.raises(UsageError, match="2 flags .* for 3 images"):
        drawn(draw, SAMPLES[:3])


def test_pipeline_is_called_by_name():
    def pipeline(prompt=None, height=None, width=None, num_steps=3, generator=None):
        assert height is None
        assert len(prompt) == len(generator) == 8
        return type("Output", (), {"images": noise(generator), "nsfw_content_detected": None})()

    assert len(drawn(pipeline)) == 16


def own(tmp_path, monkeypatch, text):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), str(ROOT), *sys.path])
    (tmp_path / "my_models.py").write_text(textwrap.dedent(text))
    sys.modules.pop("my_models", None)
    return lambda attribute, *options: run(
        ["run", "--model", f"my_models:{attribute}", *GRID, *PARTS, "--name", "r", *options]
    )


MODELS = """
    import torch
    from functools import partial

    def draw(prompts, generators, steps=2):
        return torch.stack([torch.rand(3, 16, 16, generator=g) / steps for g in generators])

    def load(steps=2, batch_size=None):
        return partial(draw, steps=steps)

    class Model:
        def __call__(self, prompts, generators):
            return draw(prompts, generators)

    instance = Model()
    answer = 42

    def one_argument():
        return lambda prompts: prompts

    def leaves():
        raise SystemExit(0)

    def broken():
        raise RuntimeError("no such weights\\nand more")

    class WithSample:
        info = 3
        def sample(self, samples):
            return iter(())
"""


def pictures(folder):
    (_, part), *_ = Run(folder).parts("samples")
    return {row["sample_id"]: row["image"]["bytes"] for row in part.to_pylist()}


def test_every_way_to_name_a_model(tmp_path, monkeypatch):
    go = own(tmp_path, monkeypatch, MODELS)
    found = []
    for number, attribute in enumerate(("draw", "load", "Model", "instance")):
        assert go(attribute, "--name", f"r{number}") == 0
        found.append(pictures(tmp_path / f"runs/r{number}"))
    assert found[0] == found[1] == found[2] == found[3]
    record = Run(tmp_path / "runs/r1").manifest.sampler
    assert record.name == "my_models:load"
    assert len(record.options["source"]) == 16


@pytest.mark.parametrize("attribute", ["draw", "load"])
def test_options_reach_the_callable_or_its_factory(attribute, tmp_path, monkeypatch, capsys):
    go = own(tmp_path, monkeypatch, MODELS)
    assert go(attribute, "--steps", "4") == 0
    assert Run(tmp_path / "runs/r").manifest.sampler.options["steps"] == 4
    assert go(attribute, "--steps", "5") == 3
    assert "option steps 4, not 5" in capsys.readouterr().err
    assert go(attribute, "--guidance-scale", "5") == 2
    assert "has no option 'guidance_scale'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("attribute", "words"),
    [
        ("answer", "is no sampler and makes none: it is a int"),
        ("one_argument", "no callable of (prompts, generators); docs/own_model.md"),
        ("broken", "cannot be made: RuntimeError: no such weights (my_models.py:"),
        ("WithSample", "has no attribute `info`"),
        ("lod", "did you mean 'load'?"),
        ("torc", "unknown attribute of my_models 'torc'; known: partial, draw, load"),
        ("leaves", "cannot be made: SystemExit: 0 (my_models.py:"),
    ],
)
def test_attribute_that_is_no_model(attribute, words, tmp_path, monkeypatch, capsys):
    go = own(tmp_path, monkeypatch, MODELS)
    assert go(attribute) == 2
    err = capsys.readouterr().err
    assert words in err
    assert err.count("\n") == 1
    assert not (tmp_path / "runs").exists()


def test_module_that_cannot_be_imported(tmp_path, monkeypatch, capsys):
    go = own(tmp_path, monkeypatch, "def load(:\n")
    assert go("load") == 2
    assert re.search(
        r"cannot be loaded: SyntaxError: .*\(my_models.py:1\)", capsys.readouterr().err
    )
    go = own(tmp_path, monkeypatch, "raise SystemExit(0)\n")
    assert go("load") == 2
    assert "cannot be loaded: SystemExit: 0 (my_models.py:1)" in capsys.readouterr().err
    go = own(tmp_path, monkeypatch, "import no_such_library\n")
    assert go("load") == 2
    assert "no module named 'no_such_library'" in capsys.readouterr().err


def test_changed_file_is_another_model(tmp_path, monkeypatch, capsys):
    go = own(tmp_path, monkeypatch, MODELS)
    assert go("load") == 0
    go = own(tmp_path, monkeypatch, MODELS + "\n    # changed\n")
    assert go("load") == 3
    assert "was made with option source" in capsys.readouterr().err


def test_images_before_an_exception_are_kept(tmp_path, monkeypatch, capsys):
    text = (
        MODELS
        + """
    calls = []

    def tired(prompts, generators):
        calls.append(1)
        if len(calls) == 4:
            raise MemoryError("out of memory")
        return draw(prompts, generators)
    """
    )
    go = own(tmp_path, monkeypatch, text)
    assert go("tired", "--batch-size", "1") == 2
    assert "MemoryError: out of memory" in capsys.readouterr().err
    assert len(pictures(tmp_path / "runs/r")) == 3
    assert go("tired", "--batch-size", "1") == 0


def test_sampler_with_its_own_method_is_used_as_it_is():
    class Own(Sampler):
        info = SamplerInfo(Fingerprint("sampler", "own"))

        def sample(self, samples):
            for one in samples:
                yield Generation(one, np.zeros((8, 8, 3), np.uint8))

    sys.modules["own_as_it_is"] = type(sys)("own_as_it_is")
    sys.modules["own_as_it_is"].Own, sys.modules["own_as_it_is"].own = Own, Own()
    try:
        assert isinstance(build("sampler", "own_as_it_is:Own", {}), Own)
        assert build("sampler", "own_as_it_is:own", {}) is sys.modules["own_as_it_is"].own
    finally:
        del sys.modules["own_as_it_is"]


def test_example_of_the_documentation_gives_the_images_of_the_bundled_model(tmp_path, monkeypatch):
    require_weights()
    page = (ROOT / "docs/own_model.md").read_text(encoding="utf-8")
    example = re.search(r"^```python\n(.*?)^```", page, re.DOTALL | re.MULTILINE).group(1)
    assert len(example.splitlines()) <= 12
    go = own(tmp_path, monkeypatch, example)
    assert go("load", "--limit", "4", "--batch-size", "3") == 0
    (_, part), *_ = Run(tmp_path / "runs/r").parts("samples")
    from bench.store.rows import generation_from

    stored = [generation_from(row) for row in part.to_pylist()]
    local = list(LocalSampler().sample([one.sample for one in stored]))
    assert len(local) == 4
    for one, two in zip(stored, local, strict=True):
        assert np.array_equal(one.image, two.image)
