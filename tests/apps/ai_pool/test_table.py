"""The lines and rows of the status."""

from __future__ import annotations

import pytest

from ai_model.pool.status import PoolState, PoolStatus
from apps.ai_pool.table import duration, instance_row, live_context, text_lines
from tests.apps.ai_pool.conftest import READY


def test_the_lines_tell_everything() -> None:
    text = "\n".join(text_lines(READY))
    for part in (
        "READY",
        "up 3d 04h",
        "TinyLlama 1.1B  Q5_K_M".replace("  ", " "),
        "ctx 2048",
        "available 1/3",
        "waiting 1",
        "wait p50 8.0s p95 21s",
        "decode 34 tok/s",
        "7f3a..",
        "62%",
        "[######..........]  41%",
        "9.4M",
        "(holds a conversation)",
    ):
        assert part in text, part


def test_an_idle_instance_shows_no_numbers_of_an_answer() -> None:
    row = instance_row(READY, READY.instances[2])
    assert (row["prompt"], row["tokens"], row["speed"], row["request"]) == ("-", "-", "-", "-")


def test_a_pool_that_is_down_shows_its_reason() -> None:
    lines = text_lines(PoolStatus.down("Nobody answers."))
    assert "DOWN" in lines[0]
    assert lines[-1] == "Nobody answers."


def test_the_demo_is_named() -> None:
    status = PoolStatus(state=PoolState.LOADING, model_is_demo=True)
    assert "(demo)" in live_context(status)["head"]


def test_outcomes_come_most_frequent_first() -> None:
    assert live_context(READY)["outcomes"] == [("done", 10), ("user_stop", 2)]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-1, "0s"), (0, "0s"), (59.9, "59s"), (250, "4m10s"), (11_100, "3h05m"), (187_200, "2d 04h")],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text
