"""Reads values out of decoded JSON strictly: the right type, within bounds, or BadFrame."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from ai_model.pool.errors import BadFrame

MISSING: Any = object()


class Fields:
    """The fields of one JSON object. Methods raise BadFrame naming the field, never its value.

    A method given a ``default`` returns it when the field is absent.
    """

    def __init__(self, value: object, name: str = "frame") -> None:
        if not isinstance(value, Mapping):
            raise BadFrame(f"{name} is not a JSON object")
        self._values: Mapping[str, Any] = value
        self._name = name

    def text(self, key: str, *, max_chars: int = 4096, default: str = MISSING) -> str:
        """Return a string of at most ``max_chars`` code points, free of lone surrogates."""
        value = self._get(key, default)
        if not isinstance(value, str) or len(value) > max_chars or not is_valid_text(value):
            raise self._bad(key, f"a text of at most {max_chars} characters")
        return value

    def integer(
        self, key: str, *, low: int = 0, high: int = 2**53 - 1, default: int = MISSING
    ) -> int:
        """Return an integer between ``low`` and ``high``; true and 1.0 are not integers."""
        value = self._get(key, default)
        if not _is_integer(value, low, high):
            raise self._bad(key, f"an integer from {low} to {high}")
        return int(value)

    def optional_integer(self, key: str, *, low: int = 0, high: int = 2**53 - 1) -> int | None:
        """Return an integer, or None when the field is absent or null."""
        return None if self._values.get(key) is None else self.integer(key, low=low, high=high)

    def number(self, key: str, *, default: float = MISSING) -> float:
        """Return a finite number."""
        value = self._get(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self._bad(key, "a number")
        try:
            number = float(value)
        except OverflowError:
            raise self._bad(key, "a number") from None
        if not math.isfinite(number):
            raise self._bad(key, "a finite number")
        return number

    def optional_number(self, key: str) -> float | None:
        """Return a finite number, or None when the field is absent or null."""
        return None if self._values.get(key) is None else self.number(key)

    def flag(self, key: str, *, default: bool = MISSING) -> bool:
        """Return true or false."""
        value = self._get(key, default)
        if not isinstance(value, bool):
            raise self._bad(key, "true or false")
        return value

    def mapping(self, key: str, *, default: Mapping[str, Any] = MISSING) -> dict[str, Any]:
        """Return a JSON object as it is."""
        value = self._get(key, default)
        if not isinstance(value, Mapping):
            raise self._bad(key, "a JSON object")
        return dict(value)

    def optional_mapping(self, key: str) -> dict[str, Any] | None:
        """Return a JSON object, or None when the field is absent or null."""
        return None if self._values.get(key) is None else self.mapping(key)

    def items(self, key: str, *, max_items: int, default: list[Any] = MISSING) -> list[Any]:
        """Return a list of at most ``max_items`` values of any kind."""
        value = self._get(key, default)
        if not isinstance(value, list) or len(value) > max_items:
            raise self._bad(key, f"a list of at most {max_items}")
        return value

    def integers(
        self, key: str, *, max_items: int, default: list[int] = MISSING
    ) -> tuple[int, ...]:
        """Return a list of non-negative 32-bit integers (token ids)."""
        value = self.items(key, max_items=max_items, default=default)
        if not all(_is_integer(item, 0, 2**31 - 1) for item in value):
            raise self._bad(key, "a list of token ids")
        return tuple(value)

    def _get(self, key: str, default: Any) -> Any:
        value = self._values.get(key, default)
        if value is MISSING:
            raise BadFrame(f"{self._name} has no {key}")
        return value

    def _bad(self, key: str, expected: str) -> BadFrame:
        return BadFrame(f"{key} of {self._name} is not {expected}")


def is_valid_text(value: str) -> bool:
    """Return whether ``value`` can be written as UTF-8: JSON escapes may hide half a character."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_integer(value: object, low: int, high: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
