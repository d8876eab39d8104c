"""Bodies of requests."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.core.exceptions import RequestDataTooBig
from rest_framework.exceptions import ParseError

from apps.api.json_parser import BoundedJSONParser


def parse(body: bytes) -> Any:
    return BoundedJSONParser().parse(io.BytesIO(body))


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'{"a": [1, 2.5, "\xc3\xa9"]}', {"a": [1, 2.5, "é"]}),
        (b"", {}),
        (b" \n", {}),
        (b"[]", []),
        (b"1", 1),
        (b"null", None),
    ],
)
def test_json(body: bytes, value: Any) -> None:
    assert parse(body) == value


@pytest.mark.parametrize(
    "body",
    [
        *(b"{", b"x", b"{'a': 1}", b'{"a": NaN}', b"-Infinity", b"\xff\xfe", b'"\xed\xa0\x80"'),
        *(b"[" * 30_000, b'{"a":' * 10_000, b"1" * 5_000),
    ],
)
def test_no_json(body: bytes) -> None:
    with pytest.raises(ParseError, match="no JSON"):
        parse(body)


def test_too_big(settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 20
    assert parse(b'"' + b"x" * 18 + b'"') == "x" * 18
    with pytest.raises(RequestDataTooBig):
        parse(b'"' + b"x" * 19 + b'"')
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = None
    assert parse(b'"' + b"x" * 99 + b'"') == "x" * 99
