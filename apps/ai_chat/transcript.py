"""A conversation as text for people, from its exported form."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

_NAMES = {"user": "Visitor", "assistant": "Assistant"}
_STATES = {
    "streaming": "still being written",
    "interrupted": "interrupted",
    "stopped": "stopped by the visitor",
    "failed": "failed",
}
_OPINIONS = {1: "good", -1: "bad"}


def transcript(chat: Mapping[str, Any]) -> str:
    """Return an exported conversation as it can be read or printed; times are UTC.

    Every text is quoted by four blanks, and what could steer a terminal is replaced: a message
    cannot pretend to be another one.
    """
    title = f": {one_line(chat['title'])}" if chat["title"] else ""
    place = one_line(chat["site"]) if chat["site"] else "own page"
    lines = [
        f"Conversation {chat['id']}{title}",
        f"{chat['visitor']} on {place}, {_moment(chat['created'])} to {_moment(chat['updated'])}",
    ]
    for message in chat["messages"]:
        lines += ["", _heading(message)]
        lines += [f"    {line}" for line in printable(message["text"]).split("\n")]
        if message["feedback"] is not None:
            lines.append(_opinion(message["feedback"]))
    return "\n".join(line.rstrip() for line in lines) + "\n"


def printable(text: str) -> str:
    """Return a text without characters that do not show; newlines and tabs stay."""
    return "".join(char if char in "\n\t" or char.isprintable() else "\ufffd" for char in text)


def one_line(text: str) -> str:
    """Return a text on one line."""
    return " ".join(printable(text).split())


def _heading(message: Mapping[str, Any]) -> str:
    notes = []
    if not message["is_shown"]:
        notes.append("another version")
    if message["state"] in _STATES:
        notes.append(_STATES[message["state"]])
    note = f" ({', '.join(notes)})" if notes else ""
    return f"{_moment(message['created'])}  {_NAMES.get(message['role'], message['role'])}{note}"


def _opinion(feedback: Mapping[str, Any]) -> str:
    words = [_OPINIONS.get(feedback["value"], "?"), feedback["reason"], feedback["comment"]]
    return f"    [opinion: {', '.join(one_line(word) for word in words if word)}]"


def _moment(text: str) -> str:
    return datetime.fromisoformat(text).astimezone(UTC).strftime("%Y-%m-%d %H:%M")
