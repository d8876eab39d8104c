"""One client per event loop, closed when the loop ends."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from pytest_django import Settings

from apps.ai_pool import connection


class Client:
    """Stands for PoolClient."""

    made: list[Client] = []

    def __init__(self, socket_path: Path) -> None:
        self.socket_path = socket_path
        self.is_closed = False
        Client.made.append(self)

    async def close(self) -> None:
        await asyncio.sleep(0)
        self.is_closed = True


@pytest.fixture(autouse=True)
def clients(monkeypatch: pytest.MonkeyPatch) -> list[Client]:
    Client.made = []
    monkeypatch.setattr(connection, "PoolClient", Client)
    return Client.made


def test_one_client_for_a_loop_and_it_is_closed_with_it(
    tiny_settings: Settings, clients: list[Client]
) -> None:
    async def use() -> None:
        first = connection.get_pool_client()
        await asyncio.sleep(0)
        assert connection.get_pool_client() is first
        assert not clients[-1].is_closed

    asyncio.run(use())
    assert [client.is_closed for client in clients] == [True]
    asyncio.run(use())
    assert [client.is_closed for client in clients] == [True, True]


def test_it_talks_to_the_configured_socket(tiny_settings: Settings, clients: list[Client]) -> None:
    tiny_settings.CORRAL_POOL_URL = "unix:///run/corral/pool.sock"

    async def use() -> None:
        connection.get_pool_client()

    asyncio.run(use())
    assert clients[0].socket_path == Path("/run/corral/pool.sock")


def test_it_can_be_closed_earlier(tiny_settings: Settings, clients: list[Client]) -> None:
    async def use() -> None:
        await connection.close_pool_client()
        first = connection.get_pool_client()
        await connection.close_pool_client()
        assert clients[0].is_closed
        assert connection.get_pool_client() is not first

    asyncio.run(use())
    assert [client.is_closed for client in clients] == [True, True]


def test_outside_a_loop_there_is_none(tiny_settings: Settings) -> None:
    with pytest.raises(RuntimeError):
        connection.get_pool_client()
