"""One shape for every error of the API: ``{"error": {"code", "message"}}``."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.http import Http404
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from apps.ai_chat.errors import ChatError
from apps.widget.errors import BadToken, UnknownSite, WidgetError

_STATUS: dict[type[WidgetError], int] = {UnknownSite: 404, BadToken: 401}
TOO_BIG = "The request is too big."


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """Turn an exception into an answer; None lets Django report a defect as a plain 500."""
    described = _describe(error)
    if described is None:
        return None
    status, code, message, headers = described
    set_rollback()
    return Response({"error": {"code": code, "message": message}}, status=status, headers=headers)


def _describe(error: Exception) -> tuple[int, str, str, dict[str, str]] | None:
    headers: dict[str, str] = {}
    if isinstance(error, ChatError):
        if error.retry_after_s is not None:
            headers["Retry-After"] = str(max(1, round(error.retry_after_s)))
        return error.problem.http_status, error.code, error.text, headers
    if isinstance(error, WidgetError):
        status = next((_STATUS[kind] for kind in _STATUS if isinstance(error, kind)), 403)
        return status, error.code, error.text, headers
    if isinstance(error, RequestDataTooBig):
        return 413, "too_big", TOO_BIG, headers
    if isinstance(error, Http404):
        return 404, "not_found", ChatError("not_found").text, headers
    if isinstance(error, (PermissionDenied, exceptions.PermissionDenied)):
        return 403, "forbidden", ChatError("forbidden").text, headers
    if isinstance(error, exceptions.ValidationError):
        return 400, "invalid", _first_sentence(error.detail), headers
    if isinstance(error, exceptions.APIException):
        wait = getattr(error, "wait", None)
        if wait:
            headers["Retry-After"] = str(max(1, round(wait)))
        return error.status_code, str(error.get_codes()), str(error.detail), headers
    return None


def _first_sentence(detail: Any) -> str:
    if isinstance(detail, dict):
        name, value = next(iter(detail.items()), ("", ""))
        return f"{name}: {_first_sentence(value)}"
    if isinstance(detail, list):
        return _first_sentence(detail[0]) if detail else ""
    return str(detail)
