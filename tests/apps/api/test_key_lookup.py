"""Who shows the same key at the same moment shares a look-up, and nobody else does."""

from __future__ import annotations

import asyncio
import threading

import pytest

from apps.api import key_lookup
from apps.api.api_keys import BadKey
from apps.api.key_lookup import look_up
from apps.api.models import ApiKey


class Table:
    """The keys, as somebody looks who can be held up."""

    def __init__(self) -> None:
        self.looks: list[tuple[str, str]] = []
        self.may_answer = threading.Event()

    def find(self, secret: str, *, address: str) -> ApiKey:
        """Return a key named after the secret, or raise BadKey for the secret "bad"."""
        self.looks.append((secret, address))
        assert self.may_answer.wait(5)
        if secret == "bad":
            raise BadKey("This API key is not valid.")
        return ApiKey(name=secret)


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> Table:
    table = Table()
    monkeypatch.setattr(key_lookup, "find_key", table.find)
    return table


async def test_one_look_for_all_who_come_meanwhile(table: Table) -> None:
    asked = [asyncio.create_task(look_up("shop", address="192.0.2.7")) for _ in range(50)]
    await asyncio.sleep(0)
    table.may_answer.set()
    assert {key.name for key in await asyncio.gather(*asked)} == {"shop"}
    assert table.looks == [("shop", "192.0.2.7")]


async def test_nothing_is_remembered(table: Table) -> None:
    table.may_answer.set()
    await look_up("shop", address="")
    await look_up("shop", address="")
    assert len(table.looks) == 2, "it may have been revoked in between"


async def test_another_key_and_another_address_are_looked_up_apart(table: Table) -> None:
    table.may_answer.set()
    shown = [("shop", "192.0.2.7"), ("shop", "192.0.2.8"), ("desk", "192.0.2.7")]
    await asyncio.gather(*(look_up(secret, address=address) for secret, address in shown))
    assert sorted(table.looks) == sorted(shown)


async def test_a_wrong_key_is_wrong_for_all(table: Table) -> None:
    asked = [asyncio.create_task(look_up("bad", address="")) for _ in range(3)]
    await asyncio.sleep(0)
    table.may_answer.set()
    found = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(one) for one in found] == [BadKey] * 3 and len(table.looks) == 1


async def test_who_goes_away_takes_nobodys_look_along(table: Table) -> None:
    first, second = [asyncio.create_task(look_up("shop", address="")) for _ in range(2)]
    await asyncio.sleep(0)
    first.cancel()
    table.may_answer.set()
    assert (await second).name == "shop"
    assert first.cancelled() and len(table.looks) == 1
