"""Who may ask at all, and how much: what a website or a login allowed may end meanwhile."""

from __future__ import annotations

import time

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.sessions.backends.db import SessionStore

from apps.ai_chat.errors import ChatError
from apps.ai_chat.visitor import Visitor
from apps.widget import services as sites
from apps.widget.errors import WidgetError
from apps.widget.models import Site


def check_welcome(*, visitor: Visitor, origin: str = "") -> None:
    """Raise a ChatError when the visitor may not ask (any more).

    ``unauthorised`` after a logout, ``login_ended`` when a website's word for a user has ended,
    ``site_off`` and ``origin_not_allowed`` when the owner of the
    website changed their mind. ``origin`` is that of the website's page, where it is known.
    """
    if visitor.rights_end is not None and visitor.rights_end <= time.time():
        raise ChatError("login_ended")
    if not is_still_signed_in(visitor=visitor):
        raise ChatError("unauthorised")
    if visitor.site_id is None:
        return
    site = _site_of(visitor)
    if site is None:
        raise ChatError("unknown_site")
    try:
        sites.check_is_on(site)
        if origin:
            sites.check_origin(site, origin)
    except WidgetError as error:
        raise ChatError(error.code) from None


def is_still_signed_in(*, visitor: Visitor) -> bool:
    """False once the user of an open socket logged out or was switched off."""
    if visitor.user_id is None:
        return True
    if not get_user_model().objects.filter(pk=visitor.user_id, is_active=True).exists():
        return False
    return not visitor.session_key or SessionStore().exists(visitor.session_key)


def max_chars_for(visitor: Visitor | None = None) -> int:
    """The longest question this visitor may send."""
    site = _site_of(visitor)
    return int(settings.CORRAL_MAX_CHARS) if site is None else sites.max_chars(site)


def max_inflight_for(visitor: Visitor | None = None) -> int:
    """How many answers this visitor may wait for at the same time."""
    site = _site_of(visitor)
    return int(settings.CORRAL_MAX_INFLIGHT) if site is None else sites.max_inflight(site)


def _site_of(visitor: Visitor | None) -> Site | None:
    if visitor is None or visitor.site_id is None:
        return None
    return Site.objects.defer("logo").filter(pk=visitor.site_id).first()
