"""What a client sends becomes a request or a typed error."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ai_model.engine.request import SamplingParams
from ai_model.pool.priority import Priority
from ai_model.prompt import ChatMessage, Role
from apps.api.openai.completion_request import CompletionRequest, chat_request, text_request
from apps.api.openai.errors import OpenAIError
from apps.api.openai.fields import json_object

USUAL = SamplingParams(temperature=0.7, max_tokens=100)
HELLO = [{"role": "user", "content": "Hello"}]
GENERATION = "6f1c1a52-9a53-4d2e-8f0b-0a1b2c3d4e5f"


def read(**fields: Any) -> CompletionRequest:
    return chat_request({"messages": HELLO} | fields, USUAL)


def test_what_is_absent_is_as_usual() -> None:
    request = read(temperature=None, stream=None, stop=None, n=1, logprobs=False)
    assert request.sampling == USUAL and not request.is_streaming
    assert request.messages == (ChatMessage(Role.USER, "Hello"),)


def test_everything_there_is() -> None:
    sampling = read(
        temperature=0,
        top_p=0.5,
        seed=-1,
        max_tokens=7,
        max_completion_tokens=8,
        stop="x",
        presence_penalty=1,
        frequency_penalty=-1.5,
    ).sampling
    assert (sampling.temperature, sampling.top_p, sampling.seed) == (0, 0.5, 2**32 - 1)
    assert (sampling.max_tokens, sampling.stop) == (8, ("x",))
    assert (sampling.presence_penalty, sampling.frequency_penalty) == (1, -1.5)
    assert read(stream=True, stream_options={"include_usage": True}).includes_usage


def test_parts_and_roles() -> None:
    parts = [{"type": "text", "text": "One"}, {"type": "text", "text": "two"}]
    request = read(
        messages=[{"role": "developer", "content": "Be kind."}, {"role": "user", "content": parts}]
    )
    assert request.messages == (
        ChatMessage(Role.SYSTEM, "Be kind."),
        ChatMessage(Role.USER, "One\ntwo"),
    )


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"messages": []}, "messages"),
        ({"messages": "Hello"}, "messages"),
        ({"messages": [*HELLO, {"role": "assistant", "content": "Hi"}]}, "messages"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "user"}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": "\ud800"}]}, "messages[0].content"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url"}]}]},
            "messages[0].content",
        ),
        ({"temperature": 3}, "temperature"),
        ({"temperature": float("nan")}, "temperature"),
        ({"temperature": True}, "temperature"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"stop": [""]}, "stop"),
        ({"stop": ["x"] * 9}, "stop"),
        ({"stream": "yes"}, "stream"),
        ({"stream_options": 1}, "stream_options"),
        ({"n": 2}, "n"),
        ({"best_of": 2}, "best_of"),
        ({"logprobs": 1}, "logprobs"),
        ({"logprobs": True, "top_logprobs": 6}, "top_logprobs"),
        ({"top_logprobs": 2}, "top_logprobs"),
        ({"tools": [{}]}, "tools"),
        ({"tool_choice": "required"}, "tool_choice"),
        (
            {"messages": [{"role": "assistant", "tool_calls": [{}]}, *HELLO]},
            "messages[0].tool_calls",
        ),
        ({"logit_bias": {"5": 1}}, "logit_bias"),
        ({"grammar": "root ::= x"}, "grammar"),
        ({"json_schema": {}, "guided_json": {"type": "object"}}, "guided_json"),
        ({"response_format": {"type": "json_object"}}, "response_format"),
        ({"response_format": {"type": "json_schema", "json_schema": {}}}, "response_format"),
        ({"response_format": "json"}, "response_format"),
    ],
)
def test_what_cannot_be_names_its_field(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(OpenAIError) as caught:
        read(**fields)
    assert (caught.value.status, caught.value.param) == (400, param)


def test_how_likely_tokens_were() -> None:
    assert read().sampling.num_top_odds is None
    assert read(logprobs=False, top_logprobs=0).sampling.num_top_odds is None
    assert read(logprobs=True).sampling.num_top_odds == 0
    assert read(logprobs=True, top_logprobs=5).sampling.num_top_odds == 5
    asked = text_request({"prompt": "Hello", "logprobs": 3}, USUAL)
    assert asked.sampling.num_top_odds == 3
    for nothing in (None, False):
        asked = text_request({"prompt": "Hello", "logprobs": nothing}, USUAL)
        assert asked.sampling.num_top_odds is None


def test_what_changes_nothing_is_passed_over() -> None:
    """As is what nobody knows, and what is refused when it says nothing."""
    fields = {
        **{"metadata": {"a": "b"}, "store": True, "service_tier": "auto", "of_tomorrow": 1},
        **{"tools": [], "logit_bias": {}, "tool_choice": "auto", "modalities": ["text"]},
        **{"parallel_tool_calls": False, "response_format": {"type": "text"}, "best_of": 1},
    }
    assert read(**fields) == read()


def test_a_refusal_of_grammars_says_what_to_do() -> None:
    with pytest.raises(OpenAIError) as caught:
        read(response_format={"type": "json_schema", "json_schema": {"name": "x"}})
    assert (caught.value.status, caught.value.code) == (400, "unsupported_parameter")
    assert "schema" in caught.value.text


def test_a_follow_up_finds_what_was_read() -> None:
    turns = [*HELLO, {"role": "assistant", "content": "Hi"}, {"role": "user", "content": "Bye"}]
    opening = {"role": "system", "content": "Be kind."}
    first = read(messages=[opening, *HELLO]).for_pool(GENERATION, key_id=1)
    second = read(messages=[opening, *turns]).for_pool(GENERATION, key_id=1)
    other = read(messages=[opening, *turns]).for_pool(GENERATION, key_id=2)
    assert first.conversation == second.conversation != other.conversation
    assert first.visitor == second.visitor != other.visitor
    assert first.priority is Priority.API


def test_users_of_one_key_are_apart() -> None:
    one = read(user="one").for_pool(GENERATION, key_id=1)
    two = read(user="two").for_pool(GENERATION, key_id=1)
    assert one.visitor != two.visitor and one.conversation != two.conversation
    assert "one" not in one.visitor.split(":")[2:]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=6,
)
FIELDS = st.sampled_from(
    [
        *("messages", "prompt", "model", "temperature", "top_p", "seed", "max_tokens", "stop"),
        *("stream", "stream_options", "n", "user", "response_format", "tools", "logprobs"),
        *("top_logprobs", "tool_choice", "modalities", "grammar"),
    ]
)


# Behaviour, not time: the first example waits for whatever is imported by then.
@settings(deadline=None)
@given(st.dictionaries(FIELDS, JSON), st.booleans())
def test_anything_is_a_request_or_a_typed_error(values: dict[str, Any], is_chat: bool) -> None:
    values = ({"messages": HELLO} if is_chat else {"prompt": "Hello"}) | values
    try:
        request = (chat_request if is_chat else text_request)(values, USUAL)
        request.for_pool(GENERATION, key_id=1).to_json()
    except OpenAIError as error:
        assert error.status == 400
        json.dumps(error.body())


@pytest.mark.parametrize("body", [b"", b"[]", b"1", b"{", b"\xff", b"[" * 100_000])
def test_bodies_that_are_no_object(body: bytes) -> None:
    with pytest.raises(OpenAIError) as caught:
        json_object(body)
    assert caught.value.status == 400
