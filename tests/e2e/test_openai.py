"""OpenAI's own client, unmodified, against a real server."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from typing import Any

import openai
import pytest
from openai import OpenAI

from tests.live import LiveServer, live_server_process

pytestmark = [pytest.mark.e2e, pytest.mark.stores, pytest.mark.timeout(240)]
QUESTION = [{"role": "user", "content": "What is Corral?"}]


@pytest.fixture(scope="module")
def server() -> Iterator[LiveServer]:
    with live_server_process(max_tok_s=25) as server:
        server.wait_until_answering()
        yield server


@pytest.fixture(scope="module")
def key(server: LiveServer) -> str:
    done = server.manage("apikey", "create", "tests")
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture
def client(server: LiveServer, key: str) -> Iterator[OpenAI]:
    with OpenAI(base_url=f"{server.url}/v1", api_key=key, max_retries=0, timeout=30) as client:
        yield client


def num_running(server: LiveServer) -> int:
    return json.loads(server.get("/pool/?format=json")[1])["in_use"]


def wait_until_running(server: LiveServer, number: int) -> None:
    """The page shows what the pool said a second ago at most."""
    deadline = time.monotonic() + 10
    while num_running(server) != number:
        assert time.monotonic() < deadline, f"not {number} running"
        time.sleep(0.05)


def test_a_whole_answer(client: OpenAI) -> None:
    name = client.models.list().data[0].id
    answer = client.chat.completions.create(model=name, messages=QUESTION, temperature=0, seed=1)
    choice = answer.choices[0]
    assert choice.finish_reason == "stop" and choice.message.role == "assistant"
    assert "assistant" in choice.message.content
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens
    assert answer.model == name and answer.timings["predicted_n"] == answer.usage.completion_tokens


def test_the_same_as_a_stream(client: OpenAI) -> None:
    asked = {"model": "corral", "messages": QUESTION, "temperature": 0, "seed": 1}
    whole = client.chat.completions.create(**asked)
    stream = client.chat.completions.create(
        **asked, stream=True, stream_options={"include_usage": True}
    )
    chunks = list(stream)
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == whole.choices[0].message.content
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "stop"
    assert chunks[-1].choices == []
    assert chunks[-1].usage.completion_tokens == whole.usage.completion_tokens
    # The second time the prompt was known already.
    assert chunks[-1].usage.prompt_tokens_details.cached_tokens > 0


def test_a_text(client: OpenAI) -> None:
    answer = client.completions.create(model="corral", prompt="Hello", max_tokens=4, temperature=0)
    assert answer.usage.completion_tokens <= 4 and answer.choices[0].text
    assert answer.choices[0].finish_reason == "length"


def test_stop_and_limit(client: OpenAI) -> None:
    asked = {"model": "corral", "messages": QUESTION, "temperature": 0}
    words = client.chat.completions.create(**asked).choices[0].message.content.split()
    cut = client.chat.completions.create(**asked, stop=[words[3]])
    assert words[3] not in cut.choices[0].message.content
    assert cut.choices[0].finish_reason == "stop"


def test_wrong_key(server: LiveServer) -> None:
    with (
        OpenAI(base_url=f"{server.url}/v1", api_key="corral_no", max_retries=0) as client,
        pytest.raises(openai.AuthenticationError) as caught,
    ):
        client.models.list()
    assert caught.value.code == "invalid_api_key"


def test_another_model(client: OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as caught:
        client.chat.completions.create(model="gpt-4o", messages=QUESTION)
    assert caught.value.code == "model_not_found"


def test_too_long_a_conversation(client: OpenAI, server: LiveServer) -> None:
    turns = [
        {"role": role, "content": "many words about nothing " * 40}
        for _ in range(10)
        for role in ("user", "assistant")
    ]
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(model="corral", messages=[*turns, *QUESTION])
    assert caught.value.code == "context_length_exceeded"
    wait_until_running(server, 0)


def test_a_stream_that_is_left_frees_its_instance(client: OpenAI, server: LiveServer) -> None:
    story = [{"role": "user", "content": "Tell me a story"}]
    with client.chat.completions.create(model="corral", messages=story, stream=True) as stream:
        next(iter(stream))
        wait_until_running(server, 1)
    wait_until_running(server, 0)


def test_a_client_that_goes_away_frees_its_instance(server: LiveServer, key: str) -> None:
    """Without streaming: nothing was sent yet when it goes."""
    body = {"messages": [{"role": "user", "content": "Tell me a story"}]}
    asking = subprocess.Popen(
        [
            *("curl", "-s", "-m", "30", "-H", f"Authorization: Bearer {key}"),
            *("-d", json.dumps(body), f"{server.url}/v1/chat/completions"),
        ],
        stdout=subprocess.DEVNULL,
    )
    try:
        wait_until_running(server, 1)
    finally:
        asking.kill()
        asking.wait()
    wait_until_running(server, 0)


def test_a_client_that_waits_in_line_and_goes_away_leaves_it(
    server: LiveServer, client: OpenAI, key: str
) -> None:
    """Programs may hold half of the places; whoever gives up waiting holds none."""
    story = json.dumps({"messages": [{"role": "user", "content": "Tell me a story"}]})
    curl = ["curl", "-s", "-m", "60", "-H", f"Authorization: Bearer {key}", "-d", story]
    asking = [
        subprocess.Popen([*curl, f"{server.url}/v1/chat/completions"], stdout=subprocess.DEVNULL)
        for _ in range(4)
    ]
    try:
        deadline = time.monotonic() + 30
        while not json.loads(server.get("/pool/?format=json")[1])["waiting"]:
            assert time.monotonic() < deadline, "nobody waits"
            time.sleep(0.05)
    finally:
        for process in asking:
            process.kill()
            process.wait()
    deadline = time.monotonic() + 10
    while (pool := json.loads(server.get("/pool/?format=json")[1]))["waiting"] or pool["in_use"]:
        assert time.monotonic() < deadline, pool
        time.sleep(0.05)
    # And its place under the key's own limit is free again.
    answer = client.chat.completions.create(model="corral", messages=QUESTION, max_tokens=2)
    assert answer.usage.completion_tokens == 2


def test_every_response_has_its_id(client: OpenAI) -> None:
    raw = client.chat.completions.with_raw_response
    asked = {"model": "corral", "messages": QUESTION, "max_tokens": 1}
    given = raw.create(**asked, extra_headers={"X-Request-ID": "shop-17"})
    assert given.headers["x-request-id"] == "shop-17"
    assert client.chat.completions.create(**asked)._request_id
    with pytest.raises(openai.NotFoundError) as caught:
        client.models.retrieve("gpt-4o")
    assert caught.value.request_id


def test_what_is_too_big_is_refused(server: LiveServer, key: str) -> None:
    """By its announced length, and in pieces whose length nobody has announced."""
    body = json.dumps({"messages": [{"role": "user", "content": "x" * 200_000}]}).encode()
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    for content in (body, iter([body[:100_000], body[100_000:]])):
        with closing(HTTPConnection("127.0.0.1", server.port, timeout=20)) as line:
            line.request("POST", "/v1/chat/completions", content, headers)
            answer = line.getresponse()
            error = json.load(answer)["error"]
        assert (answer.status, error["code"]) == (413, "request_too_large")


@pytest.mark.parametrize(
    "asked",
    [
        {"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": {}}}},
        {"tools": [{"type": "function", "function": {"name": "f"}}]},
        {"n": 2},
        {"extra_body": {"grammar": "root ::= 'x'"}},
    ],
)
def test_what_cannot_be_is_a_bad_request(client: OpenAI, asked: dict[str, Any]) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(model="corral", messages=QUESTION, **asked)
    assert caught.value.code == "unsupported_parameter"
    assert caught.value.param == next(iter(asked.get("extra_body", asked)))


def test_a_pause_says_when_to_come_back(client: OpenAI, server: LiveServer) -> None:
    server.manage("pool", "pause", "Back at noon.")
    try:
        with pytest.raises(openai.InternalServerError) as caught:
            client.chat.completions.create(model="corral", messages=QUESTION)
        assert caught.value.status_code == 503 and "Back at noon." in str(caught.value)
        assert int(caught.value.response.headers["retry-after"]) >= 1
    finally:
        server.manage("pool", "resume")


def test_a_key_is_held_to_its_limits(server: LiveServer) -> None:
    made = server.manage("apikey", "create", "small", "--requests-per-minute", "1")
    asked = {"model": "corral", "messages": QUESTION, "max_tokens": 2}
    url = f"{server.url}/v1"
    with OpenAI(base_url=url, api_key=made.stdout.strip(), max_retries=0) as client:
        raw = client.chat.completions.with_raw_response
        answers = []
        with pytest.raises(openai.RateLimitError) as caught:
            # A minute may begin between two of them.
            for _ in range(3):
                answers.append(raw.create(**asked))
    assert answers[0].headers["x-ratelimit-remaining-requests"] == "0"
    assert caught.value.code == "rate_limit_exceeded"
    assert caught.value.response.headers["x-ratelimit-remaining-requests"] == "0"
    assert 1 <= int(caught.value.response.headers["retry-after"]) <= 60
