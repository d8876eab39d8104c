"""What is in the description besides the REST framework's views, and what is left out of it."""

from __future__ import annotations

from typing import Any

from apps.api.openapi.described import Tag

INNER = ("/api/v1/gen/",)
"""The line of our own pages, whose form may change with them."""


def leave_out(endpoints: list[Any], **_: Any) -> list[Any]:
    """Hook of drf-spectacular: keep what programs may build on."""
    return [one for one in endpoints if not one[0].startswith(INNER)]


def add_openai(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Hook of drf-spectacular: add the addresses under ``/v1/``, and the chapters in order."""
    from apps.api.openapi.openai_paths import PATHS, SCHEMAS

    result["paths"] |= PATHS
    result["components"]["schemas"] |= SCHEMAS
    result["tags"] = [{"name": str(tag)} for tag in Tag]
    return result
