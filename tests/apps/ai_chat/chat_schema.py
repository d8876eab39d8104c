"""Checks frames against the schema that both sides share."""

from __future__ import annotations

import json
from typing import Any

import jsonschema

from backend.env import BASE_DIR

PATH = BASE_DIR / "apps" / "ai_chat" / "schemas" / "chat.v1.json"
SCHEMA: dict[str, Any] = json.loads(PATH.read_text())


def _validator(side: str) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator({**SCHEMA, "$ref": f"#/$defs/{side}"})


CLIENT, SERVER = _validator("client"), _validator("server")


def check_server_frame(frame: Any) -> None:
    """Fail with what is wrong with a frame the server sent."""
    error = jsonschema.exceptions.best_match(SERVER.iter_errors(frame))
    assert error is None, f"{error.json_path} of {frame}: {error.message}"


def types_of(side: str) -> set[str]:
    """The types of frames that a side may send."""
    return set(SCHEMA["$defs"][side]["properties"]["type"]["enum"])
