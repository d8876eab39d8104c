"""Who comes in by HTTP, with the same rights as somebody who says ``hello`` on a socket."""

from __future__ import annotations

from dataclasses import replace

from django.http import HttpRequest
from rest_framework.request import Request

from apps.ai_chat.entrance import Admission, admit_to_our_page, admit_to_site, language_of
from apps.ai_chat.errors import ChatError
from apps.ai_chat.visitor import Visitor
from apps.ai_pool.limits.client_address import counted_address
from apps.api.authentication import VisitorAuthentication
from apps.api.bearer import bearer_token
from apps.widget import services as sites
from apps.widget.cors import origin_of

MAX_KEY_CHARS = 64


def admission_of(request: HttpRequest) -> Admission:
    """The visitor who sent ``request``, by a website's token, a website's key, or our cookie.

    ``?site=`` names the website of somebody who has no token yet. Cookies count only on our own
    page, and writing with them needs the CSRF token. Uses the database. Raises ChatError,
    WidgetError and the exceptions of the REST framework.
    """
    host = str(counted_address(request) or "")
    token = bearer_token(request)
    if token is not None:
        return _by_token(request, token, host)
    site_key = request.GET.get("site", "")[:MAX_KEY_CHARS]
    if site_key:
        return admit_to_site(site_key=site_key, origin=origin_of(request), host=host)
    visitor = Request(request, authenticators=[VisitorAuthentication()]).auth
    if not isinstance(visitor, Visitor):
        raise ChatError("unauthorised")
    return admit_to_our_page(replace(visitor, host=host), "")


def language_asked(request: HttpRequest) -> str:
    """The language of ``?lang=``, or "" for the usual one."""
    return language_of(request.GET.get("lang", "")[:35])


def _by_token(request: HttpRequest, token: str, host: str) -> Admission:
    origin = origin_of(request)
    # How every JWT begins; our own tokens begin with the id of a key.
    if token.startswith("eyJ"):
        site = sites.site_of_user_jwt(token)
        return admit_to_site(site_key=site.key, origin=origin, user_jwt=token, host=host)
    site = sites.site_of_token(token)
    return admit_to_site(site_key=site.key, origin=origin, token=token, host=host)
