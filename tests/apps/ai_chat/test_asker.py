"""What the pool is told about who asks."""

from __future__ import annotations

from typing import Any

import pytest

from ai_model.pool.priority import Priority
from apps.ai_chat.asker import address_key
from apps.ai_chat.visitor import Visitor


def test_neighbours_are_one_block_and_others_another() -> None:
    assert address_key("93.184.216.34") == address_key("93.184.216.99") != ""
    assert address_key("93.184.217.34") != address_key("93.184.216.34")
    assert address_key("2a00:1450:4001:8aa::1") == address_key("2a00:1450:4001:8bb::2")
    assert address_key("2a00:1450:4001:9aa::1") != address_key("2a00:1450:4001:8bb::2")


def test_an_address_inside_another_protocol_is_the_same() -> None:
    assert address_key("::ffff:93.184.216.34") == address_key("93.184.216.1")


@pytest.mark.parametrize("host", ["", "127.0.0.1", "::1", "10.0.0.7", "testclient", "/run/x.sock"])
def test_a_proxy_is_nobody(host: str) -> None:
    """Or all visitors behind it would share the limits of one."""
    assert address_key(host) == ""


def test_the_key_cannot_be_made_without_the_secret(settings: Any) -> None:
    before = address_key("93.184.216.34")
    settings.SECRET_KEY = "another"
    assert address_key("93.184.216.34") != before


def test_staff_ask_as_staff() -> None:
    assert Visitor(key="u:1", is_staff=True).asker.priority is Priority.STAFF
    asker = Visitor(key="v:1", host="93.184.216.34").asker
    assert asker.priority is Priority.VISITOR
    assert asker.address == address_key("93.184.216.34")
    assert asker.visitor == Visitor(key="v:1").pool_key
