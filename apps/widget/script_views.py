"""Serves the widget's files to the pages of other sites."""

from __future__ import annotations

import re
import zlib

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotModified
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from apps.widget.release import JAVASCRIPT, compress
from apps.widget.script import LOADER_PATH, loader, loader_url, release_of

LOADER_CACHE = "public, max-age=300"
RELEASE_CACHE = "public, max-age=31536000, immutable"
_ACCEPTS_GZIP = re.compile(r"(?:^|,)\s*gzip\s*(?:;\s*q=(?:1|0\.\d*[1-9])[^,]*)?(?:,|$)")


@require_safe
def loader_script(request: HttpRequest) -> HttpResponse:
    """The script that follows the product's version."""
    base = request.build_absolute_uri(reverse("widget:loader")).removesuffix(LOADER_PATH)
    version, body = loader(base=base, site=request.GET.get("site", ""))
    tag = f"{version}-{zlib.crc32(body):08x}"
    is_packed = _takes_gzip(request)
    body = compress(body) if is_packed else body
    return _answer(request, body, LOADER_CACHE, tag=tag, is_packed=is_packed)


@require_safe
def release_file(request: HttpRequest, version: str, name: str) -> HttpResponse:
    """A file of exactly this version, for good."""
    release = release_of(version)
    if release is None or name not in release.files:
        raise Http404
    tag = f"{version}-{name}"
    is_packed = _takes_gzip(request)
    body = release.packed_file(name) if is_packed else release.files[name]
    return _answer(request, body, RELEASE_CACHE, tag=tag, is_packed=is_packed)


@require_safe
def demo(request: HttpRequest) -> HttpResponse:
    """A host page to try a site's chat on: ``/widget/demo/?site=<key>``; for developers."""
    if not settings.DEBUG:
        raise Http404
    site = request.GET.get("site", "")
    return render(request, "widget/demo.html", {"site": site, "loader": loader_url()})


def _takes_gzip(request: HttpRequest) -> bool:
    return bool(_ACCEPTS_GZIP.search(request.headers.get("Accept-Encoding", "")))


def _answer(
    request: HttpRequest, body: bytes, cache: str, *, tag: str, is_packed: bool
) -> HttpResponse:
    etag = f'"{tag}{"-gz" if is_packed else ""}"'
    is_known = etag in request.headers.get("If-None-Match", "")
    response: HttpResponse
    if is_known:
        response = HttpResponseNotModified()
    else:
        response = HttpResponse(body, content_type=JAVASCRIPT)
        if is_packed:
            response["Content-Encoding"] = "gzip"
    response["ETag"] = etag
    response["Cache-Control"] = cache
    response["Vary"] = "Accept-Encoding"
    response["X-Content-Type-Options"] = "nosniff"
    # Modules are fetched across origins, also by pages that only take what says so.
    response["Access-Control-Allow-Origin"] = "*"
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response
