"""What a site tells the model about its task."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from apps.widget.models.site import Site

MAX_TOKENS = 200


class Instructions(models.Model):
    """One version of a site's instructions; the newest one is in force, older ones are kept."""

    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="instructions")
    text = models.TextField(max_length=4000)
    num_tokens = models.PositiveIntegerField(
        null=True, help_text=f"As the model counts; at most {MAX_TOKENS}. Empty: not counted yet."
    )
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL
    )
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-created", "-id")
        verbose_name_plural = "instructions"

    def __str__(self) -> str:
        return f"instructions {self.pk} of {self.site}"
