"""Our views go by our own rules, also where the project has others for its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.urls import URLPattern, URLResolver
from rest_framework.views import APIView

from apps.api import urls
from apps.api.errors import exception_handler
from apps.api.key_authentication import KeyAuthentication
from apps.api.rest_view import RestView


def views_of(patterns: list[Any]) -> Iterator[type[APIView]]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from views_of(pattern.url_patterns)
        elif isinstance(pattern, URLPattern) and hasattr(pattern.callback, "cls"):
            yield pattern.callback.cls


def test_every_view_of_rest_is_one() -> None:
    views = [view for view in views_of(urls.urlpatterns) if view.__module__.startswith("apps.")]
    others = {view.__name__ for view in views if not issubclass(view, RestView)}
    # Those that show the description say for themselves who may read it.
    assert others <= {"Schema", "SchemaView", "DocsView", "SwaggerView"}, others
    assert len(views) > 10


def test_what_the_project_says_does_not_count(settings: Any) -> None:
    settings.REST_FRAMEWORK = {"EXCEPTION_HANDLER": "somebody.elses", "NUM_PROXIES": 0}
    view = RestView()
    assert view.get_exception_handler() is exception_handler
    assert KeyAuthentication in view.authentication_classes
