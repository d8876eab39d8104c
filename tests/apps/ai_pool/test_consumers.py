"""The pool's socket: for whom it speaks, and how it ends."""

from __future__ import annotations

import json
from typing import Any

import pytest
from channels.auth import AuthMiddlewareStack
from channels.db import database_sync_to_async
from channels.testing import WebsocketCommunicator
from django.contrib.auth import get_user_model
from django.test import Client
from pytest_django import Settings

from apps.ai_pool import consumers
from apps.ai_pool.consumers import PoolConsumer
from apps.ai_pool.lookout import close_current_lookout, get_lookout
from apps.ai_pool.throttle import Throttle
from tests.apps.ai_pool.conftest import ScriptedPool

pytestmark = pytest.mark.django_db(transaction=True)


def open_socket(
    *, cookie: str = "", is_own_page: bool = True, address: str = "127.0.0.1"
) -> WebsocketCommunicator:
    application = AuthMiddlewareStack(PoolConsumer.as_asgi(is_own_page=lambda _: is_own_page))
    headers = [(b"cookie", cookie.encode())] if cookie else []
    socket = WebsocketCommunicator(application, "/ws/pool?every=1", headers=headers)
    socket.scope["client"] = [address, 1]
    return socket


@pytest.fixture
async def cookie(transactional_db: None) -> str:
    """The session of a superuser."""

    def sign_in() -> str:
        client = Client()
        client.force_login(get_user_model().objects.create_superuser("root"))
        return f"sessionid={client.cookies['sessionid'].value}"

    return await database_sync_to_async(sign_in)()


async def told(socket: WebsocketCommunicator) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(await socket.receive_from(timeout=5))
    return found


async def test_everybody_is_told_numbers(pool: ScriptedPool) -> None:
    socket = open_socket()
    await socket.connect()
    said = await told(socket)
    assert (said["type"], said["in_use"]) == ("status", 2)
    await socket.send_to(text_data="anything")
    assert await socket.receive_nothing(timeout=0.05)
    await socket.disconnect()
    assert len(get_lookout().watchers) == 0


async def test_staff_are_told_everything_on_our_own_pages(pool: ScriptedPool, cookie: str) -> None:
    for is_own_page in (True, False):
        socket = open_socket(cookie=cookie, is_own_page=is_own_page)
        await socket.connect()
        assert ("model" in await told(socket)) is is_own_page
        await socket.disconnect()


async def test_the_end_of_the_server_and_a_sign_out_are_told(
    pool: ScriptedPool, cookie: str
) -> None:
    socket = open_socket(cookie=cookie)
    await socket.connect()
    await told(socket)
    get_lookout().watchers.sign_out(cookie.partition("=")[2])
    assert await told(socket) == {"type": "bye", "why": "signed_out"}
    assert (await socket.receive_output(timeout=5))["code"] == 4401
    socket = open_socket()
    await socket.connect()
    await told(socket)
    await close_current_lookout()
    assert await told(socket) == {"type": "bye", "why": "closing"}
    assert (await socket.receive_output(timeout=5))["code"] == 4503


async def test_who_is_refused_is_told_by_the_code(
    pool: ScriptedPool, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def code(**options: Any) -> int:
        socket = open_socket(**options)
        await socket.connect()
        found: int = (await socket.receive_output(timeout=5))["code"]
        return found

    settings.CORRAL_POOL_WATCHERS = 0
    assert await code() == 4429
    settings.CORRAL_POOL_WATCHERS = 9
    throttle = Throttle(lambda: 0.0)
    monkeypatch.setattr(consumers, "THROTTLE", throttle)
    while not throttle.take("203.0.114.0/24"):
        pass
    assert await code(address="203.0.114.9") == 4429
    settings.CORRAL_POOL_PUBLIC = False
    assert await code() == 4403
    settings.CORRAL_POOL_PUBLIC = True

    def fail() -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(consumers, "get_lookout", fail)
    assert await code() == 4500
