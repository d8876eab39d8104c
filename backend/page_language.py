"""In which language a page speaks."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.middleware.locale import LocaleMiddleware
from django.utils import translation

# What the people read who run the site, and what has no language or is cached for everyone.
_ENGLISH = ("/admin/", "/pool/", "/health/", "/w/")


class PageLanguageMiddleware(LocaleMiddleware):
    """The visitor's choice, else the browser's wish, else English; staff pages are English.

    Django's own admin texts would otherwise follow the browser and stand beside our English ones.
    """

    def process_request(self, request: HttpRequest) -> None:
        if not request.path_info.startswith(_ENGLISH):
            super().process_request(request)
            return
        translation.activate(settings.LANGUAGE_CODE)
        request.LANGUAGE_CODE = settings.LANGUAGE_CODE

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        if request.path_info.startswith(_ENGLISH):
            return response
        return super().process_response(request, response)
