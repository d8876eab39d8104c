"""Frames for all tabs of a visitor, bounded for each."""

from __future__ import annotations

import asyncio

import pytest
from django.conf import settings

from apps.ai_chat.audience import Audience, Member
from apps.ai_chat.outbox import Outbox


def member() -> tuple[Member, list[str]]:
    left: list[str] = []
    return Member(Outbox(lambda: left.append("overflow")), left.append), left


async def test_frames_reach_every_socket_of_the_visitor_but_one() -> None:
    room = Audience()
    (first, _), (second, _), (other, _) = member(), member(), member()
    room.join("anna", first)
    room.join("anna", second)
    room.join("bert", other)
    room.send("anna", {"n": 1}, but=first)
    room.send("anna", {"n": 2})
    assert await first.outbox.get() == '{"n":2}'
    assert [await second.outbox.get() for _ in range(2)] == ['{"n":1}', '{"n":2}']
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(other.outbox.get(), 0.01)


async def test_oldest_socket_makes_room() -> None:
    room = Audience()
    made = [member() for _ in range(settings.CORRAL_SOCKETS_PER_VISITOR + 2)]
    for one, _ in made:
        room.join("anna", one)
    assert [left for _, left in made[:3]] == [["replaced"], ["replaced"], []]
    room.part("anna", made[0][0])
    assert len(room.members()) == settings.CORRAL_SOCKETS_PER_VISITOR


async def test_nobody_is_remembered_behind_the_last_socket() -> None:
    room = Audience()
    one, _ = member()
    room.join("anna", one)
    room.part("anna", one)
    room.part("anna", one)
    room.send("anna", {"n": 1})
    assert room.members() == [] and not room._members
