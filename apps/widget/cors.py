"""Lets pages of allowed origins read what the embedded chat asks for.

Which origins those are stands in the database, site by site. The exact origin is echoed, never
``*``, and never with credentials: no cookie makes an answer readable to another site.
"""

from __future__ import annotations

import re

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.cache import patch_vary_headers
from django.utils.deprecation import MiddlewareMixin

from apps.widget import services
from apps.widget.errors import UnknownSite

_SITE_PATH = re.compile(r"/w/sites/([^/]{1,32})/")
_API_PATH = "/api/v1/"
METHODS = "GET, POST, PATCH, DELETE"
HEADERS = "authorization, content-type, last-event-id, if-none-match, prefer"
EXPOSED = "ETag, Location, Retry-After"
MAX_AGE_S = 600
"""Browsers need not ask again for so long; an origin taken off the list may last that long, but
only for asking: every request itself is checked anew."""


class CorsMiddleware(MiddlewareMixin):
    """Answers preflights, and marks answers that another origin's page may read.

    For the REST interface an origin counts that any site allows: a preflight names no site. Whether
    it is the origin of the visitor's own site is checked together with the token.
    """

    def process_request(self, request: HttpRequest) -> HttpResponse | None:
        """Answer a preflight; anything else goes on."""
        if request.method != "OPTIONS" or not is_ours(request):
            return None
        if "Access-Control-Request-Method" not in request.headers:
            return None
        response = HttpResponse(status=204)
        if _is_allowed(request):
            response["Access-Control-Allow-Methods"] = METHODS
            response["Access-Control-Allow-Headers"] = HEADERS
            response["Access-Control-Max-Age"] = str(MAX_AGE_S)
        return response

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        """Say who may read the answer."""
        if not is_ours(request):
            return response
        patch_vary_headers(response, ("Origin",))
        if _is_allowed(request):
            response["Access-Control-Allow-Origin"] = request.headers["Origin"]
            response["Access-Control-Expose-Headers"] = EXPOSED
            # A page that isolates itself (COEP) may still load it.
            response["Cross-Origin-Resource-Policy"] = "cross-origin"
        return response


def is_ours(request: HttpRequest) -> bool:
    """True for what pages of other origins may ask for at all."""
    return request.path.startswith(_API_PATH) or bool(_SITE_PATH.match(request.path))


def origin_of(request: HttpRequest) -> str:
    """Origin of the page that asks. Browsers name none for reading from the page's own host."""
    return request.headers.get("Origin") or own_origin(request)


def own_origin(request: HttpRequest) -> str:
    """Our own origin, as this request reached it."""
    return f"{request.scheme}://{request.get_host()}"


def _is_allowed(request: HttpRequest) -> bool:
    known: bool | None = getattr(request, "_is_cors_allowed", None)
    if known is None:
        known = _find_out(request)
        request._is_cors_allowed = known  # type: ignore[attr-defined]
    return known


def _find_out(request: HttpRequest) -> bool:
    origin = request.headers.get("Origin", "")
    if not origin or origin == own_origin(request):
        return False
    site_path = _SITE_PATH.match(request.path)
    if site_path is None:
        return services.site_of_origin(origin) is not None
    try:
        return services.is_origin_allowed(services.find_site(site_path[1]), origin)
    except UnknownSite:
        return False
