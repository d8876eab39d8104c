"""Bodies are read as they are described: a number is no text, and a text no number.

The REST framework's fields take ``5`` for ``"5"`` and ``"yes"`` for ``true``, as forms send it, and
count the characters of a text without the spaces around it. In JSON that hides a program's mistake,
and is not what the description of the API says.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

_TEXTS = (
    serializers.CharField,
    serializers.UUIDField,
    serializers.DateTimeField,
    serializers.SlugRelatedField,
)


class ExactTypes:
    """For serializers of bodies, before their class: refuses values of another JSON type."""

    _writable_fields: Any

    def to_internal_value(self, data: Any) -> Any:
        """As the serializer has it. Raises ValidationError naming every field that is of another
        type or too long as it was sent."""
        if isinstance(data, Mapping):
            complaints = {
                field.field_name: [complaint]
                for field in self._writable_fields
                if (complaint := _complaint(field, data.get(field.field_name))) is not None
            }
            if complaints:
                raise serializers.ValidationError(complaints)
        return super().to_internal_value(data)  # type: ignore[misc]


def _complaint(field: Any, value: Any) -> str | None:
    kind = wrong_type(field, value)
    if kind is not None:
        return it_must_be(kind)
    texts = value if isinstance(value, list) else [value]
    most = getattr(getattr(field, "child", field), "max_length", None)
    if most is not None and any(isinstance(text, str) and len(text) > most for text in texts):
        return f"It may have {most} characters at most."
    return None


def wrong_type(field: Any, value: Any) -> str | None:
    """Return the type that ``value`` should have; None if it has it, or the field itself says so.

    Whether null may be said is the field's own affair, and so is what an object has inside.
    """
    if value is None:
        return None
    if isinstance(field, serializers.ListField) and isinstance(value, list):
        kinds = (wrong_type(field.child, one) for one in value)
        inner = next((kind for kind in kinds if kind is not None), None)
        return None if inner is None else f"array of {inner}s"
    kind = json_type(field)
    return None if kind is None or is_of_type(kind, value) else kind


def json_type(field: Any) -> str | None:
    """Return the JSON type of a field's plain values; None for fields that have none."""
    if isinstance(field, serializers.ChoiceField):
        is_number = all(isinstance(one, int) for one in field.choices)
        return "integer" if is_number else "string"
    if isinstance(field, serializers.BooleanField):
        return "boolean"
    if isinstance(field, serializers.IntegerField):
        return "integer"
    return "string" if isinstance(field, _TEXTS) else None


def is_of_type(kind: str, value: Any) -> bool:
    """Whether ``value``, as read from JSON, is a "boolean", an "integer" or a "string"."""
    if kind == "integer":
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, {"boolean": bool, "string": str}[kind])


def it_must_be(kind: str) -> str:
    """Return the sentence for a value of another type than ``kind``."""
    return f"It must be a JSON {kind}."
