"""What a site's script reads before anybody writes: its configuration and its logo."""

from __future__ import annotations

import hashlib
import json

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotModified, JsonResponse
from django.views.decorators.http import require_safe

from apps.widget import services
from apps.widget.cors import origin_of
from apps.widget.errors import OriginRefused, UnknownSite, WidgetError
from apps.widget.logo import content_type_of

CONFIG_CACHE = "public, max-age=60"
LOGO_CACHE = "public, max-age=3600"


@require_safe
def site_config(request: HttpRequest, key: str) -> HttpResponse:
    """``GET /w/sites/<key>/config?lang=de``: look, texts and limits as JSON."""
    try:
        site = services.find_site(key)
        services.check_origin(site, origin_of(request))
    except UnknownSite as error:
        return _refusal(error, 404)
    except OriginRefused as error:
        return _refusal(error, 403)
    data = services.config(site=site, language=request.GET.get("lang", "")[:35])
    body = json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()
    response = _cached(request, body, "application/json", CONFIG_CACHE)
    response["Vary"] = "Origin"
    return response


@require_safe
def site_logo(request: HttpRequest, key: str) -> HttpResponse:
    """``GET /w/sites/<key>/logo``: the picture, with a content type of our own choice."""
    try:
        logo = bytes(services.find_site(key).logo)
    except UnknownSite:
        raise Http404 from None
    content_type = content_type_of(logo)
    if content_type is None:
        raise Http404
    response = _cached(request, logo, content_type, LOGO_CACHE)
    # Opened as a page it is a picture and nothing else.
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Content-Disposition"] = "inline; filename=logo"
    return response


def _cached(request: HttpRequest, body: bytes, content_type: str, cache: str) -> HttpResponse:
    etag = f'"{hashlib.sha256(body).hexdigest()[:20]}"'
    known = request.headers.get("If-None-Match", "")
    response: HttpResponse
    if etag in (part.strip().removeprefix("W/") for part in known.split(",")):
        response = HttpResponseNotModified()
    else:
        response = HttpResponse(body, content_type=content_type)
    response["ETag"] = etag
    response["Cache-Control"] = cache
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _refusal(error: WidgetError, status: int) -> JsonResponse:
    body = {"error": {"code": error.code, "message": error.text}}
    return JsonResponse(body, status=status, headers={"Cache-Control": "no-store"})
