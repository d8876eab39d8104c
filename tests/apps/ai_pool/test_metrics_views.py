"""/metrics: there for whoever may read it, and nowhere for everybody else."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import AsyncClient
from pytest_django import Settings

from ai_model.pool.errors import PoolUnavailable
from tests.apps.ai_pool.conftest import LivePool, ScriptedPool
from tests.apps.ai_pool.metrics_reading import samples_of

TOKEN = "a-token-of-more-than-twenty-characters"
FAR = "203.0.113.9"

pytestmark = pytest.mark.django_db(transaction=True)


class ClientAt(AsyncClient):
    """A client at an address, who calls the site by a name."""

    def __init__(self, address: str = FAR, host: str = "testserver") -> None:
        super().__init__()
        self._address, self._host = address, host

    def _base_scope(self, **request: Any) -> Any:
        scope = super()._base_scope(**request)
        others = [(name, value) for name, value in scope["headers"] if name != b"host"]
        headers = [*others, (b"host", self._host.encode())]
        return scope | {"client": [self._address, 5555], "headers": headers}


@pytest.fixture
def stranger() -> AsyncClient:
    """Somebody on the internet."""
    return ClientAt()


async def logged_in(**values: bool) -> AsyncClient:
    user = await get_user_model().objects.acreate(username="somebody", **values)
    client = ClientAt()
    await client.aforce_login(user)
    return client


async def ask(client: AsyncClient, **headers: str) -> tuple[int, bytes]:
    """Return status and body."""
    answer = await client.get("/metrics", headers=headers or None)
    return answer.status_code, answer.content


async def test_a_stranger_finds_nothing(
    settings: Settings, pool: ScriptedPool, stranger: AsyncClient
) -> None:
    settings.CORRAL_METRICS_TOKEN = TOKEN
    assert (await ask(stranger))[0] == 404
    assert (await ask(stranger, Authorization="Bearer wrong"))[0] == 404
    assert pool.num_asked == 0


async def test_the_token(settings: Settings, pool: ScriptedPool, stranger: AsyncClient) -> None:
    settings.CORRAL_METRICS_TOKEN = TOKEN
    status, text = await ask(stranger, Authorization=f"Bearer {TOKEN}")
    assert status == 200
    assert samples_of(text)["corral_requests_waiting"] == 1


async def test_the_own_machine(pool: ScriptedPool) -> None:
    assert (await ask(ClientAt("127.0.0.1", "localhost")))[0] == 200
    assert (await ask(ClientAt("127.0.0.1", "testserver")))[0] == 404


async def test_staff(pool: ScriptedPool) -> None:
    assert (await ask(await logged_in(is_staff=True)))[0] == 200


async def test_other_users(pool: ScriptedPool) -> None:
    assert (await ask(await logged_in()))[0] == 404


async def test_staff_of_the_past(pool: ScriptedPool) -> None:
    assert (await ask(await logged_in(is_staff=True, is_active=False)))[0] == 404


async def test_headers(settings: Settings, pool: ScriptedPool, stranger: AsyncClient) -> None:
    """Nothing keeps it, and Prometheus gets the format it asks for."""
    settings.CORRAL_METRICS_TOKEN = TOKEN
    headers = {"Authorization": f"Bearer {TOKEN}"}
    answer = await stranger.get("/metrics", headers=headers)
    assert "no-store" in answer["Cache-Control"]
    assert answer["Content-Type"].startswith("text/plain; version=0.0.4")
    headers["Accept"] = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"
    answer = await stranger.get("/metrics", headers=headers)
    assert answer["Content-Type"].startswith("application/openmetrics-text")
    assert answer.content.endswith(b"# EOF\n")
    assert (await stranger.post("/metrics", headers=headers)).status_code == 405


async def test_without_a_pool(
    settings: Settings, pool: ScriptedPool, stranger: AsyncClient
) -> None:
    """The page is there all the same: that is when it is wanted."""
    settings.CORRAL_METRICS_TOKEN = TOKEN
    pool.answer = PoolUnavailable("no one there")
    status, text = await ask(stranger, Authorization=f"Bearer {TOKEN}")
    assert status == 200
    assert samples_of(text)["corral_pool_up"] == 0
    assert b"no one there" not in text


async def test_production_does_not_send_it_to_https(
    settings: Settings, pool: ScriptedPool, stranger: AsyncClient
) -> None:
    """Prometheus comes without TLS, as probes do."""
    settings.SECURE_SSL_REDIRECT = True
    settings.CORRAL_METRICS_TOKEN = TOKEN
    assert (await ask(stranger, Authorization=f"Bearer {TOKEN}"))[0] == 200


async def test_a_real_pool_in_the_middle_of_an_answer(
    settings: Settings, live_pool: LivePool, stranger: AsyncClient
) -> None:
    """Nobody waits for the engine: it stands still here."""
    settings.CORRAL_METRICS_TOKEN = TOKEN
    live_pool.engine.heartbeat_age_s = 12.5
    begun = time.monotonic()
    async with asyncio.timeout(5):
        _, text = await ask(stranger, Authorization=f"Bearer {TOKEN}")
    assert time.monotonic() - begun < 1.0
    samples = samples_of(text)
    assert samples["corral_pool_up"] == 1
    assert samples["corral_engine_heartbeat_age_seconds"] == 12.5
