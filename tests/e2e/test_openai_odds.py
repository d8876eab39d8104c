"""How likely the tokens of an answer were, as OpenAI's own client reads it."""

from __future__ import annotations

import math
import os
import signal
from collections.abc import Iterator

import pytest
from openai import OpenAI
from openai.types.chat.chat_completion_token_logprob import ChatCompletionTokenLogprob

from tests.live import LiveServer, live_server_process

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]
ASKED = {
    "model": "corral",
    "messages": [{"role": "user", "content": "What is Corral?"}],
    "temperature": 0,
    "seed": 1,
}


@pytest.fixture(scope="module")
def server() -> Iterator[LiveServer]:
    with live_server_process(max_tok_s=25, wait_for_model=True) as server:
        yield server


@pytest.fixture(scope="module")
def client(server: LiveServer) -> Iterator[OpenAI]:
    made = server.manage("apikey", "create", "odds", "--max-running", "0")
    assert made.returncode == 0, made.stderr
    key = made.stdout.strip()
    with OpenAI(base_url=f"{server.url}/v1", api_key=key, max_retries=0, timeout=30) as client:
        yield client


def text_of(entries: list[ChatCompletionTokenLogprob]) -> str:
    return b"".join(bytes(entry.bytes or []) for entry in entries).decode()


def test_a_whole_answer(client: OpenAI) -> None:
    answer = client.chat.completions.create(**ASKED, logprobs=True, top_logprobs=3)
    choice = answer.choices[0]
    entries = choice.logprobs.content
    assert text_of(entries).strip() == choice.message.content
    assert len(entries) == answer.usage.completion_tokens
    for entry in entries:
        assert len(entry.top_logprobs) == 3
        assert sum(math.exp(other.logprob) for other in entry.top_logprobs) < 1.0001
        # Nothing but the likeliest is taken at temperature 0, unless it was said before.
        assert entry.logprob <= entry.top_logprobs[0].logprob <= 0


def test_the_same_as_a_stream(client: OpenAI) -> None:
    whole = client.chat.completions.create(**ASKED, logprobs=True)
    chunks = list(client.chat.completions.create(**ASKED, logprobs=True, stream=True))
    told: list[ChatCompletionTokenLogprob] = []
    shown = ""
    for chunk in chunks:
        choice = chunk.choices[0]
        if choice.logprobs is not None:
            told += choice.logprobs.content or []
        shown += choice.delta.content or ""
        # No token comes later than the text it begins.
        assert text_of(told).strip().startswith(shown.strip())
    assert shown == whole.choices[0].message.content
    assert [entry.token for entry in told] == [
        entry.token for entry in whole.choices[0].logprobs.content
    ]
    expected = [entry.logprob for entry in whole.choices[0].logprobs.content]
    assert [entry.logprob for entry in told] == pytest.approx(expected, abs=0.1)


def test_a_stop_text_is_not_told(client: OpenAI) -> None:
    words = client.chat.completions.create(**ASKED).choices[0].message.content.split()
    stop = [f" {words[3]}"]
    cut = client.chat.completions.create(**ASKED, logprobs=True, stop=stop).choices[0]
    assert words[3] not in text_of(cut.logprobs.content)
    assert text_of(cut.logprobs.content).strip() == cut.message.content.strip()


def test_a_text(client: OpenAI) -> None:
    asked = {"model": "corral", "prompt": "Hello", "max_tokens": 4, "temperature": 0}
    choice = client.completions.create(**asked, logprobs=2).choices[0]
    odds = choice.logprobs
    assert len(odds.tokens) == len(odds.token_logprobs) == len(odds.text_offset) == 4
    assert all(1 <= len(top) <= 2 for top in odds.top_logprobs)
    assert "".join(odds.tokens).strip() == choice.text.strip() and odds.text_offset[0] == 0
    assert client.completions.create(**asked).choices[0].logprobs is None


def test_each_token_once_although_its_pool_died(client: OpenAI, server: LiveServer) -> None:
    """What the dead pool told is kept, and the next one goes on behind it."""
    told: list[ChatCompletionTokenLogprob] = []
    shown = ""
    has_died = False
    with client.chat.completions.create(**ASKED, logprobs=True, stream=True) as stream:
        for chunk in stream:
            choice = chunk.choices[0]
            shown += choice.delta.content or ""
            if choice.logprobs is not None:
                told += choice.logprobs.content or []
            if not has_died and len(told) >= 4:
                os.kill(server.pool_pid(), signal.SIGKILL)
                has_died = True
    assert has_died
    assert text_of(told).strip() == shown.strip()
    assert shown == client.chat.completions.create(**ASKED).choices[0].message.content
