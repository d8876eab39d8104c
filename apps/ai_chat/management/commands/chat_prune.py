"""Deletes conversations older than their website or our page keeps them; for a daily timer."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from apps.ai_chat import services
from apps.ai_pool.audit.notes import forget_old_entries
from apps.widget import services as sites


class Command(BaseCommand):
    """Says how many, never what was in them."""

    help = "Delete conversations older than their website or the chat page keeps them."

    def handle(self, *args: Any, **options: Any) -> None:
        num_gone = services.prune_conversations()
        sites.forget_old_handovers()
        num_entries = forget_old_entries()
        word = "conversation" if num_gone == 1 else "conversations"
        self.stdout.write(f"Deleted {num_gone} {word} whose time was over.")
        if num_entries:
            self.stdout.write(f"Deleted {num_entries} old entries of the audit log.")
