"""One change by staff, by a key or by a command."""

from __future__ import annotations

from django.db import models

MAX_WHO_CHARS = 150
MAX_WHAT_CHARS = 500
MAX_SUBJECT_CHARS = 150


class AuditEntry(models.Model):
    """Written once and never changed. Holds no text of any visitor."""

    class Kind(models.TextChoices):
        """Who changes things."""

        STAFF = "staff", "staff"
        KEY = "key", "API key"
        COMMAND = "command", "command"

    at = models.DateTimeField(db_index=True)
    kind = models.CharField(max_length=16, choices=Kind)
    who = models.CharField(
        max_length=MAX_WHO_CHARS, help_text="Account, key, or the user of the machine."
    )
    place = models.CharField(
        max_length=50, blank=True, help_text="Block of addresses it came from (/24, /56)."
    )
    what = models.CharField(max_length=MAX_WHAT_CHARS)
    subject = models.CharField(
        max_length=MAX_SUBJECT_CHARS, blank=True, help_text="Kind and number of what was changed."
    )

    class Meta:
        default_permissions = ("view",)
        ordering = ("-at", "-id")
        verbose_name = "audit log entry"
        verbose_name_plural = "audit log entries"

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} UTC: {self.who}: {self.what}"
