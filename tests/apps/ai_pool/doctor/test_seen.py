"""What the server saw is told only to who holds its key."""

from __future__ import annotations

import pytest
from django.core import signing
from django.test import Client, override_settings
from django.urls import reverse

from apps.ai_pool.doctor.seen import HEADER, PATH, STREAM_HEADERS, signature
from apps.api.event_stream import STREAM_HEADERS as REAL_STREAM_HEADERS


def get(value: str, query: str = "", **headers: str) -> object:
    return Client(headers={HEADER: value, **headers}).get(PATH + query)


def test_nobody_else_finds_it() -> None:
    with override_settings(SECRET_KEY="another" * 10):
        foreign = signature()
    other_use = signing.TimestampSigner(salt="other").sign("doctor")
    for value in ("", "doctor", foreign, other_use, signature() + "x"):
        assert get(value).status_code == 404  # type: ignore[attr-defined]


def test_an_old_signature_is_worth_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    value, now = signature(), time.time()
    assert get(value).status_code == 200  # type: ignore[attr-defined]
    monkeypatch.setattr("time.time", lambda: now + 400)
    assert get(value).status_code == 404  # type: ignore[attr-defined]


def test_tells_what_arrived() -> None:
    seen = get(signature(), host="localhost:81", x_forwarded_for="1.2.3.4").json()  # type: ignore[attr-defined]
    assert (seen["scheme"], seen["host"]) == ("http", "localhost:81")
    assert (seen["address"], seen["forwarded_for"]) == ("127.0.0.1", "1.2.3.4")
    assert not any("key" in name.lower() for name in seen)


def test_streams_are_marked_as_real_ones_are() -> None:
    assert reverse("ai_pool:health-seen") == PATH
    assert STREAM_HEADERS == REAL_STREAM_HEADERS
    marked = get(signature(), "?stream=marked")
    plain = get(signature(), "?stream=plain")
    assert marked["X-Accel-Buffering"] == "no" and "X-Accel-Buffering" not in plain  # type: ignore[index, operator]
