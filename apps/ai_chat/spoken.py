"""Frames in the language of whoever reads them.

An answer's frames are made once for all tabs of a visitor; each tab says in ``hello`` which
language it speaks.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils import translation

from apps.ai_chat.errors import PROBLEMS, visitor_text


def spoken(frame: dict[str, Any], language: str) -> dict[str, Any]:
    """The frame with its sentence in ``language``; the owner's own words stay as they are."""
    code = frame.get("code")
    if not language or frame.get("type") != "gen.error" or code not in PROBLEMS:
        return frame
    with translation.override(settings.LANGUAGE_CODE):
        if frame.get("text") != visitor_text(code):
            return frame
    with translation.override(language):
        return {**frame, "text": visitor_text(code)}
