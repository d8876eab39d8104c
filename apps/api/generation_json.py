"""A generation for whoever asked: where it stands, and the answer as far as it is written."""

from __future__ import annotations

from typing import Any

from django.urls import reverse

from apps.ai_chat.models import Message
from apps.ai_chat.relay import GenerationRelay
from apps.ai_chat.representation import message_json

_LEFT_OUT = ("type", "gen")


def generation_json(row: Message, relay: GenerationRelay | None = None) -> dict[str, Any]:
    """``row`` is the answer's; ``relay`` makes it, if it is made in this process at this moment.

    Looks into the database.
    """
    answer = message_json(row)
    waiting = None
    if relay is not None and row.state == Message.State.STREAMING:
        # The row is a second behind.
        answer["text"] = relay.exchange.text
        waiting = _waiting(relay.newest_waiting)
    return {
        "id": str(row.generation),
        "conversation": str(row.conversation_id),
        "question": str(row.question_id) if row.question_id else None,
        "state": row.state,
        "waiting": waiting,
        "url": generation_url(row),
        "events": f"{generation_url(row)}events",
        "answer": answer,
    }


def generation_url(row: Message) -> str:
    """The address of a generation on this server."""
    return reverse("api:generation", args=[row.generation])


def _waiting(frame: dict[str, Any] | None) -> dict[str, Any] | None:
    """What it waits for: a place in the line, the model, or reading."""
    if frame is None:
        return None
    kind = "queue" if frame["type"] == "gen.queue" else str(frame.get("phase", "stall"))
    fields = {name: value for name, value in frame.items() if name not in (*_LEFT_OUT, "phase")}
    return {"for": kind, **fields}
