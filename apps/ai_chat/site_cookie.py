"""The cookie of a website's visitor on our own page: set when a handover was used.

One for each site, so that nobody's own chats are mixed with those of a website. Only requests that
name the site are made as this visitor.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse

from apps.ai_chat.visitor import Visitor
from apps.widget import services as sites
from apps.widget.errors import UnknownSite
from apps.widget.models import Handover, Site

LIFETIME_S = 12 * 3600
_SALT = "corral.handover"
_PREFIX = "corral_site_"
_SITE_KEY = re.compile(r"site_[a-z0-9]{1,27}", re.ASCII)


def remember_handover(request: HttpRequest, response: HttpResponse, handover: Handover) -> None:
    """Let this browser be the visitor of the handover on our page; it ends with the browser."""
    end = time.time() + LIFETIME_S
    if handover.rights_end is not None:
        end = min(end, handover.rights_end.timestamp())
    payload = {"visitor": handover.visitor, "end": round(end)}
    response.set_cookie(
        _name(handover.site.key),
        signing.dumps(payload, salt=f"{_SALT}.{handover.site.key}"),
        httponly=True,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE or request.is_secure(),
    )


def visitor_of_site_cookie(
    cookies: Mapping[str, str], site_key: str
) -> tuple[Site, Visitor] | None:
    """The site with this key and its visitor in this browser, or None. Uses the database."""
    value = cookies.get(_name(site_key), "") if _SITE_KEY.fullmatch(site_key) else ""
    if not value:
        return None
    try:
        payload = signing.loads(value, salt=f"{_SALT}.{site_key}")
        site = sites.find_site(site_key)
    except (signing.BadSignature, UnknownSite):
        return None
    key, end = str(payload["visitor"]), float(payload["end"])
    if end <= time.time() or not site.full_page:
        return None
    is_verified = key.startswith("j:")
    visitor = Visitor(key=key, site_id=site.pk, is_verified=is_verified, rights_end=end)
    return site, visitor


def _name(site_key: str) -> str:
    return _PREFIX + site_key.removeprefix("site_")
