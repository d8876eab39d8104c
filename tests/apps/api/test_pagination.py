"""Pages of lists, and cursors that nobody was given."""

from __future__ import annotations

from base64 import b64encode

import pytest

from apps.ai_chat.visitor import visitor_of_id
from apps.widget.models import Site
from tests.apps.api.operators import key_client
from tests.apps.api.test_conversations import ANNA, LIST, client_of, error_of, exchange

pytestmark = pytest.mark.django_db
HOSTILE = (
    *("p=notadate", "p=%00", "p=", "o=99999999999999999999", "o=-1", "r=x", "p=10000-01-01"),
    *("p=" + "9" * 400, "p=1e400", "p=%ED%A0%80", "p=2026-01-01&r=1&o=5", "x"),
)


def encoded(cursor: str) -> str:
    return b64encode(cursor.encode()).decode()


@pytest.mark.parametrize("cursor", [*map(encoded, HOSTILE), "x", "\x00", "\u00e9", "A" * 2000])
def test_hostile_cursors(cursor: str) -> None:
    sent = exchange(visitor_of_id(ANNA))
    Site.objects.create(name="Shop")
    lists = (
        (client_of(ANNA), LIST),
        (client_of(ANNA), f"{LIST}{sent.conversation}/messages/"),
        (key_client("pool.read"), "/api/v1/sites/"),
    )
    for client, address in lists:
        answer = client.get(address, {"cursor": cursor})
        if answer.status_code != 200:
            assert error_of(answer) == (400, "invalid"), (address, answer.content)


def test_ties_are_neither_lost_nor_doubled() -> None:
    for number in range(5):
        Site.objects.create(name="Same", contact=f"{number}@example.org")
    client, address, found = key_client("pool.read"), "/api/v1/sites/?limit=2", []
    while address:
        page = client.get(address).json()
        found += [row["contact"] for row in page["results"]]
        address = page["next"]
    assert found == [f"{number}@example.org" for number in range(5)]
