"""Programs with a key, for the REST framework."""

from __future__ import annotations

from typing import Any

from rest_framework import authentication, exceptions
from rest_framework.request import Request

from apps.ai_pool.limits.client_address import client_address
from apps.api.api_keys import PREFIX, BadKey, find_key
from apps.api.bearer import bearer_token
from apps.api.models import ApiKey


class KeyAuthentication(authentication.BaseAuthentication):
    """Puts the ApiKey into ``request.auth``; ``request.user`` is nobody then.

    Stands before VisitorAuthentication: what begins like a key is a key, and no cookie is looked at
    beside it. Any other token is somebody else's to read. Raises AuthenticationFailed for a key
    that is wrong, revoked, too old or used from where it may not be.
    """

    def authenticate(self, request: Request) -> tuple[Any, ApiKey] | None:
        secret = bearer_token(request._request)
        if secret is None or not secret.startswith(PREFIX):
            return None
        address = str(client_address(request._request) or "")
        try:
            return None, find_key(secret, address=address)
        except BadKey as error:
            raise exceptions.AuthenticationFailed(str(error)) from None

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"
