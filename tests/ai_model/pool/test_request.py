"""Requests travel unchanged, and wrong ones are refused where they arise."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ai_model.engine.request import SamplingParams
from ai_model.pool.errors import BadFrame
from ai_model.pool.frames import decode, encode
from ai_model.pool.priority import Priority
from ai_model.pool.request import PoolRequest
from ai_model.prompt import ChatMessage, Role
from tests.ai_model.pool.builders import make_request

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=50)


@settings(deadline=None)
@given(
    texts=st.lists(TEXT, min_size=1, max_size=5),
    meta=st.dictionaries(
        st.sampled_from(["message", "conversation", "created_ms"]), TEXT | st.integers(0, 2**50)
    ),
    produced=st.lists(st.integers(0, 32_000), min_size=1, max_size=20),
    produced_text=TEXT,
    stop=st.lists(st.text("abc", min_size=1, max_size=5), max_size=3),
    seed=st.none() | st.integers(0, 2**32 - 1),
    address=TEXT,
    priority=st.sampled_from(Priority),
    is_resumed=st.booleans(),
    request_id=st.sampled_from(["", "7f3a", "a.b:c_d-1"]),
    num_top_odds=st.none() | st.integers(0, 5),
)
def test_round_trip(
    texts: list[str],
    meta: dict[str, Any],
    produced: list[int],
    produced_text: str,
    stop: list[str],
    seed: int | None,
    address: str,
    priority: Priority,
    is_resumed: bool,
    request_id: str,
    num_top_odds: int | None,
) -> None:
    """Through JSON and back."""
    request = make_request(
        messages=tuple(ChatMessage(Role.USER, text) for text in texts),
        meta=meta,
        produced=tuple(produced),
        produced_text=produced_text,
        address=address,
        priority=priority,
        is_resumed=is_resumed,
        request_id=request_id,
        sampling=SamplingParams(
            stop=tuple(stop), seed=seed, max_tokens=7, num_top_odds=num_top_odds
        ),
    )
    frame = decode(encode({"type": "submit", "request": request.to_json()}))
    assert PoolRequest.from_json(frame["request"]) == request


def test_request_of_an_older_client() -> None:
    """Knows neither address nor priority, and is a visitor's."""
    values = make_request().to_json()
    for name in ("address", "priority", "is_resumed", "request_id"):
        del values[name]
    request = PoolRequest.from_json(values)
    assert (request.address, request.priority) == ("", Priority.VISITOR)
    assert not request.is_resumed


def test_what_was_given_is_remembered() -> None:
    """A pool that dies on the way must not take it for what the answer may have."""
    request = make_request(produced_text="given")
    assert request.num_given_chars == 5
    later = replace(request, produced=(1, 2, 3), produced_text="given and more")
    assert later.num_given_chars == 5
    assert PoolRequest.from_json(later.to_json()) == later
    assert make_request(produced=(1,), produced_text="x").num_given_chars == 0


@pytest.mark.parametrize(
    "change",
    [
        {"generation": "x"},
        {"generation": "0" * 32},
        {"conversation": ""},
        {"visitor": "v" * 129},
        {"visitor": "\ud800"},
        {"address": "a" * 129},
        {"address": "\ud800"},
        {"priority": "visitor"},
        {"request_id": "two words"},
        {"request_id": "x" * 65},
        {"messages": ()},
        {"messages": (ChatMessage(Role.ASSISTANT, "x"),)},
        {"messages": (ChatMessage(Role.USER, "\udfff"),)},
        {"num_given_chars": -1, "produced": (1,)},
        {"meta": {"seq": 1}},
        {"meta": {"a": "x" * 257}},
        {"meta": {"a": float("nan")}},
        {"meta": {"a": ["list"]}},
        {"meta": {str(n): 1 for n in range(17)}},
    ],
)
def test_wrong_values(change: dict[str, Any]) -> None:
    """Raise ValueError at the sender."""
    with pytest.raises(ValueError):
        make_request(**change)


@pytest.mark.parametrize(
    "change",
    [
        {"generation": 1},
        {"messages": [["nobody", "x"]]},
        {"messages": [["user"]]},
        {"messages": [["user", 1]]},
        {"messages": "user"},
        {"sampling": {"temperature": 99}},
        {"sampling": {"stop": [1]}},
        {"sampling": {"stop": [""]}},
        {"produced": [-1]},
        {"produced": [True]},
        {"produced": [1.0]},
        {"num_given_chars": -1},
        {"num_given_chars": 10_000_000},
        {"meta": []},
        {"address": 1},
        {"address": None},
        {"request_id": 1},
        {"request_id": "two words"},
        {"priority": "king"},
        {"priority": None},
        {"is_resumed": 1},
    ],
)
def test_wrong_json(change: dict[str, Any]) -> None:
    """Raises BadFrame at the pool."""
    with pytest.raises(BadFrame):
        PoolRequest.from_json(make_request().to_json() | change)
