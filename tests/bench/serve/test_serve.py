"""The judge behind a real server on this machine."""

from __future__ import annotations

import base64
import io
import json
import math
import socket
import threading
import time
import urllib.error
import urllib.request
from contextlib import contextmanager

import numpy as np
import pytest
import uvicorn
from PIL import Image

from bench.api import ImageJudge
from bench.certificate.scenes import known_answers
from bench.cli.main import run as bench
from bench.serve.app import Limits, application
from examples.reward_client import ask, binding_reward

TOKEN = "0123456789abcdef"


@pytest.fixture(scope="module")
def judge():
    return ImageJudge("auto", ("segmentation",), None, "cpu", None, ())


@contextmanager
def served(rows, limits=None, token=None, host="127.0.0.1"):
    """A server in a thread; yields its address."""
    app = application(rows, {"segmenter": "auto"}, limits, token, host)
    with socket.socket() as listener:
        listener.bind((host, 0))
        server = uvicorn.Server(uvicorn.Config(app, log_level="critical"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            while not server.started:
                time.sleep(0.005)
            yield f"http://{host}:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture(scope="module")
def url(judge):
    with served(judge.rows) as address:
        yield address


def png(image):
    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


def post(address, body, kind="application/json", **headers):
    """Status and JSON of an answer."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    sent = {"Content-Type": kind, **headers}
    request = urllib.request.Request(f"{address}/score", data, sent)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            text = error.read()
            return error.code, json.loads(text) if text[:1] == b"{" else {}


def get(address, path, **headers):
    request = urllib.request.Request(f"{address}{path}", headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def test_known_scenes_get_their_verdicts_and_scores(url):
    known = [a for a in known_answers(60, seed=5) if len(a.verdicts) == 1]
    known = [a for a in known if a.verdicts[0] in ("bound", "wrong", "prior", "neighbour")][:16]
    items = [
        {"image": png(a.generation.image), "prompt": a.generation.sample.cell.text} for a in known
    ]
    status, answer = post(url, {"items": items})
    assert status == 200
    results = answer["results"]
    assert len(results) == len(items)
    right = [r["verdict"] == a.verdicts[0] for r, a in zip(results, known, strict=True)]
    assert np.mean(right) > 0.9
    for one in results:
        assert one["score"] == (1.0 if one["verdict"] == "bound" else 0.0)
        assert 0 <= one["soft_score"] <= 1
        assert one["reason"]
    bound = [r["soft_score"] for r in results if r["verdict"] == "bound"]
    others = [r["soft_score"] for r in results if r["verdict"] != "bound"]
    assert min(bound) > max(others)


def test_one_bad_item_is_null_and_the_others_are_judged(url):
    good = next(a for a in known_answers(30, seed=5) if a.verdicts == ("bound",))
    image, prompt = png(good.generation.image), good.generation.sample.cell.text
    items = [
        {"image": image, "prompt": prompt},
        {"image": base64.b64encode(b"no picture").decode(), "prompt": prompt},
        {"image": "!!!", "prompt": prompt},
        {"prompt": prompt},
        {"image": image, "prompt": "a potato"},
        {"image": image, "prompt": 7},
        "nothing",
        {"image": f"data:image/png;base64,{image}", "prompt": prompt},
    ]
    status, answer = post(url, {"items": items})
    assert status == 200
    scores = [one["score"] for one in answer["results"]]
    assert scores == [1.0, None, None, None, None, None, None, 1.0]
    assert answer["results"][1]["verdict"] == "invalid"
    assert all(one["reason"] for one in answer["results"])
    assert "no colour" in answer["results"][4]["reason"]


def test_a_judge_that_breaks_over_one_picture_judges_the_rest():
    def rows(images, prompts):
        if "boom" in prompts:
            raise RuntimeError("out of memory")
        for number in range(len(prompts)):
            yield {
                "image": number, "verdict": "bound", "words": "w", "colour": "blue",
                "subject": "cup", "bind": 0.9, "leak_neighbour": math.nan, "leak_background": 0.1,
            }  # fmt: skip

    image = png(np.zeros((8, 8, 3), np.uint8))
    with served(rows) as address:
        items = [{"image": image, "prompt": text} for text in ("a", "boom", "b")]
        _, answer = post(address, {"items": items})
    assert [one["score"] for one in answer["results"]] == [1.0, None, 1.0]
    assert answer["results"][0]["soft_score"] == pytest.approx(0.8)
    assert "out of memory" in answer["results"][1]["reason"]


def test_requests_at_once_are_judged_together():
    sizes = []

    def rows(images, prompts):
        sizes.append(len(images))
        time.sleep(0.05)
        for number, prompt in enumerate(prompts):
            yield {"image": number, "verdict": None, "words": prompt}

    image = png(np.zeros((8, 8, 3), np.uint8))
    answers = {}
    with served(rows, Limits(batch=16)) as address:

        def client(name):
            items = [{"image": image, "prompt": f"{name}-{n}"} for n in range(3)]
            answers[name] = post(address, {"items": items})[1]["results"]

        threads = [threading.Thread(target=client, args=(name,)) for name in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    for name, results in answers.items():
        assert [one["reason"] for one in results] == [f"{name}-{n}" for n in range(3)]
    assert sum(sizes) == 24
    assert 3 < max(sizes) <= 16


def test_limits_on_items_size_time_and_room():
    gate = threading.Event()

    def rows(images, prompts):
        gate.wait(10)
        for number in range(len(prompts)):
            yield {"image": number, "verdict": None, "words": "late"}

    item = {"image": png(np.zeros((8, 8, 3), np.uint8)), "prompt": "a blue cup"}
    limits = Limits(items=3, megabytes=1, seconds=0.2, waiting=4)
    with served(rows, limits) as address:
        assert post(address, {"items": [item] * 4})[0] == 413
        assert post(address, b"x" * (1 << 20 | 1))[0] == 413
        status, answer = post(address, {"items": [item] * 2})
        assert status == 200
        assert {one["reason"] for one in answer["results"]} == {"not judged within 0.2 s"}
        assert {one["score"] for one in answer["results"]} == {None}
        # What was given up is not waited for, and there is room again after the one in hand.
        codes = [post(address, {"items": [item] * 3})[0] for _ in range(3)]
        assert codes[0] == 200
        assert 503 in codes
        gate.set()


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"items": []}', b'{"items": 3}'])
def test_a_body_that_is_none_is_refused_with_the_form(url, body):
    status, answer = post(url, body)
    assert status == 422
    assert '"items"' in answer["detail"]


def test_a_page_elsewhere_cannot_ask(url):
    item = {"image": "", "prompt": "a"}
    # A page may send text without asking first, and may have a name of its own for this machine.
    assert post(url, {"items": [item]}, kind="text/plain")[0] == 415
    assert post(url, {"items": [item]}, Host="evil.example.org")[0] == 400


def test_health_tells_and_the_token_is_asked_for(judge, url):
    status, told = get(url, "/health")
    assert (status, told["status"], told["segmenter"], told["waiting"]) == (200, "ok", "auto", 0)
    item = {"image": "", "prompt": "a"}
    with served(judge.rows, token=TOKEN) as address:
        assert get(address, "/health") == (200, {"status": "ok"})
        assert post(address, {"items": [item]})[0] == 401
        assert post(address, {"items": [item]}, Authorization="Bearer wrong")[0] == 401
        right = {"Authorization": f"Bearer {TOKEN}"}
        assert post(address, {"items": [item]}, **right)[0] == 200
        assert get(address, "/health", **right)[1]["segmenter"] == "auto"


@pytest.mark.parametrize(
    ("token", "host", "message"),
    [
        ("", "0.0.0.0", "put a token"),
        ("short", "127.0.0.1", "expected 16 or more"),
    ],
)
def test_what_cannot_be_served_is_one_line(token, host, message, monkeypatch, capsys):
    monkeypatch.setenv("BENCH_SERVE_TOKEN", token)
    assert bench(["serve", "--host", host, "--port", "0"]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_another_name_of_this_machine_is_its_own():
    with served(lambda images, prompts: iter(()), host="127.0.0.2") as address:
        assert get(address, "/health")[0] == 200
        assert get(address, "/health", Host="evil.example")[0] == 400


def test_a_device_that_is_not_there_is_one_line(capsys):
    assert bench(["serve", "--device", "cuda:99", "--port", "0"]) == 2
    assert "device 'cuda:99' cannot be used" in capsys.readouterr().err


def test_a_port_that_is_taken_is_one_line(url, capsys):
    port = url.rpartition(":")[2]
    assert bench(["serve", "--port", port]) == 2
    assert f"--port {port} cannot be used" in capsys.readouterr().err


def test_the_client_of_a_trainer(url):
    import torch

    answers = [a for a in known_answers(60, seed=5) if a.verdicts in (("bound",), ("wrong",))][:6]
    stack = np.stack([a.generation.image for a in answers])
    prompts = [a.generation.sample.cell.text for a in answers]
    prompts[-1] = "a potato"
    tensor = torch.from_numpy(stack).permute(0, 3, 1, 2).float() / 255
    hard, told = binding_reward(url, soft=False)(tensor, prompts, {})
    soft, _ = binding_reward(url)(list(stack), prompts, {})
    assert math.isnan(hard[-1])
    assert math.isnan(soft[-1])
    for value, answer in zip(hard[:-1], answers, strict=False):
        assert value == (1.0 if answer.verdicts == ("bound",) else 0.0)
    assert len(told["reasons"]) == len(hard)
    assert ask(url, [{"image": png(stack[0]), "prompt": prompts[0]}], 60)[0]["verdict"]
