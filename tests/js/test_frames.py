"""The frames that the tests of the modules use are frames a server may send."""

from __future__ import annotations

import json
from pathlib import Path

from tests.apps.ai_chat.chat_schema import check_server_frame, types_of

FRAMES = json.loads((Path(__file__).parent / "frames.json").read_text())


def test_the_schema_allows_them() -> None:
    for frame in FRAMES:
        check_server_frame(frame)


def test_they_are_of_every_kind_an_answer_without_trouble_is_made_of() -> None:
    of_answers = {kind for kind in types_of("server") if kind.startswith("gen.")}
    rare = {"gen.error", "gen.reset", "gen.snapshot"}
    assert {frame["type"] for frame in FRAMES} == of_answers - rare
