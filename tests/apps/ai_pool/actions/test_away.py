"""A pool that does not answer: nothing is done, and it is said."""

from __future__ import annotations

import pytest

from ai_model.pool.errors import PoolUnavailable
from apps.ai_pool import services
from tests.apps.ai_pool.actions.operating import (
    address,
    client_of,
    noted,
    permission_of,
)
from tests.apps.ai_pool.conftest import ScriptedPool

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("name", ["pause", "resume", "drain", "resize", "model", "limit", "cancel"])
def test_without_a_pool_nothing_is_done_and_it_is_said(
    name: str, pool: ScriptedPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool.answer = PoolUnavailable("Nobody listens.")
    client = client_of(permission_of(name))
    for answer in (client.get(address(name)), client.post(address(name), {"message": "x"})):
        text = answer.content.decode()
        assert "Nobody listens." in text and 'method="post"' not in text.split("<main")[-1]
    assert noted() == []


def test_a_pool_that_goes_away_meanwhile(
    pool: ScriptedPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> None:
        raise PoolUnavailable("the connection was lost")

    monkeypatch.setattr(services, "drain_pool", refuse)
    text = client_of("drain_pool").post(address("drain")).content.decode()
    assert "The connection was lost." in text and noted() == []
