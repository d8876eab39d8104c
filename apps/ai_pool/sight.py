"""Who sees everything the pool tells about itself, and who sees the public numbers."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, load_backend
from django.db import connections
from django.utils.crypto import constant_time_compare

PERMISSION = "ai_pool.view_poolstatus"


async def sees_everything(user: Any) -> bool:
    """Return whether ``user`` is staff with the permission to view the pool's status."""
    return bool(user.is_active and user.is_staff and await user.ahas_perm(PERMISSION))


async def session_sees_everything(session_key: str) -> bool:
    """Return whether whoever is signed in with a session, as the database has it now, sees it all.

    Holds no thread and no connection afterwards. Raises what the database raises.
    """
    if not session_key:
        return False
    # A thread of its own: the one of a stream would be kept as long as somebody watches.
    return await sync_to_async(_ask_database, thread_sensitive=False)(session_key)


def _ask_database(session_key: str) -> bool:
    try:
        user = _user_of(session_key)
        return bool(
            user is not None and user.is_active and user.is_staff and user.has_perm(PERMISSION)
        )
    finally:
        connections.close_all()


def _user_of(session_key: str) -> Any:
    """Return who is signed in with a session, or None; unlike Django's own way it changes nothing.

    Django gives a session a new key when SECRET_KEY has changed, and nobody would be told it here.
    """
    session = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
    path = session.get(BACKEND_SESSION_KEY, "")
    if path not in settings.AUTHENTICATION_BACKENDS:
        return None
    user = load_backend(path).get_user(session[SESSION_KEY])
    if user is None:
        return None
    known = session.get(HASH_SESSION_KEY, "")
    valid = (user.get_session_auth_hash(), *user.get_session_auth_fallback_hash())
    return user if any(constant_time_compare(known, one) for one in valid) else None
