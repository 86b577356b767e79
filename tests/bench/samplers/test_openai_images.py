"""An image API over a real HTTP server that is slow, fails, drops, and answers nonsense."""

import base64
import json
import os
import re
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import numpy as np
import pytest

from bench.cli.main import run
from bench.errors import NotComparableError, UsageError
from bench.remote import addresses, connection
from bench.samplers.openai_images import KEY, OpenAIImages
from bench.store.manifest import read_manifest
from bench.store.run import Run
from prompts.cells import plan as plan_samples
from tests.bench.samplers import api_server as api
from tests.bench.shapes import cells
from tests.bundled import ROOT

SAMPLES = plan_samples(cells(), 2)
PARTS = ["--segmenter", "tests.bench.shapes:ShapeSegmenter", "--scorer", "segmentation"]
GRID = ["--colours", "red,blue", "--subjects", "potato,cup", "--templates", "single,control"]


@pytest.fixture
def server():
    with api.Server() as one:
        yield one


@pytest.fixture(autouse=True)
def _environment(monkeypatch):
    monkeypatch.setenv("BENCH_API_KEY", api.KEY)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch):
    monkeypatch.setattr("openai._base_client.INITIAL_RETRY_DELAY", 0.005)
    monkeypatch.setattr("openai._base_client.MAX_RETRY_DELAY", 0.02)
    for module in ("remote.connection", "samplers.image_api"):
        monkeypatch.setattr(f"bench.{module}.BACKOFF", 0.005)


def model(server, **options) -> OpenAIImages:
    options = {"timeout": 10.0, **options}
    return OpenAIImages("openai-images:painter", base_url=server.url, **options)


def drawn(server, samples=SAMPLES, **options):
    return list(model(server, **options).sample(samples))


def one(server, **options):
    return drawn(server, SAMPLES[1:2], **options)[0]


def test_request_and_picture(server):
    made = one(server, size="32", extra=["quality=high", "n_steps=4"])
    (body,) = server.plan.bodies
    assert body == {
        "model": "painter",
        "prompt": "a red potato",
        "n": 1,
        "size": "32x32",
        "seed": SAMPLES[1].seed & (2**31 - 1),
        "response_format": "b64_json",
        "quality": "high",
        "n_steps": 4,
    }
    (headers,) = server.plan.headers
    assert headers["Authorization"] == f"Bearer {api.KEY}"
    wanted = base64.b64encode(api.png(body["prompt"], body["seed"]))
    assert made.image.shape == (32, 32, 3)
    assert np.array_equal(made.image, transport_decoded(wanted))
    assert made.seconds > 0


def transport_decoded(data):
    from bench.judge.images import as_rgb8

    return as_rgb8(base64.b64decode(data))


def test_images_come_in_order_though_requests_overlap(server):
    server.plan.pause = lambda prompt: 0.3 if "red" in prompt else 0.0
    made = drawn(server, concurrency=4)
    assert [item.sample.id for item in made] == [sample.id for sample in SAMPLES]
    assert server.plan.most == 4
    alone = drawn(server, concurrency=1)
    for two, three in zip(made, alone, strict=True):
        assert np.array_equal(two.image, three.image)


def test_concurrency_is_a_limit(server):
    server.plan.pause = lambda prompt: 0.03
    drawn(server, concurrency=2)
    assert server.plan.most == 2


FAULTS = {
    "429": api.status(429),
    "500": api.status(500),
    "503 html": api.raw(b"<html>busy</html>", 503),
    "529": api.status(529),
    "drop": api.drop,
    "half": api.half,
    "no JSON": api.raw(b"<html>hello</html>"),
    "empty": api.raw(b""),
    "list": api.raw(b"[1, 2]"),
    "no data": api.raw(b'{"data": []}'),
    "null": api.raw(b'{"data": [{"b64_json": null}]}'),
    "no base64": api.raw(b'{"data": [{"b64_json": "!!!"}]}'),
    "no picture": api.raw(
        json.dumps({"data": [{"b64_json": base64.b64encode(b"hello").decode()}]}).encode()
    ),
    "deep": api.raw(b"[" * 100_000),
    "latin-1": api.raw(b"\xff\xfe\x00"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_one_fault_is_tried_again(name, server):
    server.plan.faults = [FAULTS[name]]
    sampler = model(server)
    (made,) = sampler.sample(SAMPLES[1:2])
    assert made.image.std() > 0
    assert made.invalid is None
    assert sampler.usage().counts["retries"] == 1
    assert len(server.plan.bodies) == 2


@pytest.mark.parametrize(
    ("name", "tries", "words"),
    [
        ("500", connection.TRIES, "status 500"),
        ("drop", connection.TRIES, "no answer"),
        ("no JSON", connection.TRIES_OF_NONSENSE, "an answer that is none (JSONDecodeError)"),
        ("no picture", connection.TRIES_OF_NONSENSE, "no picture: 5 bytes"),
    ],
)
def test_a_fault_that_stays_stops_with_one_line(name, tries, words, server):
    server.plan.always = FAULTS[name]
    with pytest.raises(NotComparableError) as caught:
        one(server)
    line = str(caught.value)
    assert words in line
    assert f"failed {tries} times" in line
    assert "'a red potato'" in line
    assert "run the same command again to go on" in line
    assert "\n" not in line
    assert len(server.plan.bodies) == tries


def test_slow_server_is_given_up(server):
    server.plan.faults = [lambda handler, body: time.sleep(0.6)]
    sampler = model(server, timeout=0.3)
    (made,) = sampler.sample(SAMPLES[:1])
    assert made.invalid is None
    assert sampler.usage().counts["retries"] == 1


def test_server_that_drips_is_given_up(server):
    def drip(handler, body):
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        for _ in range(50):
            handler.wfile.write(b" ")
            time.sleep(0.02)

    server.plan.faults = [drip]
    sampler = model(server, timeout=0.3)
    list(sampler.sample(SAMPLES[:1]))
    assert sampler.usage().counts["retries"] == 1


def test_endless_answer_is_cut_off(server, monkeypatch):
    monkeypatch.setattr(connection, "MAX_ANSWER", 1 << 20)

    def endless(handler, body):
        handler.send_response(200)
        handler.end_headers()
        try:
            while True:
                handler.wfile.write(bytes(1 << 16))
        except OSError:
            handler.close_connection = True

    server.plan.always = endless
    with pytest.raises(NotComparableError, match="an answer of more than 1 MB"):
        one(server)


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_retry_after_is_honoured_by_all_threads(form, server):
    moment = format_datetime(datetime.now(UTC) + timedelta(seconds=2.2), usegmt=True)
    said = "0.5" if form == "seconds" else moment
    server.plan.faults = [api.status(429, Retry_After=said)]
    drawn(server, concurrency=2)
    first, *_ = server.plan.times
    held = [moment for moment in server.plan.times[3:] if moment - first < 0.45]
    assert not held
    assert len(server.plan.times) == len(SAMPLES) + 1


def test_server_that_asks_for_an_hour_is_not_waited_for(server):
    server.plan.always = api.status(429, Retry_After="3600")
    with pytest.raises(NotComparableError, match="failed once.*asks to wait 3600 s"):
        one(server)


def test_waits_grow(server, monkeypatch):
    monkeypatch.setattr("openai._base_client.INITIAL_RETRY_DELAY", 0.01)
    monkeypatch.setattr("openai._base_client.MAX_RETRY_DELAY", 0.08)
    server.plan.always = api.status(500)
    with pytest.raises(NotComparableError):
        one(server)
    gaps = np.diff(server.plan.times)
    assert len(gaps) == connection.TRIES - 1
    for number, gap in enumerate(gaps):
        assert gap >= 0.74 * min(0.01 * 2**number, 0.08)


@pytest.mark.parametrize(("rate", "gap"), [("1200/min", 0.05), ("20/s", 0.05), ("1200", 0.05)])
def test_rate_is_kept_whatever_the_concurrency(rate, gap, server):
    sampler = model(server, concurrency=6, rate=rate)
    list(sampler.sample(SAMPLES[:1]))
    list(sampler.sample(SAMPLES[:6]))
    times = sorted(server.plan.times[1:])
    assert times[-1] - times[0] >= 5 * gap - 0.03


@pytest.mark.parametrize("code", [400, 403])
@pytest.mark.parametrize(
    "said",
    [
        {"code": "content_policy_violation", "message": "Your request was rejected"},
        {"code": "moderation_blocked", "message": "no"},
        {"message": "Your request was rejected as a result of our safety system."},
        {"innererror": {"code": "ResponsibleAIPolicyViolation"}, "message": "no"},
        {"message": "This prompt is not allowed by our safety system (seed 3)."},
        {"code": "contentFilter", "param": "prompt", "message": "Unsupported: see the seed"},
    ],
)
def test_refused_prompt_is_an_invalid_image(code, said, server):
    server.plan.faults = [lambda handler, body: api.send(handler, code, {"error": said})]
    sampler = model(server, concurrency=1)
    first, second = sampler.sample(SAMPLES[:2])
    assert first.invalid.startswith("refused: ")
    assert second.invalid is None
    account = sampler.usage().counts
    assert (account["refused"], account["images"], account["retries"]) == (1, 1, 0)


@pytest.mark.parametrize("field", ["seed", "response_format"])
@pytest.mark.parametrize("form", ["openai", "pydantic"])
def test_field_that_the_server_does_not_know_is_left_out(field, form, server):
    def strict(handler, body):
        if field not in body:
            return api.picture(handler, body)
        if form == "openai":
            error = {"message": f"Unknown parameter: '{field}'.", "param": field}
            return api.send(handler, 400, {"error": error})
        return api.send(handler, 422, {"detail": [{"loc": ["body", field], "msg": "extra"}]})

    server.plan.always = strict
    sampler = model(server, concurrency=3)
    made = list(sampler.sample(SAMPLES))
    assert len(made) == len(SAMPLES)
    assert len(server.plan.bodies) <= len(SAMPLES) + 3
    assert list(sampler.usage().remarks) == (
        ["the server takes no seeds: these images cannot be made again"] if field == "seed" else []
    )


@pytest.mark.parametrize(
    "error",
    [
        {"message": "Unknown parameter: 'moderation'.", "param": "moderation"},
        {"message": "Unknown parameter: 'moderation'.", "code": "unknown_parameter"},
        {"message": "Invalid value for moderation: must be low", "param": "moderation"},
        {"message": "Unsupported field content_filter"},
    ],
)
def test_field_that_sounds_like_a_refusal_is_none(error, server):
    server.plan.always = lambda handler, body: api.send(handler, 400, {"error": error})
    with pytest.raises(UsageError, match="answered 400"):
        one(server, extra=["moderation=low"])
    assert len(server.plan.bodies) == 1


def test_refusal_that_speaks_of_a_seed_keeps_the_seeds(server):
    said = {"code": "moderation_blocked", "message": "a seed of hatred is not supported"}
    server.plan.faults = [lambda handler, body: api.send(handler, 400, {"error": said})]
    sampler = model(server, concurrency=1)
    assert [item.invalid is None for item in sampler.sample(SAMPLES[:3])] == [False, True, True]
    assert all("seed" in body for body in server.plan.bodies)


def test_prompts_that_the_server_rewrote_are_told(server):
    server.plan.always = lambda handler, body: api.picture(handler, body, revised_prompt="better")
    sampler = model(server)
    list(sampler.sample(SAMPLES[:3]))
    assert list(sampler.usage().remarks) == ["the server rewrote 3 prompts before it drew them"]


FATAL = {
    "401": (api.status(401, "Incorrect API key provided: " + api.KEY), "refuses the key"),
    "403": (api.status(403, "no access"), "refuses the key"),
    "404": (api.status(404, "no model painter"), "answered 404: no model painter"),
    "400": (api.status(400, "size must be 1024x1024"), "answered 400: size must be"),
    "quota": (api.status(429, "insufficient_quota"), "mend the account"),
    "redirect": (api.redirect("http://127.0.0.1:1/v1"), "redirects"),
}


@pytest.mark.parametrize("name", FATAL)
def test_what_no_retry_mends_stops_at_once(name, server):
    fault, words = FATAL[name]
    server.plan.always = fault
    with pytest.raises(UsageError, match=re.escape(words)) as caught:
        one(server)
    assert len(server.plan.bodies) == 1
    assert api.KEY not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_wrong_size_is_told_and_paid_once(server):
    with pytest.raises(UsageError, match="gave 32 x 32 pixels where --size asks for 64 x 48"):
        one(server, size="64x48")
    assert len(server.plan.bodies) == 1
    assert one(server).image.shape == (32, 32, 3)


def test_picture_by_url_is_fetched_without_the_key(server):
    server.plan.files["/a.png"] = api.png("x", 1)
    server.plan.faults = [api.by_url(f"{server.root}/a.png")]
    made = one(server)
    assert np.array_equal(made.image, transport_decoded(base64.b64encode(api.png("x", 1))))
    (headers,) = server.plan.fetched
    assert "Authorization" not in headers


def test_picture_by_url_after_redirects_and_faults(server):
    faults = [api.status(503), None]

    def shaky(handler, body):
        fault = faults.pop(0)
        fault(handler, body) if fault else api.send(handler, 200, api.png("x", 1), "image/png")

    server.plan.files = {"/a": api.redirect("/b"), "/b": shaky}
    server.plan.faults = [api.by_url(f"{server.root}/a")]
    assert one(server).image.std() > 0
    assert len(server.plan.bodies) == 1, "a picture that is paid for is not drawn again"


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://127.0.0.1/a.png",
        "data:image/png;base64,aGVsbG8=",
        "/relative.png",
        "http:///a.png",
        "gopher://127.0.0.1/",
    ],
)
def test_other_schemes_are_refused(url, server):
    server.plan.always = api.by_url(url)
    with pytest.raises(UsageError, match="is refused: only http and https are fetched"):
        one(server)


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("http://169.254.169.254/latest/meta-data", "link-local"),
        ("http://10.0.0.1/a.png", "private"),
        ("http://[fd00::1]/a.png", "private"),
        ("http://[::ffff:192.168.1.1]/a.png", "private"),
        ("http://0.0.0.0/a.png", "private"),
    ],
)
@pytest.mark.parametrize("redirected", [False, True])
def test_private_address_is_not_fetched(url, kind, redirected, server):
    server.plan.files["/a"] = api.redirect(url)
    server.plan.always = api.by_url(f"{server.root}/a" if redirected else url)
    with pytest.raises(UsageError, match=f"is refused: it is a {kind} address"):
        one(server)


def test_server_elsewhere_has_nothing_fetched_from_this_machine(server):
    for base in ("https://api.openai.com/v1", "https://10.0.0.7/v1"):
        with pytest.raises(UsageError, match="it is a loopback address"):
            addresses.require_public(f"{server.root}/internal", base)
    addresses.require_public("https://93.184.216.34/a.png", "https://api.openai.com/v1")
    assert not server.plan.fetched


def test_redirect_to_another_scheme_is_refused(server):
    server.plan.files["/a"] = api.redirect("file:///etc/passwd")
    server.plan.always = api.by_url(f"{server.root}/a")
    with pytest.raises(UsageError, match="'file:///etc/passwd', which is refused"):
        one(server)


def test_redirect_for_ever_ends(server, monkeypatch):
    monkeypatch.setattr(connection, "TRIES", 2)
    server.plan.files["/a"] = api.redirect("/a")
    server.plan.always = api.by_url(f"{server.root}/a")
    with pytest.raises(NotComparableError, match="redirects for ever"):
        one(server)


def test_cost_and_tokens_are_counted(server):
    server.plan.faults = [api.status(500), api.status(400, "content_policy", "code")]
    sampler = model(server, price=0.04, concurrency=1)
    list(sampler.sample(SAMPLES[:6]))
    assert sampler.usage().counts == {
        "requests": 7,
        "images": 5,
        "refused": 1,
        "retries": 1,
        "revised_prompts": 0,
        "input_tokens": 50,
        "output_tokens": 500,
        "cost": 0.2,
    }


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"base_url": "ftp://host/v1"}, "no http or https URL"),
        ({"base_url": "host/v1"}, "no http or https URL"),
        ({"base_url": "http://user:pass@host/v1"}, "takes scheme, host, port and path only"),
        ({"base_url": "http://host/v1?key=abc"}, "takes scheme, host, port and path only"),
        ({"base_url": "http://host:99999/v1"}, "no URL"),
        ({"base_url": "http://host/v1"}, "allow it with --allow-http"),
        ({"base_url": "http://192.168.0.9/v1"}, "allow it with --allow-http"),
        (
            {"base_url": "http://api.openai.com/v1", "allow_http": True},
            "is not encrypted; expected https://api.openai.com/v1",
        ),
        ({"rate": "fast"}, "--rate 'fast' is no rate"),
        ({"rate": "0/min"}, "is no rate"),
        ({"size": "big"}, "--size 'big' is no size"),
        ({"extra": ["quality"]}, "no KEY=VALUE"),
        ({"extra": ["api_key=abc"]}, "would be stored"),
        ({"extra": ["user=sk-abcdef"]}, "would be stored"),
        ({"extra": ["prompt=abc"]}, "the run itself sets prompt"),
        ({"model": "openai-images:"}, "lacks the model"),
    ],
)
def test_options_that_cannot_be(options, words):
    with pytest.raises(UsageError, match=re.escape(words)) as caught:
        OpenAIImages(**{"model": "m", "base_url": "https://host/v1", **options})
    assert "pass" not in str(caught.value).replace("path", "")


def test_base_url_without_a_path_gets_one():
    sampler = OpenAIImages("m", base_url="http://LOCALHOST:9/")
    assert sampler.info.fingerprint.options["base_url"] == "http://localhost:9/v1"


def test_keys(monkeypatch):
    monkeypatch.delenv("BENCH_API_KEY")
    with pytest.raises(UsageError, match="put it into the environment as BENCH_API_KEY"):
        OpenAIImages("m")
    OpenAIImages("m", base_url="http://localhost:9")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-\nevil")
    with pytest.raises(UsageError, match="OPENAI_API_KEY holds a character") as caught:
        OpenAIImages("m")
    assert "evil" not in str(caught.value)


def test_key_of_openai_goes_to_openai_alone(server, monkeypatch):
    monkeypatch.delenv("BENCH_API_KEY")
    monkeypatch.setenv("OPENAI_API_KEY", api.KEY)
    monkeypatch.setenv("OPENAI_ORG_ID", "org-secret")
    monkeypatch.setenv("OPENAI_ADMIN_KEY", "sk-admin")
    one(server)
    (headers,) = server.plan.headers
    assert "Authorization" not in headers
    assert not any("openai" in name.lower() or "stainless" in name.lower() for name in headers)
    assert api.KEY not in str(headers)
    for name in ("https://api.openai.com/v1", "https://eu.api.openai.com/v1"):
        assert addresses.key_for(name, KEY) == api.KEY
    for name in ("https://openai.com.evil.org/v1", "https://api.openai.com.evil.org/v1"):
        assert addresses.key_for(name, KEY) is None
    OpenAIImages("m", base_url="http://192.168.0.9/v1", allow_http=True)


def arguments(server, *more):
    return [
        *("run", "--model", "openai-images:painter", "--base-url", server.url),
        *(*GRID, *PARTS, "--name", "r", *more),
    ]


def test_whole_run_records_the_account_and_never_the_key(server, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    server.plan.faults = [api.status(500, "your key is " + api.KEY)]
    assert run(arguments(server, "--price", "0.5", "--limit", "5", "--rate", "100/s")) == 0
    assert run(arguments(server, "--price", "0.5", "--concurrency", "2")) == 0
    printed = capfd.readouterr()
    assert "openai-images:painter: 13 requests, 1 retries, 12 images, 0 refused in all; " in (
        printed.err
    )
    assert "cost 6.00" in printed.err
    record = read_manifest(tmp_path / "runs/r")
    assert record.account["cost"] == 6.0
    assert record.account["images"] == 12
    assert record.sampler.options == {"base_url": server.url}
    for path in (tmp_path / "runs").rglob("*"):
        if path.is_file():
            assert api.KEY.encode() not in path.read_bytes()
    assert api.KEY not in printed.out + printed.err


def test_error_repeats_no_key_even_when_debugging(server, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BENCH_DEBUG", "1")
    server.plan.always = api.status(401, f"wrong key {api.KEY}")
    assert run(arguments(server)) == 2
    printed = capfd.readouterr()
    assert "refuses the key" in printed.err
    assert "Traceback" in printed.err
    assert api.KEY not in printed.out + printed.err


def test_finished_images_survive_a_failure(server, tmp_path, monkeypatch, capsys):
    """One prompt is slow and then fails for good; what overtook it is stored."""
    monkeypatch.chdir(tmp_path)

    def fault(handler, body):
        if body["prompt"] == "a potato":
            time.sleep(0.7)
            return api.status(404, "gone")(handler, body)
        return api.picture(handler, body)

    server.plan.always = fault
    assert run(arguments(server, "--concurrency", "3")) == 2
    assert "answered 404: gone" in capsys.readouterr().err
    stored = len(Run(tmp_path / "runs/r").ids("samples"))
    assert stored == sum(server.plan.drawn.values()) == 10
    server.plan.always = None
    assert run(arguments(server)) == 0
    assert server.plan.drawn.total() == 12, "nothing is paid for twice"


def test_ctrl_c_stores_all_that_is_paid_for(server, tmp_path):
    server.plan.pause = lambda prompt: 3.0 if prompt == "a potato" else 0.05
    process = subprocess.Popen(
        [sys.executable, "-m", "bench", *arguments(server, "--seeds", "40", "--concurrency", "3")],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
    )
    while server.plan.drawn.total() < 5:
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 130, err
    assert "waiting for " in err
    stored = len(Run(tmp_path / "runs/r").ids("samples"))
    assert stored == server.plan.drawn.total()
    assert 5 <= stored < 240
    assert f"{stored} images, 0 refused in all" in err
    assert api.KEY not in err


def test_dry_run_costs_nothing(server, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run(arguments(server, "--dry-run", "--price", "0.25")) == 0
    out = capsys.readouterr().out
    assert "12 to make of 12" in out
    assert re.search(r"cost +3\.00", out)
    assert not server.plan.bodies


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--steps", "4"], "has no option 'steps'"),
        (["--devices", "0,1"], "--concurrency does"),
        (["--engine", "ray"], "--concurrency does"),
        (["--price", "-1"], "--price"),
    ],
)
def test_options_of_others_are_refused(more, words, server, capsys):
    assert run(arguments(server, *more)) == 2
    assert words in capsys.readouterr().err


def test_options_of_the_api_are_refused_elsewhere(capsys):
    assert run(["run", "--model", "local", "--rate", "5/min"]) == 2
    assert "has no option 'rate'" in capsys.readouterr().err
