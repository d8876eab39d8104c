"""Proof that something was deleted, without what it was."""

from __future__ import annotations

from django.db import models

from apps.widget.models.site import Site


class Erasure(models.Model):
    """A visitor had their chats deleted; nothing here tells who it was."""

    site = models.ForeignKey(Site, null=True, blank=True, on_delete=models.SET_NULL)
    num_conversations = models.PositiveIntegerField()
    num_messages = models.PositiveIntegerField()
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-created",)

    def __str__(self) -> str:
        return f"erasure {self.pk}"
