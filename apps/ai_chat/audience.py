"""The open sockets of this process, by visitor: whoever has several tabs sees the same in each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

from django.conf import settings

from apps.ai_chat.outbox import Outbox
from apps.ai_chat.spoken import spoken
from apps.ai_pool.limits.refusals import REFUSALS, SOCKETS


class Member:
    """One open socket, as the audience knows it."""

    def __init__(self, outbox: Outbox, leave: Callable[[str], None]) -> None:
        """``leave(code)`` makes the socket say the error with this code and close."""
        self.outbox = outbox
        self.leave = leave
        self.language = ""
        self.session_key = ""
        """Of our own user's login, to tell which sockets a logout ends."""


class Audience:
    """Sends frames to all sockets of a visitor. Belongs to one event loop."""

    def __init__(self) -> None:
        self._members: defaultdict[str, list[Member]] = defaultdict(list)

    def join(self, visitor_key: str, member: Member) -> None:
        """Add a socket; the visitor's oldest one makes room when there are too many."""
        members = self._members[visitor_key]
        members.append(member)
        most = settings.CORRAL_SOCKETS_PER_VISITOR
        while most and len(members) > most:
            REFUSALS.count(SOCKETS)
            members.pop(0).leave("replaced")

    def part(self, visitor_key: str, member: Member) -> None:
        """Remove a socket; one that is not there is fine."""
        members = self._members.get(visitor_key, [])
        if member in members:
            members.remove(member)
        if not members:
            self._members.pop(visitor_key, None)

    def send(self, visitor_key: str, frame: dict[str, Any], *, but: Member | None = None) -> None:
        """Put a frame into the outbox of every socket of the visitor, except ``but``."""
        for member in tuple(self._members.get(visitor_key, ())):
            if member is not but:
                member.outbox.put(spoken(frame, member.language))

    def dismiss(self, visitor_key: str, code: str, *, session_key: str | None = None) -> None:
        """Let the visitor's sockets say this error and close: those of one login, or all."""
        for member in tuple(self._members.get(visitor_key, ())):
            if session_key in (None, member.session_key):
                self.part(visitor_key, member)
                member.leave(code)

    def has_others(self, visitor_key: str, member: Member | None) -> bool:
        """Whether the visitor has an open socket that is not ``member``."""
        return any(one is not member for one in self._members.get(visitor_key, ()))

    def members(self) -> list[Member]:
        """All open sockets."""
        return [member for members in self._members.values() for member in members]
