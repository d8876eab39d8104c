"""A website that carries the chat."""

from __future__ import annotations

import secrets
import string

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models

_KEY_CHARS = string.ascii_lowercase + string.digits


def new_site_key() -> str:
    """A fresh public key; it names a site and proves nothing."""
    return "site_" + "".join(secrets.choice(_KEY_CHARS) for _ in range(16))


def new_identity_secret() -> str:
    """A fresh secret that a site signs the names of its users with."""
    return secrets.token_urlsafe(32)


class Site(models.Model):
    """How the chat behaves on one website."""

    class Theme(models.TextChoices):
        AUTO = "auto", "as the visitor's device"
        LIGHT = "light", "light"
        DARK = "dark", "dark"

    key = models.CharField(max_length=32, unique=True, default=new_site_key, editable=False)
    name = models.CharField(max_length=80, help_text="For you; visitors do not see it.")
    is_on = models.BooleanField(
        "on", default=True, help_text="Off: visitors can read their chats but not write."
    )
    assistant_name = models.CharField(max_length=40, default="Assistant")
    accent = models.CharField(
        max_length=7,
        default="#0f766e",
        validators=[RegexValidator(r"^#[0-9a-fA-F]{6}$", "A colour such as #0f766e.")],
    )
    theme = models.CharField(max_length=5, choices=Theme, default=Theme.AUTO)
    logo = models.BinaryField(
        blank=True, default=bytes, editable=True, help_text="PNG, JPEG or WebP, at most 32 KB."
    )
    default_language = models.CharField(max_length=12, default="en")
    privacy_url = models.URLField(blank=True, help_text="Your privacy page, shown in the chat.")
    contact = models.EmailField(blank=True, help_text="Shown when the assistant is away.")
    needs_consent = models.BooleanField(
        default=False, help_text="Visitors agree to a notice before their first message."
    )
    reads_page = models.BooleanField(
        default=False, help_text="Send the address and title of the page with a question."
    )
    full_page = models.BooleanField(
        "offer the full page",
        default=True,
        help_text="A button in the chat opens it in a tab of its own, on this server.",
    )
    retention_days = models.PositiveIntegerField(
        default=30, validators=[MinValueValidator(1), MaxValueValidator(3650)]
    )
    max_chars = models.PositiveIntegerField(
        default=2000,
        validators=[MinValueValidator(100), MaxValueValidator(4000)],
        help_text="The longest message a visitor may send, in characters.",
    )
    max_inflight = models.PositiveSmallIntegerField(
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(4)],
        help_text="Answers one visitor may wait for at the same time.",
    )
    identity_secret = models.CharField(max_length=64, default=new_identity_secret, editable=False)
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("name", "id")

    def __str__(self) -> str:
        return self.name
