"""``docs/protocol.md`` says what the code does."""

from __future__ import annotations

import json
import re

import pytest

from apps.ai_chat.close_codes import CloseCode
from apps.ai_chat.errors import PROBLEMS, errors_markdown
from apps.ai_chat.frames import FRAMES, parse_frame
from backend.env import BASE_DIR
from tests.apps.ai_chat.chat_schema import SCHEMA, check_server_frame, types_of

UNTOLD = {
    # What a snapshot of an answer with an end carries besides.
    "gen.snapshot": {"chars", "sha256_8", "reason", "code"},
    "identified": {"token", "token_exp"},
    "gen.progress": {"eta_s"},
}
PAGE = (BASE_DIR / "docs" / "protocol.md").read_text()


def test_error_table_is_the_code_s() -> None:
    assert errors_markdown() in PAGE


def test_every_close_code_is_explained() -> None:
    for code in CloseCode:
        assert re.search(rf"^\| {int(code)} \|", PAGE, re.MULTILINE), code


def test_errors_close_with_known_codes() -> None:
    closing = [problem.close_code for problem in PROBLEMS.values() if problem.close_code]
    assert {CloseCode(code) for code in closing}


def test_every_client_frame_is_listed_with_its_fields() -> None:
    for kind, frame in FRAMES.items():
        row = next(line for line in PAGE.splitlines() if line.startswith(f"| `{kind}` |"))
        for field in frame.parsers:
            assert f"`{field}`" in row, (kind, field)


@pytest.mark.parametrize("line", re.findall(r"^> (\{.*\})$", PAGE, re.MULTILINE))
def test_recorded_client_frames_are_valid(line: str) -> None:
    assert parse_frame(line).type == json.loads(line)["type"]


def test_recorded_server_frames_are_listed() -> None:
    recorded = [json.loads(line) for line in re.findall(r"^< (\{.*\})$", PAGE, re.MULTILINE)]
    assert len(recorded) > 5
    for frame in recorded:
        check_server_frame(frame)
    kinds = re.findall(r'^> .*"type":"([a-z.]+)"', PAGE, re.MULTILINE)
    assert {"message.edit", "gen.continue"} <= set(kinds)


def test_every_server_frame_is_listed_with_its_fields() -> None:
    for kind in types_of("server"):
        row = next(line for line in PAGE.splitlines() if line.startswith(f"| `{kind}`"))
        described = SCHEMA["$defs"][f"server.{kind}"]["properties"]
        for field in set(described) - {"type", "gen", "seq"} - UNTOLD.get(kind, set()):
            assert re.search(rf"\b{field}\b", row), (kind, field)
