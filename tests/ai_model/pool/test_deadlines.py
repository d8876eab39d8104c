"""Each limit of time, alone."""

from __future__ import annotations

import pytest

from ai_model.engine.events import Delta, Started
from ai_model.pool.deadlines import HUNG_S, LEAKED_S, Deadline, is_stuck, passed_deadline
from ai_model.pool.event_log import EventLog
from ai_model.pool.generation import Generation
from tests.ai_model.pool.builders import make_config, make_request


def running(first_token_at: float | None) -> Generation:
    """Return a generation with an instance since second 100."""
    request = make_request()
    generation = Generation(request, EventLog(request.generation), 50.0)
    generation.take_instance(100.0)
    generation.start(
        Started(request_id=generation.id, instance=0, num_prompt_tokens=9, num_cached_tokens=0),
        "Fake Model",
    )
    if first_token_at is not None:
        event = Delta(request_id=generation.id, tokens=(1,), text="x")
        generation.add(event, first_token_at)
    return generation


@pytest.mark.parametrize(
    ("now", "first_token_at", "progress_at", "prefill_s", "pace", "expected"),
    [
        (119.0, None, 0.0, 0.0, 0.0, None),
        (121.0, None, 0.0, 0.0, 0.0, Deadline.STALL),
        (121.0, None, 110.0, 0.0, 0.0, None),
        (131.0, None, 130.0, 0.0, 0.0, Deadline.FIRST_TOKEN),
        (131.0, None, 130.0, 20.0, 0.0, None),
        (161.0, None, 160.0, 20.0, 0.0, Deadline.FIRST_TOKEN),
        (161.0, 105.0, 160.0, 0.0, 0.0, None),
        (161.0, 105.0, 140.0, 0.0, 0.0, Deadline.STALL),
        (161.0, 105.0, 140.0, 0.0, 0.1, None),
        (281.0, 105.0, 280.0, 0.0, 0.0, Deadline.TOTAL),
    ],
)
def test_limits(
    now: float,
    first_token_at: float | None,
    progress_at: float,
    prefill_s: float,
    pace: float,
    expected: Deadline | None,
) -> None:
    """Of a generation that holds an instance."""
    passed = passed_deadline(
        running(first_token_at),
        now,
        make_config(max_tok_s=pace),
        progress_at=progress_at,
        prefill_s=prefill_s,
    )
    assert passed is expected


def test_waiting_is_not_this_clocks_business() -> None:
    """The line has its own deadline."""
    request = make_request()
    generation = Generation(request, EventLog(request.generation), 0.0)
    config = make_config()
    assert passed_deadline(generation, 1e6, config, progress_at=0.0, prefill_s=0.0) is None


def test_when_an_engine_is_stuck() -> None:
    """Without a heartbeat soon, with one later."""
    assert not is_stuck(HUNG_S, HUNG_S - 1)
    assert not is_stuck(HUNG_S - 1, HUNG_S)
    assert is_stuck(HUNG_S, HUNG_S)
    assert is_stuck(LEAKED_S, 0.0)
