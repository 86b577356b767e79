"""Checkpoints of transformers: by folder and by hub id, with one line for what cannot be had."""

from __future__ import annotations

import hashlib
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import huggingface_hub
import pytest
import torch
from huggingface_hub import constants

from bench.errors import BenchError, UsageError
from bench.judge.checkpoints import load_checkpoint

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A tiny ViT of a class that any checkpoint could have."""
    from transformers import ViTConfig, ViTImageProcessor, ViTModel

    path = tmp_path_factory.mktemp("checkpoint")
    config = ViTConfig(
        hidden_size=8, num_hidden_layers=1, num_attention_heads=1, intermediate_size=8,
        image_size=8, patch_size=4,
    )  # fmt: skip
    ViTModel(config).save_pretrained(path)
    ViTImageProcessor(size={"height": 8, "width": 8}).save_pretrained(path)
    return path


def test_a_folder_is_known_by_its_name_and_the_hash_of_its_weights(folder):
    one = load_checkpoint(str(folder), ["ViTModel"])
    content = hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    assert one.weights == content[:20]
    assert one.name == folder.name
    assert not one.model.training
    assert not any(p.requires_grad for p in one.model.parameters())


def test_a_hub_id_with_a_revision_is_known_by_its_commit(folder, tmp_path, monkeypatch):
    root = tmp_path / "models--tiny--vit"
    snapshot = root / "snapshots" / COMMIT
    for path in (root / "blobs", root / "refs", snapshot):
        path.mkdir(parents=True)
    (root / "refs" / "v1").write_text(COMMIT)
    for path in folder.iterdir():
        blob = root / "blobs" / hashlib.sha256(path.read_bytes()).hexdigest()
        blob.write_bytes(path.read_bytes())
        (snapshot / path.name).symlink_to(blob)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    one = load_checkpoint("tiny/vit@v1", ["ViTModel"])
    assert one.name == f"tiny/vit@{COMMIT}"
    assert one.weights == load_checkpoint(str(folder), ["ViTModel"]).weights


def test_another_class_is_refused_by_name(folder):
    with pytest.raises(UsageError, match=r"is a ViTModel; expected Sam2Model"):
        load_checkpoint(str(folder), ["Sam2Model"])


def test_a_pickle_is_refused_with_the_way_out(folder, tmp_path):
    for path in folder.iterdir():
        if path.suffix == ".json":
            (tmp_path / path.name).write_bytes(path.read_bytes())
    torch.save({}, tmp_path / "pytorch_model.bin")
    with pytest.raises(UsageError, match=r"no safetensors.*save_pretrained") as error:
        load_checkpoint(str(tmp_path), ["ViTModel"])
    assert "\n" not in str(error.value)


def test_cut_weights_are_one_line(folder, tmp_path):
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    whole = (tmp_path / "model.safetensors").read_bytes()
    (tmp_path / "model.safetensors").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BenchError, match="cannot be loaded") as error:
        load_checkpoint(str(tmp_path), ["ViTModel"])
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("spec", ["./nowhere", "no such thing", ""])
def test_what_is_neither_a_folder_nor_an_id(spec):
    with pytest.raises(UsageError, match="there is no such folder"):
        load_checkpoint(spec, ["ViTModel"])


def test_an_id_that_is_not_in_the_cache_of_a_machine_without_network():
    with pytest.raises(UsageError, match=r"not in the cache.*hf download"):
        load_checkpoint("tiny/elsewhere", ["ViTModel"])


@pytest.mark.parametrize(
    ("status", "code", "remedy"),
    [
        (403, "GatedRepo", "accept its licence"),
        (401, "RepoNotFound", "mend the name"),
        (404, "RevisionNotFound", "no such revision"),
    ],
)
def test_what_the_hub_refuses_is_named_with_the_remedy(status, code, remedy, tmp_path, monkeypatch):
    class Hub(BaseHTTPRequestHandler):
        def do_HEAD(self):
            self.send_response(status)
            self.send_header("X-Error-Code", code)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_HEAD

        def log_message(self, *arguments):
            pass

    server = HTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    monkeypatch.setattr(constants, "ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setattr(
        constants,
        "HUGGINGFACE_CO_URL_TEMPLATE",
        constants.ENDPOINT + "/{repo_id}/resolve/{revision}/{filename}",
    )
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    try:
        with pytest.raises(UsageError, match=remedy) as error:
            load_checkpoint("tiny/closed", ["ViTModel"])
    finally:
        server.shutdown()
        server.server_close()
        huggingface_hub.close_session()
    assert "\n" not in str(error.value)
