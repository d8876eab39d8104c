"""Places for those who watch: bounded, given back, and ended from outside."""

from __future__ import annotations

import asyncio
import time

import pytest
from pytest_django import Settings

from apps.ai_pool import watchers
from apps.ai_pool.watchers import MAX_PER_ADDRESS, Bye, TooManyWatchers, Watcher, Watchers


async def test_the_public_has_so_many_places_and_staff_their_own(settings: Settings) -> None:
    settings.CORRAL_POOL_WATCHERS = 2
    all_of_them = Watchers()
    first, second = Watcher(), Watcher()
    all_of_them.admit(first)
    all_of_them.admit(second)
    with pytest.raises(TooManyWatchers):
        all_of_them.admit(Watcher())
    all_of_them.admit(Watcher(is_staff=True))
    all_of_them.part(first)
    all_of_them.part(first)
    all_of_them.admit(Watcher())
    assert len(all_of_them) == 3


async def test_staff_are_bounded_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchers, "MAX_STAFF", 1)
    all_of_them = Watchers()
    all_of_them.admit(Watcher(is_staff=True))
    with pytest.raises(TooManyWatchers):
        all_of_them.admit(Watcher(is_staff=True))


async def test_one_network_cannot_take_every_place() -> None:
    all_of_them = Watchers()
    for _ in range(MAX_PER_ADDRESS):
        all_of_them.admit(Watcher(address="203.0.114.0/24"))
    with pytest.raises(TooManyWatchers):
        all_of_them.admit(Watcher(address="203.0.114.0/24"))
    for _ in range(MAX_PER_ADDRESS + 1):
        all_of_them.admit(Watcher())


async def test_a_sign_out_ends_what_the_session_watches() -> None:
    all_of_them = Watchers()
    own, other, nobody = Watcher(session_key="a"), Watcher(session_key="b"), Watcher()
    for watcher in (own, other, nobody):
        all_of_them.admit(watcher)
    all_of_them.sign_out("a")
    assert (own.bye, other.bye, nobody.bye) == (Bye.SIGNED_OUT, None, None)


async def test_who_waits_is_woken_by_the_end() -> None:
    watcher = Watcher()
    waiting = asyncio.create_task(watcher.wait(60))
    await asyncio.sleep(0)
    watcher.leave(Bye.SLOW)
    watcher.leave(Bye.OVER)
    async with asyncio.timeout(5):
        await waiting
    assert watcher.bye is Bye.SLOW, "the first reason counts"
    await Watcher().wait(0.001)


async def test_a_close_waits_for_good_byes_and_lets_nobody_in(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    all_of_them = Watchers()
    watcher = Watcher()
    all_of_them.admit(watcher)

    async def part_when_told() -> None:
        await watcher.wait(5)
        all_of_them.part(watcher)

    parting = asyncio.create_task(part_when_told())
    await all_of_them.close()
    assert watcher.bye is Bye.CLOSING and parting.done() and len(all_of_them) == 0
    with pytest.raises(TooManyWatchers):
        all_of_them.admit(Watcher(is_staff=True))


async def test_a_close_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchers, "GOODBYE_TIMEOUT_S", 0.01)
    all_of_them = Watchers()
    all_of_them.admit(Watcher())
    begun = time.monotonic()
    await all_of_them.close()
    assert time.monotonic() - begun < 3
