"""Ids of requests: what may be one, and that every line of the log carries it."""

from __future__ import annotations

import json
import logging

import pytest

from ai_model.log_format import JSON, PLAIN, facts, formatter
from ai_model.request_id import MAX_CHARS, current_request_id, is_request_id, new_request_id


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("7f3a-1.b:c_d", True),
        ("x" * MAX_CHARS, True),
        ("x" * (MAX_CHARS + 1), False),
        ("", False),
        ("a b", False),
        ("a\n", False),
        ("a=b", False),
        ("\u00e9", False),
    ],
)
def test_what_may_be_one(text: str, expected: bool) -> None:
    assert is_request_id(text) is expected


def test_fresh_ones_differ_and_may_be_one() -> None:
    first, second = new_request_id(), new_request_id()
    assert first != second and is_request_id(first)


@pytest.mark.parametrize("name", [PLAIN, JSON])
def test_every_line_carries_it(name: str) -> None:
    def line(**values: str) -> str:
        record = logging.LogRecord("a", logging.INFO, "", 0, "sentence", None, None)
        record.__dict__.update(facts(**values))
        return formatter(name).format(record)

    token = current_request_id.set("7f3a")
    try:
        about, other = line(gen="g"), line(request="of the answer")
    finally:
        current_request_id.reset(token)
    if name == JSON:
        assert json.loads(about)["request"] == "7f3a"
        assert json.loads(other)["request"] == "of the answer"
    else:
        assert about.endswith("sentence gen=g request=7f3a")
        assert other.endswith('request="of the answer"')
    assert "request" not in line()
