"""One reader's events: of one answer, each once, bounded, with an end."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from apps.api.event_queue import MAX_UNREAD_BYTES, EventQueue, event_bytes
from tests.event_reader import EventReader

GEN = "g"


def delta(seq: int, text: str = "x", gen: str = GEN) -> dict[str, Any]:
    return {"type": "gen.delta", "gen": gen, "seq": seq, "text": text}


def snapshot(upto: int, state: str = "streaming") -> dict[str, Any]:
    return {"type": "gen.snapshot", "gen": GEN, "upto": upto, "state": state}


async def drain(queue: EventQueue) -> list[dict[str, Any]]:
    """Everything that can be taken without waiting."""
    reader = EventReader()
    async with asyncio.timeout(2):
        while not queue.is_empty:
            reader.feed(await queue.get())
    return reader.frames


async def test_numbers_and_other_answers() -> None:
    queue = EventQueue(GEN, after=2)
    for frame in (delta(2), delta(3), delta(3), delta(4, gen="other"), delta(4)):
        queue.put(frame)
    queue.put({"type": "gen.stall", "gen": GEN, "since_ms": 1})
    frames = await drain(queue)
    assert [frame.get("seq") for frame in frames] == [3, 4, None]


async def test_a_snapshot_begins_the_numbers_anew() -> None:
    """Another process numbered the frames the reader had."""
    queue = EventQueue(GEN, after=90)
    queue.put(snapshot(5))
    queue.put(delta(5))
    queue.put(delta(6))
    assert [frame.get("seq") for frame in await drain(queue)] == [None, 6]


@pytest.mark.parametrize(
    "last", [{"type": "gen.done", "gen": GEN, "seq": 2}, snapshot(0, state="complete")]
)
async def test_the_end(last: dict[str, Any]) -> None:
    queue = EventQueue(GEN, after=0)
    queue.put(delta(1))
    queue.put(last)
    queue.put(delta(3))
    assert not queue.is_over
    assert len(await drain(queue)) == 2
    assert queue.is_over
    assert await queue.get() == b""


async def test_the_end_wakes_who_waits() -> None:
    queue = EventQueue(GEN, after=0)
    waiting = asyncio.create_task(queue.get())
    await asyncio.sleep(0)
    queue.end()
    assert await asyncio.wait_for(waiting, 2) == b""


async def test_who_does_not_read_is_given_up() -> None:
    queue = EventQueue(GEN, after=0)
    for seq in range(1, 1000):
        queue.put(delta(seq, "x" * 1000))
    assert queue.is_over, "nothing is kept for them"


async def test_one_event_may_be_long() -> None:
    queue = EventQueue(GEN, after=0)
    queue.put(delta(1, "x" * MAX_UNREAD_BYTES))
    assert len(await drain(queue)) == 1
    queue.put(delta(2))
    queue.put(delta(3))
    assert len(await drain(queue)) == 2, "what was read is not counted any more"


@pytest.mark.parametrize(
    "text",
    ["a\nb", "a\r\nb\n\ndata: x", "id: 9\n\n", "\u2028\u2029\x85", "\U0001f468\u200d\U0001f469"],
)
def test_no_text_breaks_an_event(text: str) -> None:
    event = event_bytes(delta(7, text))
    assert event.count(b"\n") == 3 and b"\r" not in event
    reader = EventReader()
    for at in range(len(event)):
        reader.feed(event[at : at + 1])
    assert (reader.frames[0]["text"], reader.last_id) == (text, "7")


def test_what_has_no_number_has_no_id() -> None:
    assert event_bytes({"type": "gen.queue", "gen": GEN}).startswith(b"data: ")
    assert event_bytes(snapshot(0)).startswith(b"data: ")
    assert event_bytes(snapshot(4)).startswith(b"id: 4\n")
