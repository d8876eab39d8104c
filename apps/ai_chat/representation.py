"""Conversations and messages as JSON: the same for the API and for frames of the socket."""

from __future__ import annotations

from typing import Any

from apps.ai_chat.errors import visitor_text
from apps.ai_chat.models import Conversation, Message


def conversation_json(conversation: Conversation) -> dict[str, Any]:
    """A conversation for its owner; ``live`` is the generation id of a running answer."""
    live = getattr(conversation, "live", None)
    return {
        "id": str(conversation.id),
        "title": conversation.title,
        "updated": conversation.updated.isoformat(),
        "live": str(live) if live else None,
    }


def message_json(message: Message) -> dict[str, Any]:
    """A message for its owner."""
    error = None
    if message.error_code:
        error = {"code": message.error_code, "text": visitor_text(message.error_code)}
    usage = None
    if message.num_prompt_tokens is not None:
        usage = {
            "prompt": message.num_prompt_tokens,
            "completion": message.num_completion_tokens or 0,
            "cached": message.num_cached_tokens or 0,
        }
    timing = None
    if message.gen_ms is not None:
        timing = {
            "queue_ms": message.queue_ms,
            "ttft_ms": message.ttft_ms,
            "gen_ms": message.gen_ms,
            "tok_s": message.tok_s,
        }
    return {
        "id": str(message.id),
        "role": message.role,
        "text": message.text,
        "state": message.state,
        "generation": str(message.generation) if message.generation else None,
        "created": message.created.isoformat(),
        "reason": message.reason,
        "trimmed_turns": message.num_trimmed_turns,
        "error": error,
        "usage": usage,
        "timing": timing,
    }
