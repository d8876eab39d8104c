"""What a row of the admin's own log says, without the names of things: those may quote visitors."""

from __future__ import annotations

import json
from typing import Any

from django.contrib.admin.models import ADDITION, DELETION, LogEntry

_VERBS = {"added": "Added", "changed": "Changed", "deleted": "Deleted"}


def change_text(entry: LogEntry) -> str:
    """Return it in one line: "Changed name, is open. Added allowed origin."."""
    message = entry.change_message
    if message.startswith("["):
        try:
            parts = json.loads(message)
        except ValueError:
            parts = None
        if isinstance(parts, list):
            message = " ".join(filter(None, map(_sentence, parts)))
    if not message and entry.action_flag == ADDITION:
        message = "Added."
    elif entry.action_flag == DELETION and not message:
        message = "Deleted."
    return " ".join(message.split()) or "Changed."


def subject_of(entry: LogEntry) -> str:
    """Return kind and number of what a row is about: "site 3"."""
    if entry.content_type is None:
        return ""
    return f"{entry.content_type.model} {entry.object_id or ''}".strip()


def _sentence(part: Any) -> str:
    """Return what one part of a message says; "" for what Django does not write."""
    if not isinstance(part, dict) or len(part) != 1:
        return ""
    (verb, told), *_ = part.items()
    if verb not in _VERBS or not isinstance(told, dict):
        return ""
    fields = told.get("fields")
    names = [str(name) for name in fields] if isinstance(fields, list) else []
    kind = str(told.get("name", ""))
    rest = ", ".join(filter(None, (kind, *names)))
    return f"{_VERBS[verb]} {rest}." if rest else f"{_VERBS[verb]}."
