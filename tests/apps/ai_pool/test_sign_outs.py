"""Signing out of the admin ends what that session watches."""

from __future__ import annotations

import asyncio

import pytest
from channels.db import database_sync_to_async
from django.contrib.auth import get_user_model
from django.test import Client

from tests.apps.ai_pool.conftest import ScriptedPool
from tests.apps.ai_pool.test_consumers import open_socket, told

pytestmark = pytest.mark.django_db(transaction=True)


async def test_signing_out_in_the_admin_closes_the_sockets_of_staff(pool: ScriptedPool) -> None:
    """By the real page, at once, and only those of that session."""

    def sign_in(client: Client) -> str:
        user, _ = get_user_model().objects.get_or_create(
            username="root", defaults={"is_staff": True, "is_superuser": True}
        )
        client.force_login(user)
        return f"sessionid={client.cookies['sessionid'].value}"

    here, elsewhere = Client(), Client()
    sockets = []
    for client in (here, elsewhere):
        socket = open_socket(cookie=await database_sync_to_async(sign_in)(client))
        await socket.connect()
        assert "model" in await told(socket)
        sockets.append(socket)
    await asyncio.to_thread(here.post, "/admin/logout/")
    while (said := await told(sockets[0]))["type"] == "status":
        pass  # a look that was on its way
    assert said == {"type": "bye", "why": "signed_out"}
    assert (await sockets[0].receive_output(timeout=5))["code"] == 4401
    assert (await told(sockets[1]))["type"] == "status"
    await sockets[1].disconnect()
