"""A chat endpoint with log-probabilities: a real server, which looks at the pixels."""

from __future__ import annotations

import math

import numpy as np
import pytest

from bench.certificate.scenes import known_answers
from bench.errors import NotComparableError, UsageError
from bench.judge.vqa.chat import ALTERNATIVES, ChatVlm
from bench.run.components import build_scorers
from tests.bench.judge.vqa.chat_server import Chat, choice, send

KEY = "sk-secret-0123456789"


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch):
    monkeypatch.setattr("openai._base_client.INITIAL_RETRY_DELAY", 0.005)
    monkeypatch.setattr("openai._base_client.MAX_RETRY_DELAY", 0.02)


@pytest.fixture
def chat():
    with Chat() as server:
        yield server


def picture(share):
    """A gray picture with a share of blue."""
    image = np.full((20, 20, 3), 128, np.uint8)
    image[: round(20 * share)] = (20, 40, 220)
    return image


def answers(one):
    return {"id": "x", "object": "chat.completion", "created": 1, "model": "m", "choices": [one]}


def gives(one):
    return lambda handler: send(handler, 200, answers(one))


def refuses(status, **error):
    return lambda handler: send(handler, status, {"error": error})


def test_each_question_gets_the_answer_on_its_own_picture(chat):
    vlm = ChatVlm("judge", chat.url, concurrency=4)
    shares = [0.0, 1.0, 0.5, 0.25, 0.75, 0.1, 0.9, 0.35]
    found = vlm.chances([picture(share) for share in shares], ["Is it blue?"] * 8)
    expected = [0.05 + 0.9 * share for share in shares]
    assert [value for value, _ in found] == pytest.approx(expected)
    assert 1 < chat.most <= 4


def test_the_request_is_of_one_token_with_its_alternatives(chat):
    ChatVlm("judge", chat.url).chances([picture(0.5)], ["Is the potato blue?"])
    (body,) = chat.bodies
    assert (body["model"], body["max_tokens"], body["temperature"]) == ("judge", 1, 0.0)
    assert (body["logprobs"], body["top_logprobs"]) == (True, ALTERNATIVES)
    text = body["messages"][0]["content"][1]["text"]
    assert text == "Is the potato blue? Answer in one word."


def test_a_server_that_stumbles_is_asked_again(chat):
    chat.faults += [refuses(503, message="later"), refuses(429, message="later")]
    ((value, _),) = ChatVlm("judge", chat.url).chances([picture(1.0)], ["Is it blue?"])
    assert value == pytest.approx(0.95)
    assert len(chat.bodies) == 3


def test_a_server_that_is_not_there_is_one_line():
    with Chat() as gone:
        url = gone.url
    with pytest.raises(NotComparableError, match=r"no answer.*run the same command again") as error:
        ChatVlm("judge", url).chances([picture(1.0)], ["Is it blue?"])
    assert "\n" not in str(error.value)


def test_what_is_refused_for_good_is_told_before_the_others_are_tried_to_the_end(chat):
    """One question is refused at once, while the server stumbles over another one."""
    chat.faults += [refuses(401, message="no")]
    chat.faults += [refuses(503, message="later")] * 40
    vlm = ChatVlm("judge", chat.url, concurrency=2)
    with pytest.raises(UsageError):
        vlm.chances([picture(1.0)] * 8, ["Is it blue?"] * 8)
    assert len(chat.bodies) < 8
    chat.faults.clear()
    ((value, _),) = vlm.chances([picture(1.0)], ["Is it blue?"])
    assert value == pytest.approx(0.95)


def test_the_key_is_sent_and_never_shown(chat, monkeypatch):
    monkeypatch.setenv("BENCH_VQA_KEY", KEY)
    chat.faults.append(refuses(401, message=f"bad key {KEY}"))
    with pytest.raises(UsageError, match="BENCH_VQA_KEY") as error:
        ChatVlm("judge", chat.url).chances([picture(1.0)], ["Is it blue?"])
    assert KEY not in str(error.value)
    assert chat.headers[0]["Authorization"] == f"Bearer {KEY}"


def test_a_picture_that_the_server_refuses_has_a_reason_and_no_number(chat):
    chat.faults.append(refuses(400, message="x", code="content_policy_violation"))
    ((value, reason),) = ChatVlm("judge", chat.url).chances([picture(1.0)], ["Is it blue?"])
    assert math.isnan(value)
    assert "refuses" in reason


def test_an_unknown_model_is_one_line(chat):
    chat.faults.append(refuses(404, message="The model `judge` does not exist."))
    with pytest.raises(UsageError, match=r"answered 404: The model `judge` does not exist"):
        ChatVlm("judge", chat.url).chances([picture(1.0)], ["Is it blue?"])


def test_a_server_without_log_probabilities_is_refused_with_the_remedy(chat):
    bare = {**choice(Yes=0.9), "logprobs": None}
    chat.faults.append(gives(bare))
    with pytest.raises(UsageError, match=r"no log-probabilities.*vLLM"):
        ChatVlm("judge", chat.url).chances([picture(1.0)], ["Is it blue?"])


def test_no_yes_among_likely_alternatives_is_no_zero(chat):
    others = {f"w{n}": 0.04 for n in range(ALTERNATIVES - 1)}
    chat.faults += [gives(choice(No=0.2, **others)), gives(choice(No=0.999, Well=1e-5))]
    vlm = ChatVlm("judge", chat.url, concurrency=1)
    (value, reason), (zero, none) = vlm.chances([picture(0.0)] * 2, ["Is it blue?"] * 2)
    assert math.isnan(value)
    assert "others are likely" in reason
    assert (zero, none) == (0.0, "")


def test_plain_http_to_another_machine_has_to_be_allowed():
    with pytest.raises(UsageError, match=r"--vqa-url .* --vqa-allow-http"):
        ChatVlm("judge", "http://gpu.example.org:8000/v1")
    ChatVlm("judge", "http://gpu.example.org:8000/v1", allow_http=True)


def test_openai_itself_needs_a_key(monkeypatch):
    for name in ("BENCH_VQA_KEY", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(UsageError, match=r"no key.*BENCH_VQA_KEY.*--vqa-url"):
        ChatVlm("judge")


def test_the_known_scenes_end_to_end(chat):
    offered = {"vqa_url": chat.url, "vqa_concurrency": 8}
    (scorer,) = build_scorers(["vqa-api:org/judge"], offered).values()
    known = known_answers(12, seed=3)
    scores = scorer.score([a.generation for a in known], [a.regions for a in known])
    assert len(scores) == 3 * sum(len(a.verdicts) for a in known)
    assert all(math.isnan(one.value) == bool(one.reason) for one in scores)
    # Each text is asked once of a picture, whatever it is asked for.
    asked = [str(body["messages"]) for body in chat.bodies]
    assert len(asked) == len(set(asked))
    # Of the server nothing but the model's name is kept.
    assert "127.0.0.1" not in repr(scorer.fingerprint)
    assert scorer.fingerprint.options["model"] == "org/judge"


def test_without_a_model_it_says_so():
    with pytest.raises(UsageError, match="lacks the model"):
        build_scorers(["vqa-api"], {})
