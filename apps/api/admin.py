"""Keys of programs in the admin: made there, shown once, revoked rather than deleted."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html

from apps.api.api_keys import (
    BadKeyField,
    checked_networks,
    create_key,
    revoke_key,
    rotate_key,
)
from apps.api.models import ApiKey

KEPT_AFTER_ROTATION = timedelta(days=1)
LIMITS = ("requests_per_minute", "tokens_per_hour", "max_running")


class NetworksField(forms.CharField):
    """Addresses and networks, one in each line, kept as a list."""

    widget = forms.Textarea(attrs={"rows": 3})

    def prepare_value(self, value: Any) -> Any:
        """The list as lines."""
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        """The lines as a list of checked networks."""
        try:
            return checked_networks((value or "").split())
        except BadKeyField as error:
            raise ValidationError(str(error)) from None


class ApiKeyForm(forms.ModelForm):  # type: ignore[type-arg]
    """Scopes as boxes to tick, networks as lines."""

    scopes = forms.MultipleChoiceField(
        choices=ApiKey.Scope.choices,
        widget=forms.CheckboxSelectMultiple,
        initial=[ApiKey.Scope.CHAT],
        help_text="What the key is good for.",
    )
    allowed_networks = NetworksField(
        required=False,
        help_text="Addresses or networks it may be used from, one in each line. Empty: anywhere.",
    )

    class Meta:
        model = ApiKey
        fields = ("name", "scopes", "allowed_networks", "expires_at", *LIMITS)


@admin.register(ApiKey)
class ApiKeyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """A key is shown in a message right after it was made, and never again."""

    form = ApiKeyForm
    list_display = ("name", "begins_with", "state", "good_for", "last_used_at", "expires_at")
    search_fields = ("name", "prefix")
    readonly_fields = ("begins_with", "state", "created_at", "created_by", "last_used_at")
    actions = ("rotate", "revoke")

    @admin.display(description="begins with")
    def begins_with(self, key: ApiKey) -> str:
        """What tells it from others."""
        return f"{key.prefix}..." if key.prefix else "-"

    @admin.display(description="good for")
    def good_for(self, key: ApiKey) -> str:
        """Its scopes."""
        return ", ".join(key.scopes)

    @admin.action(description="Rotate the selected keys: another secret", permissions=["change"])
    def rotate(self, request: HttpRequest, keys: QuerySet[ApiKey]) -> None:
        """Give keys another secret each, shown once; the old one works for a day yet."""
        for key in keys:
            try:
                secret = rotate_key(key, keep=KEPT_AFTER_ROTATION)
            except BadKeyField as error:
                self.message_user(request, str(error), messages.ERROR)
                continue
            self.log_change(request, key, "Rotated.")
            text = "Copy the new key of {} now, it is shown only this once: {}"
            self.message_user(request, format_html(text, key.name, secret), messages.WARNING)
        self.message_user(request, "The secrets before work for another day.")

    @admin.action(description="Revoke the selected keys", permissions=["change"])
    def revoke(self, request: HttpRequest, keys: QuerySet[ApiKey]) -> None:
        """Let keys open nothing any more."""
        for key in keys:
            revoke_key(key)
            self.log_change(request, key, "Revoked.")
        self.message_user(request, "The keys open nothing any more.")

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:
        """Make the key of a new row, and show it."""
        if change:
            super().save_model(request, obj, form, change)
            return
        key, secret = create_key(
            name=obj.name,
            scopes=form.cleaned_data["scopes"],
            allowed_networks=form.cleaned_data["allowed_networks"],
            expires_at=obj.expires_at,
            created_by=request.user,
            **{name: getattr(obj, name) for name in LIMITS},
        )
        obj.pk = key.pk
        obj.refresh_from_db()
        text = "Copy the key now, it is shown only this once: {}"
        self.message_user(request, format_html(text, secret), messages.WARNING)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Keys are revoked; their names stay for whoever reads the log."""
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions
