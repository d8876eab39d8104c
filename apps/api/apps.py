"""Registers the API application."""

from __future__ import annotations

from django.apps import AppConfig


class ApiConfig(AppConfig):
    """The REST interface."""

    name = "apps.api"
    label = "api"
    verbose_name = "API"
