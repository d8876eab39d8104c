"""Which bad ends somebody has looked at: those of a kind until a moment."""

from __future__ import annotations

from datetime import datetime

from apps.ai_pool.actions.records import MAX_CODE_CHARS, KnownEnd


def known_until() -> dict[str, datetime]:
    """Return until when the ends of each kind are known, by their codes."""
    return dict(KnownEnd.objects.values_list("code", "until"))


def mark_known(code: str, now: datetime) -> None:
    """Take the ends with this code before ``now`` (aware) for known. Raises ValueError."""
    if not code or len(code) > MAX_CODE_CHARS or not code.isidentifier():
        raise ValueError(f"{code[:MAX_CODE_CHARS]!r} is no code of an end.")
    KnownEnd.objects.update_or_create(code=code, defaults={"until": now})


def forget_known(code: str) -> bool:
    """Let the ends with this code need attention again; returns whether they were known."""
    return KnownEnd.objects.filter(code=code).delete()[0] > 0
