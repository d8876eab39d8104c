"""Registers the application of the embedded chat."""

from __future__ import annotations

from django.apps import AppConfig


class WidgetConfig(AppConfig):
    """The chat on other people's pages."""

    name = "apps.widget"
    label = "widget"
    verbose_name = "Widget"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the system checks; nothing else is done here."""
        from apps.widget import checks  # noqa: F401
