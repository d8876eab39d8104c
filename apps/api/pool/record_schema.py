"""JSON schemas of frozen records, as ``to_json`` of the pool's own values writes them."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import StrEnum
from typing import Any, Union, get_args, get_origin, get_type_hints

_PLAIN = {str: "string", int: "integer", float: "number", bool: "boolean"}


def schema_of(kind: Any) -> dict[str, Any]:
    """Return the schema (OpenAPI 3.0) of a record, or of a type one of its fields has.

    Raises TypeError for a type that no record has had so far.
    """
    if is_dataclass(kind):
        hints = get_type_hints(kind)
        names = [field.name for field in fields(kind)]
        properties = {name: schema_of(hints[name]) for name in names}
        return {"type": "object", "required": names, "properties": properties}
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        (inner,) = (one for one in arguments if one is not type(None))
        return schema_of(inner) | {"nullable": True}
    if origin is tuple:
        return {"type": "array", "items": schema_of(arguments[0])}
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {"type": "object", "additionalProperties": schema_of(arguments[1])}
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return {"type": "string", "enum": [str(one) for one in kind]}
    if kind in _PLAIN:
        return {"type": _PLAIN[kind]}
    raise TypeError(f"no schema for {kind}")
