"""Small models of transformers' classes, and a hub of this machine that has them."""

from __future__ import annotations

import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlparse

import huggingface_hub
import pytest
import transformers.utils.hub
from huggingface_hub import constants, hf_api

from reference_models.miniatures.models import make, save

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture(scope="session")
def miniature(tmp_path_factory):
    """Folder of a miniature with random weights, by its name."""
    made = {}

    def folder(name):
        if name not in made:
            made[name] = save(*make(name), tmp_path_factory.mktemp(name))
        return made[name]

    return folder


class _Hub(BaseHTTPRequestHandler):
    """Answers for the folders of ``server.models`` as the hub does."""

    def do_HEAD(self):
        self._answer(body=False)

    def do_GET(self):
        self._answer(body=True)

    def _answer(self, body):
        self.server.asked.append(self.path)
        parts = unquote(urlparse(self.path).path).strip("/").split("/")
        if parts[0] == "api":
            return self._about("/".join(parts[2:4]), parts[4:])
        folder = self.server.models.get("/".join(parts[:2]))
        file = folder / parts[-1] if folder else None
        if file is None or not file.is_file():
            return self._send(404, b"", {"X-Error-Code": "EntryNotFound"})
        content = file.read_bytes()
        tag = hashlib.sha256(content).hexdigest()
        self._send(200, content, {"X-Repo-Commit": COMMIT, "ETag": f'"{tag}"'}, body)
        return None

    def _about(self, name, rest):
        folder = self.server.models.get(name)
        if folder is None:
            return self._send(401, b"", {"X-Error-Code": "RepoNotFound"})
        files = [(path.name, path.stat().st_size) for path in sorted(folder.iterdir())]
        if rest[:1] == ["tree"]:
            found = [{"type": "file", "path": n, "size": s, "oid": n} for n, s in files]
        else:
            found = {
                "id": name,
                "sha": COMMIT,
                "siblings": [{"rfilename": n, "size": s} for n, s in files],
                "cardData": {"license": "apache-2.0"},
            }
        self._send(200, json.dumps(found).encode(), {"Content-Type": "application/json"})
        return None

    def _send(self, status, content, headers, body=True):
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if body and self.command == "GET":
            self.wfile.write(content)

    def log_message(self, *arguments):
        pass


@pytest.fixture
def empty_cache(tmp_path, monkeypatch):
    """A cache of the hub's own with nothing in it; the hub stays switched off."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def hub(empty_cache, monkeypatch):
    """A hub of this machine; its ``models`` are folders by id, ``asked`` the paths of requests."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Hub)
    server.models, server.asked = {}, []
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    endpoint = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setattr(constants, "ENDPOINT", endpoint)
    monkeypatch.setattr(
        constants,
        "HUGGINGFACE_CO_URL_TEMPLATE",
        endpoint + "/{repo_id}/resolve/{revision}/{filename}",
    )
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(hf_api.api, "endpoint", endpoint)
    # transformers keeps one of its own, and would ask the hub of an earlier test for two minutes.
    monkeypatch.setattr(transformers.utils.hub, "_hf_api", None, raising=False)
    yield server
    server.shutdown()
    server.server_close()
    huggingface_hub.close_session()
