"""A visitor on the way from a website to our own page."""

from __future__ import annotations

from django.db import models

from apps.widget.models.site import Site


class Handover(models.Model):
    """A code that opens our page as a visitor of a website: once, and soon. The code itself is
    not stored."""

    digest = models.CharField(max_length=64, unique=True)
    site = models.ForeignKey(Site, on_delete=models.CASCADE)
    visitor = models.CharField(max_length=64, help_text="Key of the visitor.")
    conversation = models.UUIDField(null=True, help_text="The one that was open.")
    rights_end = models.DateTimeField(
        null=True, help_text="When the website's word for who they are ends."
    )
    expires = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["visitor"], name="handover_of_visitor"),
            models.Index(fields=["expires"], name="handover_expires"),
        ]

    def __str__(self) -> str:
        return f"handover {self.pk}"
