"""Reads that repeat: whoever has the newest already is sent nothing again."""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from django.utils.cache import patch_vary_headers
from django.utils.http import parse_etags
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.encoders import JSONEncoder

View = TypeVar("View", bound=Callable[..., Any])
NUM_DIGITS = 20


def with_etag(get: View) -> View:
    """Decorate a ``get`` that returns a Response: it says which state of things it is, and is 304
    without a body to whoever sends that state's name in ``If-None-Match``.

    Spares bytes, not the work behind them. Takes plain methods and coroutines.
    """
    if inspect.iscoroutinefunction(get):

        @wraps(get)
        async def answer_later(self: Any, request: Request, *args: Any, **kwargs: Any) -> Any:
            return _answer(request, await get(self, request, *args, **kwargs))

        answer_later.has_etag = True  # type: ignore[attr-defined]
        return answer_later  # type: ignore[return-value]

    @wraps(get)
    def answer(self: Any, request: Request, *args: Any, **kwargs: Any) -> Any:
        return _answer(request, get(self, request, *args, **kwargs))

    answer.has_etag = True  # type: ignore[attr-defined]
    return answer  # type: ignore[return-value]


def etag_of(data: Any) -> str:
    """The name of a state: the same data has the same, whichever process tells it."""
    text = json.dumps(data, cls=JSONEncoder, sort_keys=True)
    return f'W/"{hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:NUM_DIGITS]}"'


def _answer(request: Request, response: Response) -> Response:
    if response.status_code != 200:
        return response
    etag = etag_of(response.data)
    if _is_known(etag, request.headers.get("If-None-Match", "")):
        headers = {name: response[name] for name in ("Cache-Control", "Vary") if name in response}
        response = Response(status=304, headers=headers)
    response["ETag"] = etag
    # Kept by whoever asked and nobody else, and asked for again each time.
    response["Cache-Control"] = "private, no-cache"
    patch_vary_headers(response, ["Authorization", "Cookie"])
    return response


def _is_known(etag: str, header: str) -> bool:
    """The weak comparison of RFC 9110."""
    known = [one.removeprefix("W/") for one in parse_etags(header)]
    return "*" in known or etag.removeprefix("W/") in known
