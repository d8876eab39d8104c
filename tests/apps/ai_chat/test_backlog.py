"""What the server holds for a client, seen through the server's own transport."""

from __future__ import annotations

from functools import partial
from types import SimpleNamespace
from typing import Any

from apps.ai_chat.backlog import Backlog, WithBacklog


async def handle_reply(protocol: Any, message: Any) -> None:
    return


def test_bytes_that_wait_in_the_transport() -> None:
    transport = SimpleNamespace(dataBuffer=b"x" * 100, offset=30, _tempDataLen=7)
    send = partial(handle_reply, SimpleNamespace(transport=transport))
    assert Backlog(send).num_bytes == 77


def test_other_servers_make_senders_wait_themselves() -> None:
    for send in (None, handle_reply, partial(handle_reply), partial(handle_reply, object())):
        backlog = Backlog(send)
        backlog.bound_the_system()
        assert backlog.num_bytes == 0


async def test_it_comes_with_the_scope() -> None:
    seen: list[Any] = []

    async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
        seen.append(scope)

    given = {"type": "websocket"}
    await WithBacklog(application)(given, None, None)
    assert seen[0]["backlog"].num_bytes == 0 and given == {"type": "websocket"}


def test_a_line_can_be_broken() -> None:
    broken: list[bool] = []
    transport = SimpleNamespace(dataBuffer=b"", abortConnection=lambda: broken.append(True))
    Backlog(partial(handle_reply, SimpleNamespace(transport=transport))).give_up()
    assert broken == [True]
    Backlog(None).give_up()
