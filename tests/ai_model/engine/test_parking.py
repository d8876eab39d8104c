"""Parked conversations stay within their bytes, oldest use out first."""

from __future__ import annotations

import ctypes
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_model.engine import Started
from ai_model.engine.parking import ParkingLot, State
from tests.ai_model.engine.conftest import MakeEngine, agreement, ask, make_request


def _state(size: int) -> State:
    return (ctypes.c_uint8 * size)()


def _park(lot: ParkingLot, name: str, size: int) -> bool:
    return lot.park(
        conversation=name,
        visitor="v",
        tokens=(1, 2),
        num_bytes=size,
        save=lambda: _state(size),
    )


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 150), st.booleans())))
def test_never_more_than_allowed(uses: list[tuple[str, int, bool]]) -> None:
    lot = ParkingLot(100)
    sizes: dict[str, int] = {}
    for name, size, is_take in uses:
        if is_take:
            parked = lot.take(name)
            assert parked is None or parked.num_bytes == sizes[name]
        elif _park(lot, name, size):
            sizes[name] = size
        assert 0 <= lot.num_bytes <= 100
    for name in "abcdef":
        lot.take(name)
    assert lot.num_bytes == 0
    assert len(lot) == 0


def test_state_that_can_never_fit_is_not_copied() -> None:
    lot = ParkingLot(10)

    def save() -> State:
        pytest.fail("copied before the limit was checked")

    assert not lot.park(conversation="a", visitor="v", tokens=(), num_bytes=11, save=save)


def test_a_smaller_limit_forgets_the_oldest_and_holds() -> None:
    lot = ParkingLot(30)
    for name in "abc":
        _park(lot, name, 10)
    lot.limit(10)
    assert (lot.num_bytes, len(lot)) == (10, 1) and lot.take("c") is not None
    lot.limit(0)
    assert not _park(lot, "d", 10)
    lot.limit(30)
    assert _park(lot, "d", 30)


def test_an_engine_lets_parked_conversations_go_between_two_steps(make_engine: MakeEngine) -> None:
    engine = make_engine(num_instances=1)
    for name in ("one", "two"):
        ask(engine, make_request(engine, name, "a question of some length, so that it is worth it"))
    assert engine.snapshot().parked_bytes
    engine.limit_parking(0)
    deadline = time.monotonic() + 10
    while engine.snapshot().parked_bytes and time.monotonic() < deadline:
        time.sleep(0.005)
    ask(engine, make_request(engine, "three", "a question of some length, so that it is worth it"))
    assert engine.snapshot().parked_bytes == 0
    engine.limit_parking(1 << 20)
    ask(engine, make_request(engine, "four", "a question of some length, so that it is worth it"))
    assert engine.snapshot().parked_bytes > 0
    with pytest.raises(ValueError, match="0 bytes or more"):
        engine.limit_parking(-1)


def test_oldest_goes_first() -> None:
    lot = ParkingLot(30)
    for name in "abc":
        _park(lot, name, 10)
    _park(lot, "d", 15)
    assert lot.take("a") is None
    assert lot.take("b") is None
    assert lot.take("c") is not None


def test_parked_conversation_comes_back_without_reading(make_engine: MakeEngine) -> None:
    engine = make_engine(num_instances=1)
    first = make_request(engine, "1", "hello there", conversation="c", visitor="alice")
    answer = ask(engine, first)
    ask(engine, make_request(engine, "2", "what is a horse", conversation="d", visitor="bob"))
    turns = ("hello there", answer.text, "and more")
    follow_up = make_request(engine, "3", *turns, conversation="c", visitor="alice")
    resumed = ask(engine, follow_up)
    started = resumed.events[0]
    assert isinstance(started, Started)
    assert started.num_cached_tokens >= len(first.prompt.tokens) + 31
    fresh = make_engine(num_instances=1)
    fresh.tokenizer.memo.remember(answer.text, answer.tokens)  # type: ignore[attr-defined]
    expected = ask(fresh, make_request(fresh, "3", *turns, conversation="c", visitor="alice"))
    assert agreement(resumed.tokens, expected.tokens) > 0.1


def test_parked_state_is_for_its_visitor_only(make_engine: MakeEngine) -> None:
    engine = make_engine(num_instances=1)
    ask(engine, make_request(engine, "1", "hello there", conversation="c", visitor="alice"))
    ask(engine, make_request(engine, "2", "what is a horse", conversation="d", visitor="bob"))
    stolen = make_request(engine, "3", "hello there", conversation="c", visitor="eve")
    started = ask(engine, stolen).events[0]
    assert isinstance(started, Started)
    assert started.num_cached_tokens == stolen.prompt.num_system_tokens


def test_nothing_is_parked_without_memory_for_it(make_engine: MakeEngine) -> None:
    engine = make_engine(num_instances=1, parked_bytes=0)
    first = make_request(engine, "1", "hello there", conversation="c", visitor="alice")
    answer = ask(engine, first)
    ask(engine, make_request(engine, "2", "what is a horse", conversation="d", visitor="bob"))
    again = make_request(
        engine, "3", "hello there", answer.text, "more", conversation="c", visitor="alice"
    )
    started = ask(engine, again).events[0]
    assert isinstance(started, Started)
    assert started.num_cached_tokens == first.prompt.num_system_tokens
