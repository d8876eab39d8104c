"""Who a bearer token stands for: a visitor or a verified user of a website.

No cookie is looked at, so nothing here needs a CSRF token: a page of another site can not make a
browser send this header by itself.
"""

from __future__ import annotations

from django.http import HttpRequest

from apps.ai_chat import visitor as visitors
from apps.ai_chat.visitor import Visitor
from apps.widget import services
from apps.widget.cors import origin_of

_JWT_START = "eyJ"
"""What the base64 of ``{"`` begins with; our own tokens begin with the id of a key."""


def bearer_token(request: HttpRequest) -> str | None:
    """The token of the ``Authorization`` header, or None when there is none."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def visitor_of_bearer(request: HttpRequest, token: str) -> Visitor:
    """The visitor of this request. Raises BadToken, UnknownSite, OriginRefused."""
    is_jwt = token.startswith(_JWT_START)
    site = services.site_of_user_jwt(token) if is_jwt else services.site_of_token(token)
    origin = origin_of(request)
    services.check_origin(site, origin)
    if is_jwt:
        user = services.read_user(site=site, user_jwt=token)
        return visitors.visitor_of_widget_user(site, user.sub, user.rights_end)
    visitor_id = services.read_token(token=token, site=site, origin=origin)
    return visitors.visitor_of_widget(site, visitor_id)
