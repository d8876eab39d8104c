"""A sign-out on this server ends what the session watches, at once."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.signals import user_logged_out
from django.dispatch import receiver

from apps.ai_pool.lookout import sign_out_everywhere


@receiver(user_logged_out)
def end_what_is_watched(request: Any, **_: Any) -> None:
    """Tell the streams of the session that ends."""
    session_key = getattr(getattr(request, "session", None), "session_key", None)
    if session_key:
        sign_out_everywhere(session_key)
