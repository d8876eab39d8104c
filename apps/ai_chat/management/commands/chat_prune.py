"""Deletes conversations that are older than their website keeps them; for a daily timer."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from apps.ai_chat import services


class Command(BaseCommand):
    """Says how many, never what was in them."""

    help = "Delete conversations that are older than their website keeps them (retention days)."

    def handle(self, *args: Any, **options: Any) -> None:
        num_gone = services.prune_conversations()
        word = "conversation" if num_gone == 1 else "conversations"
        self.stdout.write(f"Deleted {num_gone} {word} whose time was over.")
