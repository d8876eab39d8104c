"""What a visitor is told when something they asked for cannot be."""

from __future__ import annotations

from typing import Any

from apps.ai_chat.entrance import speaking
from apps.ai_chat.errors import ChatError


def error_frame(error: ChatError, ref: str | None, language: str = "") -> dict[str, Any]:
    """The frame that tells a visitor what went wrong with the frame that ``ref`` names."""
    with speaking(language):
        frame: dict[str, Any] = {
            "type": "error",
            "ref": ref,
            "code": error.code,
            "text": error.text,
        }
    if error.retry_after_s is not None:
        frame["retry_after_s"] = error.retry_after_s
    if error.code == "too_long" and "n" in error.details:
        frame["n"] = error.details["n"]
    return frame
