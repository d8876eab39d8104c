"""Registers the chat application."""

from __future__ import annotations

from django.apps import AppConfig


class AiChatConfig(AppConfig):
    """The chat."""

    name = "apps.ai_chat"
    label = "ai_chat"
    verbose_name = "Chat"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Watch who signs in and out on our own page."""
        from django.contrib.auth.signals import user_logged_in, user_logged_out

        from apps.ai_chat.sign_in import close_lines, take_chats_along

        user_logged_in.connect(take_chats_along, dispatch_uid="ai_chat.sign_in")
        user_logged_out.connect(close_lines, dispatch_uid="ai_chat.sign_out")
