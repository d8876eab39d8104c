"""What the database keeps of the end of an answer."""

from __future__ import annotations

from typing import Any

import pytest

from apps.ai_chat.models import Message
from apps.ai_chat.relay import ending_of

State = Message.State


@pytest.mark.parametrize(
    ("frame", "state", "reason", "code"),
    [
        ({"type": "gen.done", "reason": "stop"}, State.COMPLETE, "stop", ""),
        ({"type": "gen.done", "reason": "length"}, State.COMPLETE, "length", ""),
        ({"type": "gen.done", "reason": "user_stop"}, State.STOPPED, "user_stop", ""),
        ({"type": "gen.done", "reason": "deadline"}, State.INTERRUPTED, "deadline", ""),
        (
            {"type": "gen.done", "reason": "of a later pool"},
            State.INTERRUPTED,
            "of a later pool",
            "",
        ),
        ({"type": "gen.error", "code": "no_model"}, State.FAILED, "", "no_model"),
        (
            {"type": "gen.error", "code": "pool_lost", "partial": True},
            State.INTERRUPTED,
            "",
            "pool_lost",
        ),
        ({"type": "gen.error", "code": "interrupted"}, State.INTERRUPTED, "", "interrupted"),
    ],
)
def test_state(frame: dict[str, Any], state: State, reason: str, code: str) -> None:
    ending = ending_of(frame)
    assert (ending.state, ending.reason, ending.error_code) == (state, reason, code)


def test_numbers_are_whole_and_never_negative() -> None:
    ending = ending_of(
        {
            "type": "gen.done",
            "reason": "stop",
            "usage": {"prompt": 3, "completion": None},
            "timing": {"queue_ms": -0.4, "gen_ms": 12.6, "tok_s": 7.25},
        },
        num_trimmed_turns=2,
    )
    assert (ending.num_prompt_tokens, ending.num_completion_tokens) == (3, None)
    assert (ending.queue_ms, ending.gen_ms, ending.ttft_ms) == (0, 13, None)
    assert (ending.tok_s, ending.num_trimmed_turns) == (7.25, 2)
