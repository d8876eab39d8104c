"""How long somebody wants to wait for an answer."""

from __future__ import annotations

from contextlib import ExitStack

import pytest
from django.test import RequestFactory

from apps.api import waiting
from apps.api.waiting import MAX_WAIT_S, MAX_WAITING_EACH, place_to_wait, wait_asked


@pytest.mark.parametrize(
    ("query", "prefer", "seconds"),
    [
        ("", "", 0),
        ("?wait=1", "", MAX_WAIT_S),
        ("?wait=true", "", MAX_WAIT_S),
        ("?wait=0", "", 0),
        ("?wait=60", "", 0),
        ("", "wait", MAX_WAIT_S),
        ("", "wait=20", 20),
        ("", 'respond-async, wait="20"', 20),
        ("", "WAIT = 20; x", 20),
        ("", "wait=999999", MAX_WAIT_S),
        ("", "wait=0", 0),
        ("", "wait=x", 0),
        ("", "await=20", 0),
        ("", "respond-async", 0),
    ],
)
def test_wait_asked(query: str, prefer: str, seconds: float) -> None:
    headers = {"prefer": prefer} if prefer else {}
    assert wait_asked(RequestFactory().post(f"/{query}", headers=headers)) == seconds


def test_places_to_wait_have_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    with ExitStack() as places:
        for _ in range(MAX_WAITING_EACH):
            assert places.enter_context(place_to_wait("anna"))
        assert not places.enter_context(place_to_wait("anna"))
        assert places.enter_context(place_to_wait("bert"))
        monkeypatch.setattr(waiting, "MAX_WAITING", MAX_WAITING_EACH + 1)
        assert not places.enter_context(place_to_wait("carl"))
    assert not waiting._waiting, "nothing is left behind"
    with place_to_wait("carl") as has_place:
        assert has_place
