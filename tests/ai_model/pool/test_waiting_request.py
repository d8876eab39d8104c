"""One who waits, on the wire and on a terminal."""

from __future__ import annotations

import pytest

from ai_model.pool.errors import BadFrame
from ai_model.pool.waiting_request import WaitingRequest, short_name


def test_it_travels() -> None:
    """With and without an estimate; fields of later releases do not hurt."""
    known = WaitingRequest(
        position=1, generation="g", visitor="v-1", waited_s=2.5, eta_p50_s=1.0, eta_p90_s=3.0
    )
    unknown = WaitingRequest(position=2, generation="h", visitor="v-2", waited_s=0.0)
    for one in (known, unknown):
        assert WaitingRequest.from_json(one.to_json() | {"mood": "calm"}) == one
    with pytest.raises(BadFrame):
        WaitingRequest.from_json(known.to_json() | {"position": 0})


def test_short_names() -> None:
    """Tell visitors apart, give no key away, and cannot steer a terminal."""
    assert short_name("31a0c2ffffffffff") == "v-31a0c2"
    assert short_name("ab") == "v-ab"
    assert short_name("\x1b[2Jabc") == "v---2Jab"
