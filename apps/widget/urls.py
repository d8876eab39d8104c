"""Addresses of the embedded chat."""

from __future__ import annotations

from django.urls import path, register_converter

from apps.widget import script_views, views

app_name = "widget"


class VersionConverter:
    """A release's version, such as ``0.1.0-3f2a91bc0d5e``."""

    regex = r"[0-9A-Za-z.]{1,32}-[0-9a-f]{12}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(VersionConverter, "release")

urlpatterns = [
    path("w/v1.js", script_views.loader_script, name="loader"),
    path("w/<release:version>/<str:name>", script_views.release_file, name="release-file"),
    path("w/sites/<str:key>/config", views.site_config, name="site-config"),
    path("w/sites/<str:key>/logo", views.site_logo, name="site-logo"),
    path("widget/demo/", script_views.demo, name="demo"),
]
