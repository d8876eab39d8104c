"""The sentence that an operator shows to all visitors, until it is removed or its time is over."""

from __future__ import annotations

import unicodedata
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q
from django.utils import timezone

from apps.ai_pool.actions.records import MAX_BANNER_CHARS, Banner

MAX_HOURS = 24 * 90


def current_banner(now: datetime | None = None) -> Banner | None:
    """Return what is shown at ``now`` (aware), or None. Uses the database."""
    now = now or timezone.now()
    return Banner.objects.filter(Q(ends_at=None) | Q(ends_at__gt=now)).first()


def show_banner(text: str, *, hours: float | None = None) -> Banner:
    """Show ``text`` instead of what was shown, for so many hours or until it is removed.

    Raises ValueError with a sentence.
    """
    line = _one_line(text)
    if not line:
        raise ValueError("A banner needs a sentence.")
    if len(line) > MAX_BANNER_CHARS:
        raise ValueError(f"A banner has at most {MAX_BANNER_CHARS} characters, not {len(line)}.")
    if hours is not None and not 0 < hours <= MAX_HOURS:
        raise ValueError(f"A banner is shown for more than 0 and at most {MAX_HOURS} hours.")
    now = timezone.now()
    ends_at = None if hours is None else now + timedelta(hours=hours)
    banner, _ = Banner.objects.update_or_create(
        id=Banner.ONLY, defaults={"text": line, "ends_at": ends_at, "set_at": now}
    )
    return banner


def remove_banner() -> bool:
    """Show nothing any more; returns whether something was shown."""
    was_shown = current_banner() is not None
    Banner.objects.all().delete()
    return was_shown


def banner_fields(banner: Banner | None) -> dict[str, Any] | None:
    """Return a banner as plain JSON values, for pages and programs; ``left_s`` None is no end."""
    if banner is None:
        return None
    left_s = None
    if banner.ends_at is not None:
        left_s = max(0, round((banner.ends_at - timezone.now()).total_seconds()))
    return {"text": banner.text, "left_s": left_s}


def _one_line(text: str) -> str:
    """Return a text without line breaks and without what cannot be seen."""
    kept = "".join(char if unicodedata.category(char)[0] != "C" else " " for char in text)
    return " ".join(kept.split())
