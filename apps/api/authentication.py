"""Who calls the API: a website's visitor by token, our signed-in user, or our visitor by cookie."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.http import HttpRequest
from rest_framework import authentication, exceptions
from rest_framework.request import Request

from apps.ai_chat.errors import ChatError
from apps.ai_chat.site_cookie import visitor_of_site_cookie
from apps.ai_chat.visitor import Visitor, visitor_of_request
from apps.ai_pool.limits.client_address import counted_address
from apps.api.bearer import bearer_token, visitor_of_bearer


class VisitorAuthentication(authentication.BaseAuthentication):
    """Puts the Visitor into ``request.auth``.

    With a bearer token only the token counts, whatever cookies come along. The other ways are
    cookies, so writing needs the CSRF token. ``?handover=`` names the website whose visitor asks
    from our own page.
    """

    def authenticate(self, request: Request) -> tuple[Any, Visitor] | None:
        host = str(counted_address(request._request) or "")
        token = bearer_token(request._request)
        if token is not None:
            return None, replace(visitor_of_bearer(request._request, token), host=host)
        visitor = self._by_cookie(request._request)
        if visitor is None:
            return None
        self._enforce_csrf(request)
        return request._request.user, replace(visitor, host=host)

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"

    def _by_cookie(self, request: HttpRequest) -> Visitor | None:
        if "handover" not in request.GET:
            return visitor_of_request(request)
        found = visitor_of_site_cookie(request.COOKIES, request.GET["handover"])
        if found is None:
            raise ChatError("handover_over")
        return found[1]

    def _enforce_csrf(self, request: Request) -> None:
        check = authentication.CSRFCheck(lambda _: None)  # type: ignore[arg-type]
        check.process_request(request._request)
        if check.process_view(request._request, None, (), {}) is not None:
            raise exceptions.PermissionDenied
