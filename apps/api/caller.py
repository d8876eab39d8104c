"""For whom a request is: a visitor, the user of a program with a key, or the program itself."""

from __future__ import annotations

from rest_framework import exceptions
from rest_framework.request import Request

from apps.ai_chat.errors import ChatError
from apps.ai_chat.visitor import Visitor, visitor_of_key
from apps.api.models import ApiKey
from apps.api.openapi.described import Header

USER_HEADER = "X-Corral-User"
USER = Header(USER_HEADER, "For programs: the one of their users for whom they ask.")
MAX_USER_CHARS = 200


def visitor_of(request: Request) -> Visitor:
    """The visitor whose conversations this is about.

    Raises ``unauthorised`` for somebody without token, cookie, login and key, and ``forbidden`` for
    a key that is not good for chats.
    """
    found = request.auth
    if isinstance(found, ApiKey):
        return _user_of(found, request)
    if not isinstance(found, Visitor):
        raise ChatError("unauthorised")
    return found


def visitor_or_nobody(request: Request) -> Visitor | None:
    """The same, or None for somebody new, who has nothing yet."""
    return None if request.auth is None else visitor_of(request)


def key_of(request: Request) -> ApiKey | None:
    """The key that was shown, if it was one."""
    return request.auth if isinstance(request.auth, ApiKey) else None


def _user_of(key: ApiKey, request: Request) -> Visitor:
    if not key.has_scope(ApiKey.Scope.CHAT):
        raise ChatError("forbidden")
    name = request.headers.get(USER_HEADER, "").strip()
    if len(name) > MAX_USER_CHARS:
        raise exceptions.ValidationError(
            {USER_HEADER: f"A name has at most {MAX_USER_CHARS} characters."}
        )
    return visitor_of_key(key.pk, name)
