"""What every answer tells the browser, also those that no view and no other middleware has made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.utils.decorators import sync_and_async_middleware

FORBIDDEN_FEATURES = (
    *("accelerometer", "ambient-light-sensor", "autoplay", "bluetooth", "browsing-topics"),
    *("camera", "display-capture", "encrypted-media", "gamepad", "geolocation", "gyroscope"),
    *("hid", "idle-detection", "local-fonts", "magnetometer", "microphone", "midi", "payment"),
    *("publickey-credentials-get", "screen-wake-lock", "serial", "usb", "xr-spatial-tracking"),
)
"""No page of ours uses them. Writing to the clipboard is not among them: answers can be copied."""
PERMISSIONS_POLICY = ", ".join(f"{feature}=()" for feature in FORBIDDEN_FEATURES)
BARE_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""For pages that are made where Django gives up: a few words of text."""


@sync_and_async_middleware
def complete_headers(get_response: Callable[[HttpRequest], Any]) -> Callable[..., Any]:
    """Outermost middleware: adds what is missing, and never changes what is there.

    A host name that is not ours, for example, is refused before any other middleware has a say.
    """
    if iscoroutinefunction(get_response):

        async def answer_async(request: HttpRequest) -> HttpResponseBase:
            return _complete(await get_response(request))

        return answer_async

    def answer(request: HttpRequest) -> HttpResponseBase:
        return _complete(get_response(request))

    return answer


def _complete(response: HttpResponseBase) -> HttpResponseBase:
    headers = response.headers
    headers.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Referrer-Policy", settings.SECURE_REFERRER_POLICY)
    headers.setdefault("X-Frame-Options", settings.X_FRAME_OPTIONS)
    if headers.get("Content-Type", "").startswith("text/html"):
        opener = settings.SECURE_CROSS_ORIGIN_OPENER_POLICY
        headers.setdefault("Cross-Origin-Opener-Policy", opener)
        if not settings.DEBUG:  # Django's pages for developers have their styles in them
            headers.setdefault("Content-Security-Policy", BARE_POLICY)
    return response
