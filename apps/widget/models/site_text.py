"""What a site says in one language."""

from __future__ import annotations

from django.db import models

from apps.widget.models.site import Site

MAX_STARTERS = 4


class SiteText(models.Model):
    """The owner's own words in one language; what is empty is taken from the product's."""

    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="texts")
    language = models.CharField(max_length=12)
    greeting = models.CharField(max_length=200, blank=True)
    starters = models.JSONField(
        default=list, blank=True, help_text=f"At most {MAX_STARTERS} questions to begin with."
    )
    launcher_label = models.CharField(max_length=30, blank=True)
    consent = models.TextField(
        max_length=1000, blank=True, help_text="The notice visitors agree to."
    )
    away = models.CharField(
        max_length=300, blank=True, help_text="Shown while the chat is off or cannot answer."
    )

    class Meta:
        ordering = ("language",)
        constraints = [
            models.UniqueConstraint(fields=["site", "language"], name="site_text_language")
        ]

    def __str__(self) -> str:
        return f"{self.site} ({self.language})"
