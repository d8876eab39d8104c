"""Keys with which programs come in."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone


class ApiKey(models.Model):
    """One key of one program. The key itself is shown once and never stored; only its digest is."""

    class Scope(models.TextChoices):
        """What a key is good for."""

        CHAT = "chat", "chat: ask the model"
        POOL_READ = "pool.read", "pool.read: see how the pool is doing"
        POOL_ADMIN = "pool.admin", "pool.admin: steer the pool"

    name = models.CharField(max_length=80, unique=True, help_text="Which program has it.")
    prefix = models.CharField(
        max_length=16, editable=False, help_text="How the key begins, to tell it from others."
    )
    digest = models.CharField(max_length=64, unique=True, editable=False)
    former_digest = models.CharField(
        max_length=64, blank=True, default="", db_index=True, editable=False
    )
    former_until = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="So long the key before this one works."
    )
    scopes = models.JSONField(default=list, help_text="What it is good for.")
    allowed_networks = models.JSONField(
        default=list,
        blank=True,
        help_text="Addresses or networks it may be used from; empty: from anywhere.",
    )
    requests_per_minute = models.PositiveIntegerField(default=60, help_text="0: no limit.")
    tokens_per_hour = models.PositiveIntegerField(
        default=40_000, help_text="Tokens of answers. 0: no limit."
    )
    max_running = models.PositiveSmallIntegerField(
        default=4, help_text="Requests open at the same time. 0: no limit."
    )
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, editable=False
    )
    expires_at = models.DateTimeField(null=True, blank=True, help_text="Empty: never.")
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ("name",)
        verbose_name = "API key"

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}...)"

    @property
    def is_usable(self) -> bool:
        """Whether it is neither revoked nor too old."""
        return self.revoked_at is None and not self._is_expired

    @property
    def state(self) -> str:
        """usable, expired or revoked."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self._is_expired else "usable"

    def has_scope(self, scope: str) -> bool:
        """Whether it is good for ``scope``. Who may steer the pool may also see it."""
        held: list[Any] = self.scopes if isinstance(self.scopes, list) else []
        if scope == self.Scope.POOL_READ and self.Scope.POOL_ADMIN in held:
            return True
        return scope in held

    @property
    def _is_expired(self) -> bool:
        return self.expires_at is not None and self.expires_at <= timezone.now()
