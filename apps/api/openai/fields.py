"""Reads the fields of a JSON object from a stranger; a wrong one is an error that names it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from apps.api.openai.errors import OpenAIError, bad_field

NOT_AN_OBJECT = "The body is not a JSON object."


def json_object(body: bytes) -> dict[str, Any]:
    """The object in a body. Raises OpenAIError."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        raise OpenAIError(400, "invalid_json", NOT_AN_OBJECT) from None
    if not isinstance(value, dict):
        raise OpenAIError(400, "invalid_json", NOT_AN_OBJECT)
    return value


class RequestFields:
    """The fields of one object; null counts as absent, as OpenAI has it. Raises OpenAIError."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    def get(self, name: str) -> Any:
        """The value as it came, or None."""
        return self._values.get(name)

    def number(self, name: str, low: float, high: float) -> float | None:
        """A number between ``low`` and ``high``."""
        value = self._values.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise bad_field(name, f"{name} must be a number.")
        if not math.isfinite(value) or not low <= value <= high:
            raise bad_field(name, f"{name} must lie between {low:g} and {high:g}.")
        return float(value)

    def integer(self, name: str, low: int, high: int) -> int | None:
        """A whole number between ``low`` and ``high``."""
        value = self._values.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int):
            raise bad_field(name, f"{name} must be a whole number.")
        if not low <= value <= high:
            raise bad_field(name, f"{name} must lie between {low} and {high}.")
        return value

    def flag(self, name: str) -> bool:
        """True or false; absent is false."""
        value = self._values.get(name)
        if value is not None and not isinstance(value, bool):
            raise bad_field(name, f"{name} must be true or false.")
        return bool(value)

    def text(self, name: str, max_chars: int) -> str:
        """A text of at most ``max_chars`` characters; absent is empty."""
        value = self._values.get(name)
        if value is None:
            return ""
        return checked_text(value, name, max_chars)


def checked_text(value: Any, name: str, max_chars: int) -> str:
    """``value`` if it is a text that can be carried. Raises OpenAIError."""
    if not isinstance(value, str):
        raise bad_field(name, f"{name} must be a text.")
    if len(value) > max_chars:
        raise bad_field(name, f"{name} may have at most {max_chars} characters.")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise bad_field(name, f"{name} contains half a character.") from None
    return value
