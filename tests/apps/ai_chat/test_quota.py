"""What a question takes of the limits, and what comes back of it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from django.core.cache import caches
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from apps.ai_chat import quota
from apps.ai_chat.errors import ChatError
from apps.ai_chat.quota import Share, settle_at_end, take_share
from apps.ai_chat.visitor import (
    Visitor,
    new_load_test_id,
    visitor_of_id,
    visitor_of_key,
    visitor_of_widget,
    visitor_of_widget_user,
)
from apps.ai_pool.limits import claim
from apps.ai_pool.limits.allowance import OverLimit
from apps.ai_pool.limits.answer_tokens import LONGEST_ANSWER
from apps.ai_pool.limits.refusals import REFUSALS
from apps.ai_pool.limits.store import REST_S, Store
from apps.widget.models import Site

ANNA, BERT = visitor_of_id("a" * 32), visitor_of_id("b" * 32)
USER = Visitor(key="u:1", user_id=1)
SITE, OTHER_SITE = Site(pk=1), Site(pk=2)
FAR = "93.184.216.34"
NO_LIMITS = {
    f"CORRAL_{name}": 0
    for name in (
        *("MESSAGES_PER_MINUTE", "MESSAGES_PER_HOUR", "TOKENS_PER_HOUR", "TOKENS_PER_DAY"),
        *("ANONYMOUS_MESSAGES_PER_MINUTE", "ANONYMOUS_MESSAGES_PER_HOUR"),
        *("ANONYMOUS_TOKENS_PER_HOUR", "ANONYMOUS_TOKENS_PER_DAY", "NEW_VISITORS_PER_HOUR"),
        *("SITE_MESSAGES_PER_MINUTE", "SITE_TOKENS_PER_HOUR", "SITE_TOKENS_PER_DAY"),
    )
}
Set = Callable[..., None]


@pytest.fixture
def only(settings: Any, long_minute: None) -> Set:
    """Sets these limits and no others."""

    def change(**values: int) -> None:
        for name, value in (NO_LIMITS | {f"CORRAL_{n}": v for n, v in values.items()}).items():
            setattr(settings, name, value)

    return change


async def num_granted(visitor: Visitor, most: int = 100) -> int:
    """How many questions a visitor may ask now."""
    for number in range(most):
        try:
            await take_share(visitor)
        except ChatError as error:
            assert error.code == "rate_limited" and error.retry_after_s
            return number
    return most


@pytest.mark.parametrize(
    ("limits", "num_anonymous", "num_signed_in", "limit"),
    [
        ({"MESSAGES_PER_MINUTE": 3}, 3, 3, "messages"),
        ({"MESSAGES_PER_HOUR": 4}, 4, 4, "messages"),
        ({"MESSAGES_PER_MINUTE": 5, "ANONYMOUS_MESSAGES_PER_MINUTE": 2}, 2, 5, "messages"),
        # Who is not signed in never has more than who is.
        ({"MESSAGES_PER_MINUTE": 2, "ANONYMOUS_MESSAGES_PER_MINUTE": 5}, 2, 2, "messages"),
        ({"ANONYMOUS_MESSAGES_PER_HOUR": 3}, 3, 100, "messages"),
        ({"TOKENS_PER_HOUR": 3 * LONGEST_ANSWER}, 3, 3, "tokens"),
        ({"TOKENS_PER_DAY": 4 * LONGEST_ANSWER - 1}, 3, 3, "tokens"),
        ({"ANONYMOUS_TOKENS_PER_HOUR": 2 * LONGEST_ANSWER}, 2, 100, "tokens"),
        ({"ANONYMOUS_TOKENS_PER_DAY": 2 * LONGEST_ANSWER}, 2, 100, "tokens"),
        ({"SITE_MESSAGES_PER_MINUTE": 2}, 2, 2, "site_messages"),
        ({"SITE_TOKENS_PER_HOUR": 2 * LONGEST_ANSWER}, 2, 2, "site_tokens"),
        ({"SITE_TOKENS_PER_DAY": 2 * LONGEST_ANSWER}, 2, 2, "site_tokens"),
        ({}, 100, 100, ""),
    ],
)
async def test_each_limit(
    only: Set, limits: dict[str, int], num_anonymous: int, num_signed_in: int, limit: str
) -> None:
    only(**limits)
    before = REFUSALS.counts()
    assert await num_granted(ANNA) == num_anonymous
    if limit:
        assert REFUSALS.counts()[limit] == before[limit] + 1
    caches["default"].clear()
    assert await num_granted(USER) == num_signed_in


def test_who_is_not_signed_in() -> None:
    signed_in = (USER, visitor_of_widget_user(SITE, "carl"), visitor_of_key(1))
    assert not any(visitor.is_anonymous for visitor in signed_in)
    assert ANNA.is_anonymous and visitor_of_widget(SITE, "a" * 32).is_anonymous
    assert not visitor_of_id(new_load_test_id()).is_anonymous


async def test_the_wait_is_that_of_the_limit_that_was_met(only: Set) -> None:
    only(MESSAGES_PER_MINUTE=1)
    await take_share(ANNA)
    with pytest.raises(ChatError) as refused:
        await take_share(ANNA)
    # Twenty seconds of the minute have gone.
    assert refused.value.retry_after_s == 40


async def test_an_address_block_has_a_share_for_all_its_strangers(only: Set, settings: Any) -> None:
    only(ANONYMOUS_MESSAGES_PER_MINUTE=2)
    settings.CORRAL_ADDRESS_SHARE = 3
    neighbours = [replace(visitor_of_id(f"{n:032}"), host=f"93.184.216.{n}") for n in range(9)]
    assert [await num_granted(one) for one in neighbours] == [2, 2, 2, 0, 0, 0, 0, 0, 0]
    assert await num_granted(replace(USER, host=FAR), 50) == 50, "who is known is not counted here"
    assert await num_granted(replace(BERT, host="93.184.217.34")) == 2
    for host in ("127.0.0.1", ""):
        caches["default"].clear()
        assert [await num_granted(replace(one, host=host)) for one in neighbours] == [2] * 9
    settings.CORRAL_ADDRESS_SHARE = 0
    caches["default"].clear()
    assert [await num_granted(one) for one in neighbours] == [2] * 9


async def test_dropped_cookies_do_not_help(only: Set) -> None:
    only(NEW_VISITORS_PER_HOUR=5)
    fresh = [replace(visitor_of_id(f"{n:032}"), host=FAR) for n in range(9)]
    assert [await num_granted(one, 2) for one in fresh] == [2, 2, 2, 2, 2, 0, 0, 0, 0]
    assert await num_granted(fresh[0], 2) == 2, "who has asked may go on"


async def test_websites_have_limits_of_their_own(only: Set) -> None:
    only(SITE_MESSAGES_PER_MINUTE=2)
    visitors = [visitor_of_widget(SITE, "a" * 32), visitor_of_widget(SITE, "b" * 32)]
    assert [await num_granted(one) for one in visitors] == [2, 0]
    assert await num_granted(visitor_of_widget(OTHER_SITE, "a" * 32)) == 2
    assert await num_granted(ANNA) == 2


async def test_load_tests_have_none_and_programs_those_of_their_key(only: Set) -> None:
    only(MESSAGES_PER_MINUTE=1, TOKENS_PER_HOUR=600, SITE_MESSAGES_PER_MINUTE=20)
    assert await num_granted(visitor_of_id(new_load_test_id()), 50) == 50
    assert await num_granted(visitor_of_key(1, "carl"), 50) == 20


async def test_tokens_that_were_not_written_come_back(only: Set) -> None:
    only(TOKENS_PER_HOUR=LONGEST_ANSWER + 50, TOKENS_PER_DAY=LONGEST_ANSWER + 100)
    share = await take_share(ANNA)
    assert await num_granted(ANNA) == 0
    await share.settle(50)
    await share.settle(0)
    again = await take_share(ANNA)
    await again.settle(LONGEST_ANSWER + 999)
    assert await num_granted(ANNA) == 0


async def test_a_question_that_was_not_asked_costs_nothing(only: Set) -> None:
    only(MESSAGES_PER_MINUTE=1, SITE_MESSAGES_PER_MINUTE=1, TOKENS_PER_HOUR=LONGEST_ANSWER)
    for _ in range(3):
        share = await take_share(ANNA)
        await share.cancel()
        await share.cancel()
        await share.settle(0)
    assert await num_granted(ANNA) == 1


async def test_an_answer_without_the_model_costs_a_question_and_no_tokens(only: Set) -> None:
    only(MESSAGES_PER_MINUTE=2, TOKENS_PER_HOUR=LONGEST_ANSWER)
    await (await take_share(ANNA)).settle(0)
    assert await num_granted(ANNA) == 1


async def test_what_the_answer_needed_is_known_at_its_end(only: Set) -> None:
    only(TOKENS_PER_HOUR=LONGEST_ANSWER + 10)

    class Relay:
        ended = asyncio.Event()
        num_written = 10

    relay: Any = Relay()
    settling = asyncio.create_task(settle_at_end(await take_share(ANNA), relay))
    await asyncio.sleep(0)
    assert await num_granted(ANNA) == 0
    relay.ended.set()
    await settling
    assert await num_granted(ANNA) == 1


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 600), st.booleans()), max_size=12))
@hypothesis_settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_nothing_is_lost_or_made(only: Set, steps: list[tuple[str, int, bool]]) -> None:
    """A model of two visitors: what each has left after questions, refunds and refusals."""
    caches["default"].clear()
    limit = 3 * LONGEST_ANSWER
    only(TOKENS_PER_HOUR=limit, MESSAGES_PER_HOUR=6)

    async def play() -> None:
        tokens, messages = {"a": 0, "b": 0}, {"a": 0, "b": 0}
        for who, num_written, is_asked in steps:
            fits = tokens[who] + LONGEST_ANSWER <= limit and messages[who] < 6
            try:
                share = await take_share(ANNA if who == "a" else BERT)
            except ChatError:
                assert not fits
                continue
            assert fits
            if not is_asked:
                await share.cancel()
                continue
            await share.settle(num_written)
            tokens[who] += min(num_written, LONGEST_ANSWER)
            messages[who] += 1

    asyncio.run(play())


def test_sixty_four_questions_at_once(only: Set) -> None:
    """Many loops in many threads: never more than the limit, whichever it is."""
    for limits in (
        {"MESSAGES_PER_MINUTE": 20},
        {"TOKENS_PER_HOUR": 20 * LONGEST_ANSWER},
        {"SITE_MESSAGES_PER_MINUTE": 20},
        {"SITE_TOKENS_PER_DAY": 20 * LONGEST_ANSWER},
    ):
        caches["default"].clear()
        only(**limits)
        together = threading.Barrier(64)

        def ask(number: int, together: threading.Barrier = together) -> bool:
            together.wait(timeout=20)
            try:
                quota._take(ANNA, caches["default"])
            except OverLimit:
                return False
            return True

        with ThreadPoolExecutor(64) as pool:
            assert sum(pool.map(ask, range(64))) == 20, limits


async def test_when_nobody_can_tell_strangers_wait_and_the_known_may_ask(
    only: Set, monkeypatch: pytest.MonkeyPatch
) -> None:
    only(MESSAGES_PER_MINUTE=5)

    def fail(visitor: Visitor, cache: Any) -> Any:
        raise ConnectionError

    store = Store()
    monkeypatch.setattr(quota, "STORE", store)
    monkeypatch.setattr(quota, "_take", fail)
    before = REFUSALS.counts()["store_away"]
    with pytest.raises(ChatError) as refused:
        await take_share(ANNA)
    assert refused.value.code == "store_away" and refused.value.problem.http_status == 503
    assert 0 < (refused.value.retry_after_s or 0) <= REST_S
    for visitor in (USER, visitor_of_widget_user(SITE, "carl"), visitor_of_key(1)):
        await (await take_share(visitor)).settle(5)
    assert REFUSALS.counts()["store_away"] == before + 1


async def test_a_share_of_nothing_gives_nothing_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claim, "STORE", None)
    await Share().settle(5)
    await Share().cancel()


def test_the_limits_of_the_table_are_the_defaults(settings: Any) -> None:
    take = partial(quota._message_limits, ANNA)
    assert list(take()) == [(10, 60), (60, 3600)]
    assert list(quota._message_limits(USER)) == [(30, 60), (0, 3600)]
    assert list(quota._token_limits(ANNA)) == [(8_000, 3600), (40_000, 86_400)]
    assert list(quota._token_limits(USER)) == [(40_000, 3600), (0, 86_400)]
    assert settings.CORRAL_ADDRESS_SHARE == 10
