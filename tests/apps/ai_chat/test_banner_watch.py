"""A banner reaches those whose page is open, once, and goes again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from apps.ai_chat import banner_watch
from apps.ai_chat.audience import Audience, Member
from apps.ai_chat.banner_watch import BannerWatch
from tests.ai_model.pool.builders import until


class Outbox:
    """Keeps what it is given."""

    def __init__(self) -> None:
        self.frames: list[dict[str, Any]] = []

    def put(self, frame: dict[str, Any]) -> None:
        self.frames.append(frame)


class Shown:
    """Stands for the database."""

    def __init__(self) -> None:
        self.text = ""
        self.num_asked = 0
        self.is_broken = False

    async def __call__(self) -> str:
        self.num_asked += 1
        if self.is_broken:
            raise OSError("no database")
        return self.text


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> Shown:
    """What the database says."""
    stand_in = Shown()
    monkeypatch.setattr(banner_watch, "banner_text", stand_in)
    return stand_in


def open_line(audience: Audience) -> Outbox:
    outbox = Outbox()
    audience.join("visitor", Member(outbox, lambda code: None))  # type: ignore[arg-type]
    return outbox


def spawner() -> tuple[list[asyncio.Task[None]], Callable[..., asyncio.Task[None]]]:
    tasks: list[asyncio.Task[None]] = []

    def spawn(work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        tasks.append(asyncio.create_task(work))
        return tasks[-1]

    return tasks, spawn


async def looked(shown: Shown) -> None:
    """Wait until it was looked at twice more: what the first look found has been told."""
    num = shown.num_asked
    await until(lambda: shown.num_asked >= num + 2)


async def test_a_change_is_told_once_to_every_open_line(shown: Shown) -> None:
    audience = Audience()
    lines = [open_line(audience), open_line(audience)]
    tasks, spawn = spawner()
    watch = BannerWatch(audience, spawn, look_s=0.001)
    shown.text = "In the welcome already."
    watch.begin()
    watch.begin()
    assert len(tasks) == 1
    await looked(shown)
    assert [line.frames for line in lines] == [[], []]
    shown.text = "We move on Monday."
    await looked(shown)
    shown.is_broken = True
    await looked(shown)
    shown.is_broken = False
    shown.text = ""
    await looked(shown)
    told = [{"type": "banner", "text": "We move on Monday."}, {"type": "banner", "text": ""}]
    assert [line.frames for line in lines] == [told, told]
    tasks[0].cancel()


async def test_nobody_looks_while_nobody_is_there(shown: Shown) -> None:
    tasks, spawn = spawner()
    watch = BannerWatch(Audience(), spawn, look_s=0.001)
    watch.begin()
    await until(lambda: tasks[0].done())
    watch.begin()
    assert len(tasks) == 2
    await until(lambda: tasks[1].done())
