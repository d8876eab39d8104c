"""Numbers and languages that come with a request for events."""

from __future__ import annotations

import pytest
from django.test import RequestFactory

from apps.api.admission import language_asked
from apps.api.event_stream import event_number


@pytest.mark.parametrize(
    ("value", "number"),
    [("", 0), ("7", 7), ("007", 7), ("-1", 0), ("1.5", 0), ("\u0667", 0), ("9" * 16, 0), ("1 ", 0)],
)
def test_event_number(value: str, number: int) -> None:
    assert event_number(value) == number


@pytest.mark.parametrize(
    ("query", "language"),
    [("", ""), ("?lang=de-AT", "de"), ("?lang=xx", ""), ("?lang=" + "d" * 99, "")],
)
def test_language_asked(query: str, language: str) -> None:
    assert language_asked(RequestFactory().get("/" + query)) == language
