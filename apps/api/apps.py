"""Registers the API application."""

from __future__ import annotations

from django.apps import AppConfig

from apps.api.framework import load_lean


class ApiConfig(AppConfig):
    """The REST interface."""

    name = "apps.api"
    label = "api"
    verbose_name = "API"

    def ready(self) -> None:
        """Load the framework before anybody else does."""
        load_lean()
