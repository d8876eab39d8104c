"""One question to the pool a second, however many want to know."""

from __future__ import annotations

import asyncio

import pytest

from ai_model.pool.errors import PoolUnavailable
from ai_model.pool.status import PoolState
from apps.ai_pool import lookout
from apps.ai_pool.lookout import (
    Lookout,
    close_current_lookout,
    get_lookout,
    sign_out_everywhere,
)
from apps.ai_pool.watchers import Bye, TooManyWatchers, Watcher
from tests.apps.ai_pool.conftest import READY, WAITING, ScriptedPool


async def test_all_who_ask_at_once_share_one_question(pool: ScriptedPool) -> None:
    post = Lookout()
    looks = await asyncio.gather(*(post.look(with_line=place % 2 == 0) for place in range(50)))
    assert pool.num_asked == 1
    assert all(look.status is READY for look in looks)
    assert looks[0].line == (WAITING,)


async def test_an_old_look_is_not_shown(
    pool: ScriptedPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookout, "FRESH_S", 0.0)
    post = Lookout()
    await post.look()
    pool.answer = PoolUnavailable("gone")
    assert (await post.look()).status.state is PoolState.DOWN
    assert pool.num_asked == 2


async def test_who_gives_up_does_not_take_the_others_along(
    pool: ScriptedPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_answer = asyncio.Event()
    status = pool.status

    async def slow(*, timeout_s: float) -> object:
        await may_answer.wait()
        return await status(timeout_s=timeout_s)

    monkeypatch.setattr(pool, "status", slow)
    post = Lookout()
    impatient, patient = (asyncio.create_task(post.look()) for _ in range(2))
    await asyncio.sleep(0)
    impatient.cancel()
    may_answer.set()
    async with asyncio.timeout(5):
        assert (await patient).status == READY


async def test_a_line_that_is_not_told_is_empty(pool: ScriptedPool) -> None:
    pool.line = PoolUnavailable("gone")
    assert (await Lookout().look(with_line=True)).line == ()


async def test_each_loop_has_one_and_a_sign_out_reaches_it() -> None:
    post = get_lookout()
    assert get_lookout() is post
    watcher = Watcher(session_key="a", is_staff=True)
    post.watchers.admit(watcher)
    await asyncio.to_thread(sign_out_everywhere, "a")
    await watcher.wait(5)
    assert watcher.bye is Bye.SIGNED_OUT
    post.watchers.part(watcher)
    await close_current_lookout()
    with pytest.raises(TooManyWatchers):
        get_lookout().watchers.admit(Watcher())
