"""What a socket still has to send is bounded in bytes."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from apps.ai_chat import outbox
from apps.ai_chat.outbox import Outbox, as_text


def new_outbox() -> tuple[Outbox, list[str]]:
    left: list[str] = []

    def give_up() -> None:
        left.append("overflow")
        made.put({"type": "bye"})

    made = Outbox(give_up)
    return made, left


async def test_frames_come_out_in_order_as_text() -> None:
    box, _ = new_outbox()
    box.put({"n": 1, "text": "\u00e4\U0001f434"})
    box.put({"n": 2})
    assert await box.get() == '{"n":1,"text":"\u00e4\U0001f434"}'
    assert json.loads(await box.get()) == {"n": 2}
    assert box.num_bytes == 0


async def test_get_waits_for_the_next_frame() -> None:
    box, _ = new_outbox()
    waiting = asyncio.create_task(box.get())
    await asyncio.sleep(0)
    assert not waiting.done()
    box.put({"n": 1})
    assert await asyncio.wait_for(waiting, 1) == '{"n":1}'


async def test_reader_that_never_reads_is_given_up_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "MAX_UNSENT_BYTES", 100)
    box, left = new_outbox()
    for _ in range(50):
        box.put({"text": "x" * 40})
        assert box.num_bytes <= 100
    assert left == ["overflow"]
    assert json.loads(await box.get()) == {"type": "bye"}, "what is said at the end still goes"
    assert box.num_bytes == 0, "what nobody reads is let go"


async def test_bytes_are_counted_not_characters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "MAX_UNSENT_BYTES", 100)
    box, left = new_outbox()
    box.put({"t": "\U0001f434" * 20})
    assert box.num_bytes == 88
    box.put({"t": "\U0001f434!"})
    assert left == ["overflow"]


async def test_one_frame_alone_always_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "MAX_UNSENT_BYTES", 10)
    box, left = new_outbox()
    box.put({"text": "x" * 100})
    assert not left and len(await box.get()) > 100


async def test_wait_until_sent() -> None:
    box, _ = new_outbox()
    await asyncio.wait_for(box.wait_until_sent(), 1)
    box.put({"n": 1})
    waiting = asyncio.create_task(box.wait_until_sent())
    await box.get()
    await asyncio.sleep(0)
    assert not waiting.done(), "it is out of the box, but not sent"
    box.task_done()
    await asyncio.wait_for(waiting, 1)


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        ({"type": "pong"}, {"type": "pong"}),
        (
            {"type": "gen.snapshot", "text": "x", "blocks": ["y" * 70_000]},
            {"type": "gen.snapshot", "text": "x", "blocks": []},
        ),
        (
            {"type": "message.updated", "message": {"id": "a", "nodes": ["y" * 70_000]}},
            {"type": "message.updated", "message": {"id": "a", "nodes": None}},
        ),
        ({"type": "gen.delta", "text": "\u20ac" * 30_000}, None),
    ],
)
async def test_no_frame_is_bigger_than_servers_send(
    frame: dict[str, Any], expected: dict[str, Any] | None
) -> None:
    text = as_text(frame)
    assert (None if text is None else json.loads(text)) == expected
    box, _ = new_outbox()
    box.put(frame)
    assert box.num_bytes == (0 if text is None else len(text))
