"""Who signs in on our own page keeps what they wrote before; signing out closes their lines."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from apps.ai_chat import services
from apps.ai_chat.generations import dismiss_everywhere, move_everywhere
from apps.ai_chat.visitor import COOKIE_NAME, unsign, visitor_of_id, visitor_of_user


def take_chats_along(request: HttpRequest | None, user: Any, **kwargs: Any) -> None:
    """Give the chats of the browser's cookie to its user; receives ``user_logged_in``.

    A login without a browser (tests, scripts) brings nothing along.
    """
    visitor_id = unsign(request.COOKIES.get(COOKIE_NAME, "")) if request is not None else None
    if visitor_id is None:
        return
    source, target = visitor_of_id(visitor_id), visitor_of_user(user)
    if services.merge_visitors(source=source, target=target):
        move_everywhere(source.key, target.key)


def close_lines(request: HttpRequest | None, user: Any, **kwargs: Any) -> None:
    """Close every line that this login opened; receives ``user_logged_out``.

    The session ends here rather than a moment later: a line that comes back at once must not find
    it.
    """
    if request is None or user is None or not request.session.session_key:
        return
    session_key = request.session.session_key
    request.session.delete(session_key)
    dismiss_everywhere(visitor_of_user(user).key, "unauthorised", session_key=session_key)
