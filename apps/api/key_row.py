"""A key as commands show it; never the key itself, which nobody knows any more."""

from __future__ import annotations

from typing import Any

from apps.api.models import ApiKey

LIMITS = {
    "requests_per_minute": "requests in each minute",
    "tokens_per_hour": "tokens of answers in each hour",
    "max_running": "requests open at the same time",
}
HEADINGS = ("Key", "State", "Last used", "Name", "Good for", "Limits", "From")


def key_fields(key: ApiKey) -> dict[str, Any]:
    """Return a key as plain JSON values."""
    times = ("created_at", "expires_at", "last_used_at", "former_until")
    return {
        "name": key.name,
        "prefix": key.prefix,
        "state": key.state,
        "scopes": key.scopes,
        "allowed_networks": key.allowed_networks,
        **{name: getattr(key, name) for name in LIMITS},
        "created_by": None if key.created_by is None else key.created_by.get_username(),
        **{name: _time(getattr(key, name)) for name in times},
    }


def key_cells(key: ApiKey) -> tuple[str, ...]:
    """Return a key as a line of a table."""
    used = f"{key.last_used_at:%Y-%m-%d %H:%M}" if key.last_used_at else "never used"
    per_minute = f"{key.requests_per_minute}/min" if key.requests_per_minute else ""
    per_hour = f"{key.tokens_per_hour:,} tok/h" if key.tokens_per_hour else ""
    at_once = f"{key.max_running} at once" if key.max_running else ""
    limits = ", ".join(part for part in (per_minute, per_hour, at_once) if part) or "none"
    places = ", ".join(key.allowed_networks) or "anywhere"
    scopes = ", ".join(key.scopes)
    return (f"{key.prefix}...", _state(key), used, key.name, scopes, limits, places)


def _state(key: ApiKey) -> str:
    if key.state == "usable" and key.expires_at is not None:
        return f"until {key.expires_at:%Y-%m-%d}"
    return key.state


def _time(value: Any) -> str | None:
    return None if value is None else value.isoformat()
