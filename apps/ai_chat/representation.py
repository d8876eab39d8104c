"""Conversations and messages as JSON: the same for the API and for frames of the socket.

Both may look into the database; from a coroutine call them through ``database_sync_to_async``.
"""

from __future__ import annotations

from typing import Any

from apps.ai_chat import services
from apps.ai_chat.errors import visitor_text
from apps.ai_chat.markdown import parse
from apps.ai_chat.models import Conversation, Feedback, Message


def conversation_json(conversation: Conversation) -> dict[str, Any]:
    """A conversation for its owner; ``live`` is the generation id of a running answer."""
    live = getattr(conversation, "live", None)
    return {
        "id": str(conversation.id),
        "title": conversation.title,
        "updated": conversation.updated.isoformat(),
        "live": str(live) if live else None,
        "num_unread": getattr(conversation, "num_unread", 0),
    }


def message_json(message: Message) -> dict[str, Any]:
    """A message for its owner. ``nodes`` are the Markdown of an answer that has its end."""
    is_answer = message.role == Message.Role.ASSISTANT
    is_finished = message.state != Message.State.STREAMING
    return {
        "id": str(message.id),
        "role": message.role,
        "text": message.text,
        "nodes": parse(message.text) if is_answer and is_finished else None,
        "state": message.state,
        "generation": str(message.generation) if message.generation else None,
        "created": message.created.isoformat(),
        "parent": str(message.parent_id) if message.parent_id else None,
        "versions": _versions(message),
        "reason": message.reason,
        "trimmed_turns": message.num_trimmed_turns,
        "quality": message.quality,
        "is_approved": message.approved_answer_id is not None,
        "suggestions": message.suggestions,
        "context": dict(message.context),
        "feedback": _feedback(message) if is_answer else None,
        "can_continue": services.can_continue(message),
        "error": _error(message),
        "usage": _usage(message),
        "timing": _timing(message),
    }


def message_frame(message: Message) -> dict[str, Any]:
    """The frame that shows a message to the owner's tabs."""
    return {
        "type": "message.updated",
        "conversation": str(message.conversation_id),
        "message": message_json(message),
    }


def _versions(message: Message) -> dict[str, Any]:
    """Which of its versions a message is (from 0), and the ids of all, the oldest one first."""
    ids = getattr(message, "versions", None) or services.version_ids(message)
    index = ids.index(message.id) if message.id in ids else 0
    return {"index": index, "ids": [str(key) for key in ids]}


def _feedback(message: Message) -> dict[str, Any] | None:
    found: Feedback | None = getattr(message, "feedback", None)
    if found is None:
        return None
    return {"value": found.value, "reason": found.reason, "comment": found.comment}


def _error(message: Message) -> dict[str, Any] | None:
    if not message.error_code:
        return None
    return {"code": message.error_code, "text": visitor_text(message.error_code)}


def _usage(message: Message) -> dict[str, Any] | None:
    if message.num_prompt_tokens is None:
        return None
    return {
        "prompt": message.num_prompt_tokens,
        "completion": message.num_completion_tokens or 0,
        "cached": message.num_cached_tokens or 0,
    }


def _timing(message: Message) -> dict[str, Any] | None:
    if message.gen_ms is None:
        return None
    return {
        "queue_ms": message.queue_ms,
        "ttft_ms": message.ttft_ms,
        "gen_ms": message.gen_ms,
        "tok_s": message.tok_s,
    }
