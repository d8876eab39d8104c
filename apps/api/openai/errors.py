"""Errors in the shape and with the statuses that clients of OpenAI's API act upon.

429 says that the caller is over a limit of its own, 503 that the server has no room for anybody,
and 504 that a deadline passed. Clients try 408, 409, 429 and 5xx again, and look at ``Retry-After``
for when.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from django.http import JsonResponse

from apps.ai_chat.errors import PROBLEMS, ChatError

_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "invalid_request_error",
    413: "invalid_request_error",
    429: "rate_limit_error",
    503: "unavailable_error",
    504: "timeout_error",
}
_BUSY = (429, 503)
RETRY_S = 5.0
"""When to come back where nothing better is known."""
_CODES = {"context_full": (400, "context_length_exceeded"), "too_long": (413, "request_too_large")}
"""Where OpenAI has a word of its own for one of our codes."""


class OpenAIError(Exception):
    """What a client is told; ``code`` is stable, ``text`` one sentence, ``param`` the field."""

    def __init__(
        self,
        status: int,
        code: str,
        text: str,
        *,
        param: str | None = None,
        retry_after_s: float | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(text)
        self.status = status
        self.code = code
        self.text = text
        self.param = param
        # Whoever is sent away is always told when to come back.
        is_busy = status in _BUSY and retry_after_s is None
        self.retry_after_s = RETRY_S if is_busy else retry_after_s
        self.headers = headers or {}

    @classmethod
    def of_code(
        cls, code: str, *, text: str = "", retry_after_s: float | None = None
    ) -> OpenAIError:
        """The error for a code of our own table."""
        code = code if code in PROBLEMS else "internal"
        status, name = _CODES.get(code, (PROBLEMS[code].http_status, code))
        return cls(status, name, text or ChatError(code).text, retry_after_s=retry_after_s)

    def body(self) -> dict[str, Any]:
        """The object in a response or in the middle of a stream."""
        kind = _TYPES.get(self.status, "server_error")
        described = {"message": self.text, "type": kind, "param": self.param, "code": self.code}
        return {"error": described}

    def response(self) -> JsonResponse:
        """The response, for an error before the first byte."""
        answer = JsonResponse(self.body(), status=self.status, headers=dict(self.headers))
        if self.status == 401:
            answer.headers["WWW-Authenticate"] = "Bearer"
        if self.retry_after_s is not None:
            answer.headers["Retry-After"] = str(max(1, math.ceil(self.retry_after_s)))
            answer.headers["retry-after-ms"] = str(max(1, round(self.retry_after_s * 1000)))
        return answer


def bad_field(param: str, text: str) -> OpenAIError:
    """A field with a value that cannot be."""
    return OpenAIError(400, "invalid_value", text, param=param)


def not_supported(param: str, text: str) -> OpenAIError:
    """A field that OpenAI has and Corral has not."""
    return OpenAIError(400, "unsupported_parameter", text, param=param)
