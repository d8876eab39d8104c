"""What one visitor and the assistant said to each other."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models


class Conversation(models.Model):
    """What one visitor and the assistant said to each other."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    visitor = models.CharField(max_length=64, help_text="Key of the owner, see visitor.py.")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="conversations",
        help_text="The owner, when they were signed in.",
    )
    site = models.ForeignKey(
        "widget.Site",
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="conversations",
        help_text="The website it was held on; none is our own page.",
    )
    language = models.CharField(max_length=12, blank=True)
    title = models.CharField(max_length=120, blank=True)
    num_read = models.PositiveIntegerField(
        default=0, help_text="Number of the last message that was seen."
    )
    created = models.DateTimeField(auto_now_add=True)
    updated = models.DateTimeField()

    class Meta:
        ordering = ("-updated", "-id")
        indexes = [models.Index(fields=["visitor", "-updated"], name="conversation_of_visitor")]
        permissions = [("view_content", "Can read what visitors and the assistant wrote")]

    def __str__(self) -> str:
        # Never the title: it is the visitor's first question.
        return f"conversation {str(self.id)[:8]}"
