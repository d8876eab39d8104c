"""What a visitor thought of an answer."""

from __future__ import annotations

from django.db import models

from apps.ai_chat.models.message import Message


class Feedback(models.Model):
    """A thumb up or down; taking it back removes the row."""

    class Value(models.IntegerChoices):
        DOWN = -1, "bad"
        UP = 1, "good"

    message = models.OneToOneField(Message, on_delete=models.CASCADE, related_name="feedback")
    value = models.SmallIntegerField(choices=Value)
    reason = models.CharField(max_length=40, blank=True)
    comment = models.TextField(max_length=1000, blank=True)
    created = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ("-created",)
        verbose_name_plural = "feedback"

    def __str__(self) -> str:
        return f"{self.get_value_display()} ({self.message})"
