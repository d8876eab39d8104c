"""Registers the chat application."""

from __future__ import annotations

from django.apps import AppConfig


class AiChatConfig(AppConfig):
    """The chat."""

    name = "apps.ai_chat"
    label = "ai_chat"
    verbose_name = "Chat"
    default_auto_field = "django.db.models.BigAutoField"
