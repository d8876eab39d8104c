"""What there is of running answers is kept, all of them together, and no longer than they run."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import suppress
from typing import Any

import pytest

from apps.ai_chat import progress_keeper, services
from apps.ai_chat.progress_keeper import ProgressKeeper

ONE, TWO = uuid.UUID(int=1), uuid.UUID(int=2)


class Disk:
    """What was written, and in how many goes."""

    def __init__(self) -> None:
        self.writes: list[dict[uuid.UUID, str]] = []
        self.is_away = False

    def save(self, texts: Mapping[uuid.UUID, str]) -> None:
        """Write, or fail while the disk is away."""
        self.writes.append(dict(texts))
        if self.is_away:
            raise OSError("no disk")


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    disk = Disk()
    monkeypatch.setattr(services, "save_progress", disk.save)
    monkeypatch.setattr(progress_keeper, "FLUSH_S", 0.01)
    return disk


@pytest.fixture
async def tasks() -> AsyncIterator[list[asyncio.Task[None]]]:
    """The keeper's tasks, which end with the test."""
    tasks: list[asyncio.Task[None]] = []
    yield tasks
    for task in tasks:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@pytest.fixture
def keeper(disk: Disk, tasks: list[asyncio.Task[None]]) -> ProgressKeeper:
    def spawn(coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        tasks.append(asyncio.ensure_future(coroutine))
        return tasks[-1]

    return ProgressKeeper(spawn)


async def until_written(disk: Disk, number: int) -> None:
    """Wait for so many writes."""
    async with asyncio.timeout(5):
        while len(disk.writes) < number:
            await asyncio.sleep(0.005)


async def test_all_that_has_grown_is_kept_with_one_write(
    keeper: ProgressKeeper, disk: Disk
) -> None:
    texts = {ONE: "a", TWO: "b"}
    keeper.add(ONE, lambda: texts[ONE])
    keeper.add(TWO, lambda: texts[TWO])
    await until_written(disk, 1)
    texts[TWO] = "bb"
    await until_written(disk, 2)
    assert disk.writes == [{ONE: "a", TWO: "b"}, {TWO: "bb"}]


async def test_a_text_that_stands_still_gives_a_sign_of_life(
    keeper: ProgressKeeper, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress_keeper, "BEAT_S", 0.05)
    keeper.add(ONE, lambda: "")
    await until_written(disk, 2)
    assert disk.writes[:2] == [{ONE: ""}] * 2


async def test_what_has_ended_is_left_alone(
    keeper: ProgressKeeper, disk: Disk, tasks: list[asyncio.Task[None]]
) -> None:
    keeper.add(ONE, lambda: "a")
    keeper.drop(ONE)
    keeper.drop(ONE)
    await asyncio.wait_for(tasks[0], 5)
    assert disk.writes == []
    keeper.add(TWO, lambda: "b")
    await until_written(disk, 1)
    assert len(tasks) == 2 and disk.writes == [{TWO: "b"}]


async def test_one_answer_at_once(keeper: ProgressKeeper, disk: Disk) -> None:
    keeper.add(ONE, lambda: "a")
    keeper.add(TWO, lambda: "b")
    await keeper.save(ONE, "a")
    assert disk.writes == [{ONE: "a"}]
    await until_written(disk, 2)
    assert disk.writes[1] == {TWO: "b"}, "the first one has not grown since"


async def test_a_last_word_is_kept_though_it_was_dropped(
    keeper: ProgressKeeper, disk: Disk
) -> None:
    """The server goes down while the end of an answer could not be stored yet."""
    keeper.add(ONE, lambda: "a")
    keeper.drop(ONE)
    await keeper.save(ONE, "ab")
    assert disk.writes == [{ONE: "ab"}]


async def test_what_could_not_be_written_is_written_later(
    keeper: ProgressKeeper, disk: Disk, caplog: pytest.LogCaptureFixture
) -> None:
    disk.is_away = True
    keeper.add(ONE, lambda: "a")
    await until_written(disk, 1)
    disk.is_away = False
    await until_written(disk, 2)
    assert disk.writes[1] == {ONE: "a"} and "OSError" in caplog.text
