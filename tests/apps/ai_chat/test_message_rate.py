"""How often somebody may ask."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from apps.ai_chat import message_rate
from apps.ai_chat.errors import ChatError
from apps.ai_chat.message_rate import MessageRate
from apps.ai_chat.visitor import Visitor, new_load_test_id, visitor_of_id

ANNA, BERT = visitor_of_id("a" * 32), visitor_of_id("b" * 32)


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(settings: Any) -> Clock:
    settings.CORRAL_MESSAGES_PER_MINUTE = 3
    return Clock()


def wait_of(rate: MessageRate, visitor: Visitor) -> float | None:
    with pytest.raises(ChatError) as refused:
        rate.check(visitor)
    assert refused.value.code == "rate_limited"
    return refused.value.retry_after_s


def test_a_minute_has_so_many_and_says_when_there_is_room(clock: Clock) -> None:
    rate = MessageRate(clock)
    for _ in range(3):
        rate.check(ANNA)
        rate.note(ANNA)
        clock.now += 10
    assert wait_of(rate, ANNA) == 30
    rate.check(BERT)
    clock.now += 30
    rate.check(ANNA)
    rate.note(ANNA)
    assert wait_of(rate, ANNA) == 10


def test_an_address_block_has_ten_times_as_many(clock: Clock) -> None:
    rate = MessageRate(clock)
    for n in range(30):
        rate.note(replace(visitor_of_id(f"{n:032}"), host="93.184.216.34"))
    assert wait_of(rate, replace(ANNA, host="93.184.216.99")) == 60
    for host in ("93.184.217.34", "127.0.0.1", ""):
        rate.check(replace(ANNA, host=host))


def test_load_tests_and_owners_who_want_no_limit(clock: Clock, settings: Any) -> None:
    rate = MessageRate(clock)
    simulated = visitor_of_id(new_load_test_id())
    for _ in range(9):
        rate.note(simulated)
    rate.check(simulated)
    settings.CORRAL_MESSAGES_PER_MINUTE = 0
    for _ in range(9):
        rate.note(ANNA)
    rate.check(ANNA)


def test_what_it_remembers_is_bounded(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(message_rate, "MAX_KEYS", 2)
    rate = MessageRate(clock)
    for _ in range(3):
        rate.note(ANNA)
    assert wait_of(rate, ANNA) == 60
    rate.note(BERT)
    rate.note(visitor_of_id("c" * 32))
    rate.check(ANNA)
