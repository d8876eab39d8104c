"""The addresses of the shop, and the chat's."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

from shop import views

urlpatterns = [
    path("", views.front, name="front"),
    path("ask/", views.ask, name="ask"),
    path("admin/", admin.site.urls),
    path("", include("backend.guest_urls")),
]
