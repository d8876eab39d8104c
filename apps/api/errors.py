"""One shape for every error of the API: ``{"error": {"code", "message", "request_id"}}``.

``request_id`` stands in the log and in ``X-Request-ID``; it is left out where there is none.
"""

from __future__ import annotations

import math
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig, ValidationError
from django.http import Http404
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from ai_model.pool.errors import BadFrame, PoolError, PoolUnavailable, UnknownGeneration
from ai_model.request_id import current_request_id
from apps.ai_chat.errors import ChatError
from apps.ai_pool.limits.store import StoreAway
from apps.widget.errors import BadToken, UnknownSite, WidgetError

_STATUS: dict[type[WidgetError], int] = {UnknownSite: 404, BadToken: 401}
TOO_BIG = "The request is too big."
NO_KEY = "An API key or a login is needed here."
POOL_RETRY_S = 5
MAX_CHARS = 500
"""Of a sentence: some hold what was sent."""
Described = tuple[int, str, str, dict[str, str]]


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """Turn an exception into an answer; None lets Django report a defect as a plain 500."""
    described = _describe(error)
    if described is None:
        return None
    status, code, message, headers = described
    set_rollback()
    return Response(error_body(code, message), status=status, headers=headers)


def error_body(code: str, message: str) -> dict[str, Any]:
    """The object that every error is."""
    described = {"code": code, "message": message[:MAX_CHARS]}
    request_id = current_request_id.get()
    return {"error": described | ({"request_id": request_id} if request_id else {})}


def _describe(error: Exception) -> Described | None:
    described = (
        _of_the_chat(error) or _of_the_pool(error) or _of_django(error) or _of_the_framework(error)
    )
    if described is not None and described[0] == 401:
        described[3].setdefault("WWW-Authenticate", "Bearer")
    return described


def _of_the_chat(error: Exception) -> Described | None:
    if isinstance(error, ChatError):
        headers = _retry_after(error.retry_after_s)
        return error.problem.http_status, error.code, error.text, headers
    if isinstance(error, WidgetError):
        status = next((_STATUS[kind] for kind in _STATUS if isinstance(error, kind)), 403)
        return status, error.code, error.text, {}
    return None


def _of_the_pool(error: Exception) -> Described | None:
    """What operators are told, in the pool's own words."""
    if isinstance(error, PoolUnavailable):
        return 503, "pool_lost", error.text, _retry_after(POOL_RETRY_S)
    if isinstance(error, UnknownGeneration):
        return 404, "not_found", ChatError("not_found").text, {}
    if isinstance(error, BadFrame):
        return 400, "invalid", error.text, {}
    if isinstance(error, PoolError):
        return 409, "refused", error.text, {}
    if isinstance(error, StoreAway):
        table = ChatError("internal")
        return 503, table.code, table.text, _retry_after(POOL_RETRY_S)
    return None


def _of_django(error: Exception) -> Described | None:
    if isinstance(error, RequestDataTooBig):
        return 413, "too_big", TOO_BIG, {}
    if isinstance(error, Http404):
        return 404, "not_found", ChatError("not_found").text, {}
    if isinstance(error, PermissionDenied):
        return 403, "forbidden", ChatError("forbidden").text, {}
    if isinstance(error, ValidationError):
        # A cursor that somebody made up asks the database for what is no date.
        return 400, "invalid", "; ".join(error.messages), {}
    return None


def _of_the_framework(error: Exception) -> Described | None:
    if not isinstance(error, exceptions.APIException):
        return None
    detail = _first_sentence(error.detail)
    if isinstance(error, exceptions.NotAuthenticated):
        return 401, "unauthorised", NO_KEY, {}
    if isinstance(error, exceptions.AuthenticationFailed):
        return 401, "unauthorised", detail, {}
    if isinstance(error, exceptions.PermissionDenied):
        usual = detail == str(exceptions.PermissionDenied.default_detail)
        return 403, "forbidden", ChatError("forbidden").text if usual else detail, {}
    if isinstance(error, exceptions.ValidationError):
        return 400, "invalid", detail, {}
    if isinstance(error, exceptions.Throttled):
        return 429, "rate_limited", ChatError("rate_limited").text, _retry_after(error.wait)
    return error.status_code, str(error.default_code), detail, {}


def _retry_after(seconds: float | None) -> dict[str, str]:
    if seconds is None:
        return {}
    return {"Retry-After": str(max(1, math.ceil(seconds)))}


def _first_sentence(detail: Any) -> str:
    if isinstance(detail, dict):
        name, value = next(iter(detail.items()), ("", ""))
        return f"{name}: {_first_sentence(value)}"
    if isinstance(detail, list):
        return _first_sentence(detail[0]) if detail else ""
    return str(detail)
