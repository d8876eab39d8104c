"""``docs/protocol.md`` says what the code does."""

from __future__ import annotations

import json
import re

import pytest

from apps.ai_chat.close_codes import CloseCode
from apps.ai_chat.errors import PROBLEMS, errors_markdown
from apps.ai_chat.frames import FRAMES, parse_frame
from backend.env import BASE_DIR

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
        assert f"| `{frame['type']}`" in PAGE
