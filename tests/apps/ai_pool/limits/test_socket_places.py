"""Places of sockets: by the line they come from, and in all."""

from __future__ import annotations

import pytest
from pytest_django import Settings

from apps.ai_pool.limits.refusals import ADDRESS_SOCKETS, ALL_SOCKETS, REFUSALS
from apps.ai_pool.limits.socket_places import NoPlace, Place, SocketPlaces

LINE, OTHER = "203.0.114.9/32", "203.0.114.10/32"


def test_a_line_has_so_many(settings: Settings) -> None:
    settings.CORRAL_ANONYMOUS_SOCKETS_PER_ADDRESS = 2
    before = REFUSALS.counts()[ADDRESS_SOCKETS]
    places = SocketPlaces()
    first, _ = places.take(LINE), places.take(LINE)
    with pytest.raises(NoPlace):
        places.take(LINE)
    assert REFUSALS.counts()[ADDRESS_SOCKETS] == before + 1
    places.take(OTHER)
    first.leave()
    first.leave()
    places.take(LINE)
    with pytest.raises(NoPlace):
        places.take(LINE)


def test_in_all(settings: Settings) -> None:
    settings.CORRAL_ANONYMOUS_SOCKETS = 3
    before = REFUSALS.counts()[ALL_SOCKETS]
    places = SocketPlaces()
    held = [places.take(line) for line in (LINE, OTHER, "")]
    for line in (LINE, ""):
        with pytest.raises(NoPlace):
            places.take(line)
    assert REFUSALS.counts()[ALL_SOCKETS] == before + 2
    held[0].leave()
    places.take("")


def test_an_address_that_tells_nothing_is_one_of_all_only(settings: Settings) -> None:
    settings.CORRAL_ANONYMOUS_SOCKETS_PER_ADDRESS = 1
    places = SocketPlaces()
    assert all(isinstance(places.take(""), Place) for _ in range(50))


def test_no_limit(settings: Settings) -> None:
    settings.CORRAL_ANONYMOUS_SOCKETS = settings.CORRAL_ANONYMOUS_SOCKETS_PER_ADDRESS = 0
    places = SocketPlaces()
    assert len([places.take(LINE) for _ in range(2000)]) == 2000


def test_nothing_is_remembered_of_who_has_gone() -> None:
    places = SocketPlaces()
    for place in [places.take(LINE), places.take(OTHER), places.take("")]:
        place.leave()
    assert places.num_taken == 0 and not places._by_line
