"""The lines and rows of the status."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ai_model.pool.status import MemoryStatus, PoolState, PoolStatus
from apps.ai_pool.table import duration, instance_row, live_context, shown, text_lines
from tests.apps.ai_pool.conftest import READY, WAITING

MEMORY = MemoryStatus(pressure=0.78, resting_pressure=0.76, level="medium", limit_bytes=2 << 30)


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


def test_no_line_is_longer_than_a_terminal_is_wide() -> None:
    busy = replace(READY, memory=MEMORY, num_prompt_tokens=9, num_cached_tokens=7, num_waiting=7)
    lines = text_lines(busy, (WAITING,))
    assert max(map(len, lines)) == 80
    assert lines[0] == "pool  READY  medium  memory 78% of 2.0G (resting 76%)  up 3d 04h"
    assert "reuse 78%   ok 100.0%" in lines[3]
    assert lines[-2].split() == ["1", "6s", "5-10s", "v-31a0c2", "aabb.."]
    assert lines[-1] == "... and 6 more"


def test_the_rest_of_a_prompt_has_a_time() -> None:
    slow = replace(READY, prefill_tok_s=19.0)
    assert instance_row(slow, READY.instances[1])["prompt"] == "62% 2s"
    assert instance_row(slow, READY.instances[0])["prompt"] == "100%"


def test_a_live_page_gets_what_a_new_one_shows() -> None:
    texts = shown(READY, (WAITING,))
    context = live_context(READY, (WAITING,))
    assert [list(row.values()) for row in context["rows"]] == texts["rows"]
    assert texts["copy"].endswith("\n".join(context["lines"]))
    assert texts["ended"] == "ended: done 10, user_stop 2"


def test_an_idle_instance_shows_no_numbers_of_an_answer() -> None:
    row = instance_row(READY, READY.instances[2])
    assert (row["prompt"], row["tokens"], row["speed"], row["request"]) == ("-", "-", "-", "-")


def test_a_pool_that_is_down_shows_its_reason() -> None:
    lines = text_lines(PoolStatus.down("Nobody answers."))
    assert "DOWN" in lines[0]
    assert lines[-1] == "Nobody answers."


def test_the_demo_is_named() -> None:
    status = PoolStatus(state=PoolState.LOADING, model_is_demo=True)
    assert "(demo)" in live_context(status)["model"]


def test_outcomes_come_most_frequent_first() -> None:
    assert live_context(READY)["outcomes"] == [("done", 10), ("user_stop", 2)]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-1, "0s"), (0, "0s"), (59.9, "59s"), (250, "4m10s"), (11_100, "3h05m"), (187_200, "2d 04h")],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_the_line_of_warning_is_told_while_the_level_is_low() -> None:
    calm = replace(MEMORY, level="low", pressure=0.64, resting_pressure=0.45)
    text = text_lines(replace(READY, memory=calm))[0]
    assert "low  memory 64% of 2.0G (resting 45%), above 60%" in text and len(text) <= 80
    for other in (replace(calm, pressure=0.59), replace(calm, level="medium")):
        assert "above" not in text_lines(replace(READY, memory=other))[0]


def test_what_the_kernel_says_about_waiting_for_memory() -> None:
    told = replace(READY, memory=replace(MEMORY, stall_some=0.034, stall_full=0.0))
    assert "memory stall 3%" in "\n".join(text_lines(told))
    assert "stall" not in "\n".join(text_lines(READY))


def test_orphans_are_counted_when_there_are_any() -> None:
    alone = replace(READY.instances[0], unwatched_s=99.0)
    lines = text_lines(replace(READY, instances=(alone, *READY.instances[1:])))
    assert "orphans 1" in "\n".join(lines) and "orphans" not in "\n".join(text_lines(READY))
