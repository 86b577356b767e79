"""What is loaded, and what is refused before anything is loaded."""

import json
import pickle
import shutil

import pytest
from safetensors.torch import save_file
from torch import zeros

from bench import registry
from bench.errors import UsageError
from bench.samplers.diffusers.sampler import DiffusersSampler
from bench.samplers.diffusers.source import (
    digest_of,
    find,
    read_index,
    weight_files,
)
from tests.bench.samplers.families import saved


class Bomb:
    """Unpickling this leaves a file behind."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


@pytest.fixture
def folder(tmp_path):
    return shutil.copytree(saved("sd1"), tmp_path / "model")


@pytest.mark.parametrize(
    "name", ["./x", "/x/y", "~/x", "model.safetensors", "model.ckpt", "org/name", "org/name@v1.0"]
)
def test_paths_and_hub_ids_are_pipelines(name):
    assert registry.address("sampler", name) == registry.PIPELINE


@pytest.mark.parametrize("name", ["locale", "local-", "a b/c", "org/name/more", "org/name@", ""])
def test_other_names_get_the_nearest_of_the_table(name):
    with pytest.raises(UsageError, match="known: local, local-clean, local-teacher"):
        registry.address("sampler", name)


def test_a_name_of_the_table_comes_before_a_folder(tmp_path, monkeypatch):
    (tmp_path / "local").mkdir()
    monkeypatch.chdir(tmp_path)
    assert registry.address("sampler", "local") == registry.SAMPLERS["local"]


def test_only_samplers_have_paths():
    with pytest.raises(UsageError, match="unknown scorer"):
        registry.address("scorer", "org/name")


@pytest.mark.parametrize("suffix", [".bin", ".ckpt", ".pt", ".pth", ".pkl"])
def test_a_pickle_is_never_opened(tmp_path, suffix):
    path, mark = tmp_path / f"model{suffix}", tmp_path / "executed"
    path.write_bytes(pickle.dumps(Bomb(mark)))
    with pytest.raises(UsageError, match=r"pickle can run any code.*safe_serialization"):
        DiffusersSampler(str(path))
    assert not mark.exists()


def test_a_pickle_that_is_named_safetensors(tmp_path):
    path, mark = tmp_path / "model.safetensors", tmp_path / "executed"
    path.write_bytes(pickle.dumps(Bomb(mark)))
    with pytest.raises(UsageError, match="no whole safetensors file"):
        DiffusersSampler(str(path))
    assert not mark.exists()


def test_a_component_that_is_only_a_pickle(folder, tmp_path):
    mark = tmp_path / "executed"
    (folder / "unet" / "diffusion_pytorch_model.safetensors").unlink()
    (folder / "unet" / "diffusion_pytorch_model.bin").write_bytes(pickle.dumps(Bomb(mark)))
    with pytest.raises(UsageError, match=r"unet/diffusion_pytorch_model.bin is not loaded"):
        DiffusersSampler(str(folder), device="cpu")
    assert not mark.exists()


def test_a_pickle_beside_safetensors_is_not_looked_at(folder, tmp_path):
    mark = tmp_path / "executed"
    (folder / "unet" / "diffusion_pytorch_model.bin").write_bytes(pickle.dumps(Bomb(mark)))
    DiffusersSampler(str(folder), device="cpu")
    assert not mark.exists()


def _edit(folder, **changes):
    path = folder / "model_index.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"_class_name": ["mine", "Pipeline"]},
        {"unet": ["mine", "UNet"]},
        {"unet": ["os", "system"]},
    ],
)
def test_code_of_the_model_is_not_run_without_a_word(folder, tmp_path, changes):
    mark = tmp_path / "executed"
    code = f"open({str(mark)!r}, 'w')"
    (folder / "mine.py").write_text(code)
    (folder / "unet" / "mine.py").write_text(code)
    _edit(folder, **changes)
    with pytest.raises(UsageError, match="--trust-remote-code"):
        DiffusersSampler(str(folder), device="cpu")
    assert not mark.exists()


def test_code_of_the_model_runs_where_it_is_allowed(folder):
    _edit(folder, _class_name=["mine", "Mine"])
    (folder / "mine.py").write_text(
        "from diffusers import StableDiffusionPipeline\n"
        "class Mine(StableDiffusionPipeline):\n    pass\n"
    )
    made = DiffusersSampler(str(folder), device="cpu", trust_remote_code=True)
    assert type(made.pipeline).__name__ == "Mine"
    assert made.info.fingerprint.options["remote_code"] is True


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"_class_name": "StableDifusionPipeline"}, "nearest is StableDiffusionPipeline"),
        ({"_class_name": ["reference_models.local", "LocalModel"]}, "which is no pipeline"),
        ({"_class_name": "DDPMPipeline"}, "does not make pictures from text alone"),
    ],
)
def test_a_class_that_cannot_be_run(folder, changes, message):
    _edit(folder, **changes)
    with pytest.raises(UsageError, match=message):
        DiffusersSampler(str(folder), device="cpu")


def test_an_inpainting_pipeline_draws_from_text_alone(folder):
    _edit(folder, _class_name="StableDiffusionImg2ImgPipeline")
    made = DiffusersSampler(str(folder), device="cpu")
    assert type(made.pipeline).__name__ == "StableDiffusionPipeline"


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "has no model_index.json"), ("{", "cannot be read"), ("[]", "does not name")],
)
def test_a_folder_that_is_no_pipeline(tmp_path, content, message):
    if content is not None:
        (tmp_path / "model_index.json").write_text(content)
    with pytest.raises(UsageError, match=message):
        DiffusersSampler(str(tmp_path))


def test_a_file_that_is_cut_short(folder):
    path = folder / "vae" / "diffusion_pytorch_model.safetensors"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(UsageError, match="cannot be loaded"):
        DiffusersSampler(str(folder), device="cpu")


def test_paths_that_are_not_there():
    with pytest.raises(UsageError, match="no folder or file './nothing'"):
        find("./nothing")
    with pytest.raises(UsageError, match=r"no file 'nothing.safetensors'"):
        find("nothing.safetensors")


def test_the_hub_out_of_reach_is_one_line():
    with pytest.raises(UsageError, match="cannot be had from the hub") as caught:
        find("nobody/has-this-model@v1")
    assert "\n" not in str(caught.value)


def test_hashes_follow_the_weights(folder):
    files = weight_files(folder, read_index(folder), None)
    assert [path.parent.name for path in files] == ["text_encoder", "unet", "vae"]
    before = digest_of(files, folder)
    (folder / "README.md").write_text("words")
    assert digest_of(files, folder) == before
    save_file({"a": zeros(1)}, files[0])
    assert digest_of(files, folder) != before


def test_the_variant_decides_which_weights_are_hashed(folder):
    plain = folder / "unet" / "diffusion_pytorch_model.safetensors"
    half = folder / "unet" / "diffusion_pytorch_model.fp16.safetensors"
    shutil.copy(plain, half)
    index = read_index(folder)
    assert half not in weight_files(folder, index, None)
    chosen = weight_files(folder, index, "fp16")
    assert half in chosen
    assert plain not in chosen
