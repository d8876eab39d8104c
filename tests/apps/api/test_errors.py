"""One shape for all errors."""

from __future__ import annotations

import pytest
from django.core.exceptions import PermissionDenied, RequestDataTooBig, ValidationError
from django.http import Http404
from rest_framework import exceptions

from ai_model.pool.errors import BadFrame, PoolLost, QueueFull, UnknownGeneration
from ai_model.request_id import current_request_id
from apps.ai_chat.errors import ChatError
from apps.ai_pool.limits.store import StoreAway
from apps.api.errors import NO_KEY, exception_handler
from apps.widget.errors import BadToken, OriginRefused, UnknownSite


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (ChatError("queue_full", retry_after_s=3), 503, "queue_full"),
        (ChatError("unauthorised"), 401, "unauthorised"),
        (UnknownSite(), 404, "unknown_site"),
        (BadToken("No."), 401, "unauthorised"),
        (OriginRefused("https://x", "No."), 403, "origin_not_allowed"),
        (PoolLost("Gone."), 503, "pool_lost"),
        (UnknownGeneration("Which?"), 404, "not_found"),
        (BadFrame("Odd."), 400, "invalid"),
        (QueueFull("Full."), 409, "refused"),
        (StoreAway(2.5), 503, "internal"),
        (RequestDataTooBig(), 413, "too_big"),
        (Http404("/secret/path"), 404, "not_found"),
        (PermissionDenied("why"), 403, "forbidden"),
        (ValidationError("no date"), 400, "invalid"),
        (exceptions.NotAuthenticated(), 401, "unauthorised"),
        (exceptions.AuthenticationFailed("Bad key."), 401, "unauthorised"),
        (exceptions.PermissionDenied(), 403, "forbidden"),
        (exceptions.ParseError(), 400, "parse_error"),
        (exceptions.MethodNotAllowed("PUT"), 405, "method_not_allowed"),
        (exceptions.NotFound(), 404, "not_found"),
        (exceptions.UnsupportedMediaType("x/y"), 415, "unsupported_media_type"),
        (exceptions.Throttled(wait=0.2), 429, "rate_limited"),
        (exceptions.ValidationError({"title": ["Too long."]}), 400, "invalid"),
    ],
)
def test_the_table(error: Exception, status: int, code: str) -> None:
    answer = exception_handler(error, {})
    assert answer is not None
    assert (answer.status_code, answer.data["error"]["code"]) == (status, code)
    assert set(answer.data["error"]) == {"code", "message"} and answer.data["error"]["message"]
    assert ("WWW-Authenticate" in answer) is (status == 401)
    if status == 429 or (status == 503 and code != "queue_full"):
        assert int(answer["Retry-After"]) >= 1


def test_what_is_said() -> None:
    def said(error: Exception) -> str:
        answer = exception_handler(error, {})
        assert answer is not None
        return str(answer.data["error"]["message"])

    assert said(exceptions.ValidationError({"title": ["Too long."]})) == "title: Too long."
    assert said(exceptions.NotAuthenticated()) == NO_KEY
    assert said(exceptions.PermissionDenied("Not good for x.")) == "Not good for x."
    assert "secret" not in said(Http404("/secret/path"))
    assert len(said(exceptions.ValidationError("x" * 9999))) == 500


def test_the_id_of_the_request_comes_along() -> None:
    token = current_request_id.set("abc123")
    try:
        answer = exception_handler(Http404(), {})
    finally:
        current_request_id.reset(token)
    assert answer is not None and answer.data["error"]["request_id"] == "abc123"


def test_a_defect_is_not_dressed_up() -> None:
    assert exception_handler(ZeroDivisionError(), {}) is None
