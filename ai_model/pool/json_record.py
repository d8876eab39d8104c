"""Reads frozen dataclasses of plain values out of JSON, by the names and types of their fields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, Field, fields
from typing import Any, TypeVar

from ai_model.pool.errors import BadFrame
from ai_model.pool.fields import Fields

MAX_COUNTS = 64
"""Different reasons that one mapping of counts may name."""

Record = TypeVar("Record")


def read_record(cls: type[Record], value: object, name: str, **known: Any) -> Record:
    """Return a ``cls`` (a dataclass) with the fields that the JSON object ``value`` has.

    Unknown fields are ignored and missing ones get their default, so that two releases can read
    each other. ``known`` gives the fields that are no plain numbers, texts, flags or counts.
    Raises BadFrame for a wrong type, and for a missing field that has no default.
    """
    values = Fields(value, name)
    arguments = dict(known)
    for field in fields(cls):  # type: ignore[arg-type]
        if field.name not in known:
            arguments[field.name] = _read(values, field)
    return cls(**arguments)


def _read(values: Fields, field: Field[Any]) -> Any:
    key, default = field.name, field.default
    if field.default_factory is not MISSING:
        default = field.default_factory()
    given = {} if default is MISSING else {"default": default}
    match field.type:
        case "str":
            return values.text(key, **given)
        case "bool":
            return values.flag(key, **given)
        case "int":
            return values.integer(key, **given)
        case "float":
            return values.number(key, **given)
        case "int | None":
            return values.optional_integer(key)
        case "float | None":
            return values.optional_number(key)
        case "Mapping[str, int]":
            return _counts(values.mapping(key, **given), key)
    raise TypeError(f"{key} has the type {field.type}, which no rule reads")


def _counts(value: Mapping[str, Any], name: str) -> dict[str, int]:
    if len(value) > MAX_COUNTS:
        raise BadFrame(f"{name} names more than {MAX_COUNTS} things")
    counts = Fields(value, name)
    return {key: counts.integer(key) for key in value}
