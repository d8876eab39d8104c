"""Which request is being handled, for what is noted far from any view."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest
from django.utils.decorators import sync_and_async_middleware

from apps.ai_pool.limits.address_block import request_block

LOCAL = "local network"
"""An address that is not public tells nothing more."""
_request: ContextVar[HttpRequest | None] = ContextVar("corral_request", default=None)


@sync_and_async_middleware
def remember_request(get_response: Callable[[HttpRequest], Any]) -> Callable[..., Any]:
    """Middleware: keep the request within reach while it is handled."""
    if iscoroutinefunction(get_response):

        async def handle_async(request: HttpRequest) -> Any:
            token = _request.set(request)
            try:
                return await get_response(request)
            finally:
                _request.reset(token)

        return handle_async

    def handle(request: HttpRequest) -> Any:
        token = _request.set(request)
        try:
            return get_response(request)
        finally:
            _request.reset(token)

    return handle


def place_of_request() -> str:
    """Return the block of addresses of the request in hand, LOCAL, or "" where there is none."""
    request = _request.get()
    return "" if request is None else request_block(request) or LOCAL
