"""The simulation against cases that can be worked out by hand."""

from __future__ import annotations

from typing import Any

import pytest

from apps.ai_pool.capacity_plan.simulation import REQUEST_S, TOKEN_MS, simulate
from apps.ai_pool.capacity_plan.workload import Workload
from tests.apps.ai_pool.capacity_plan.machines import make_figures

TOKEN_S = (50.0 + TOKEN_MS) / 1000


def load(num_users: int, **changes: Any) -> Workload:
    values: dict[str, Any] = {
        "num_turns": 1,
        "think_s": 0,
        "question_tokens": 20,
        "answer_tokens": 10,
        "answer_spread": 0,
        "system_tokens": 0,
    }
    return Workload(num_users=num_users, **values | changes)


def test_one_visitor_alone() -> None:
    outcome = simulate(make_figures(), load(1), 1)
    # Reading 20 tokens takes 40 + 20 x 10 ms, and gives the first token.
    assert outcome.ttft.p50 == pytest.approx(0.24 + REQUEST_S)
    assert outcome.total.p50 == pytest.approx(0.24 + REQUEST_S + 9 * TOKEN_S)
    assert (outcome.wait.p99, outcome.max_waiting, outcome.max_running) == (0, 0, 1)
    assert outcome.answer_tokens == 10


def test_two_visitors_of_one_instance_wait_for_each_other() -> None:
    outcome = simulate(make_figures(), load(2), 1)
    alone = simulate(make_figures(), load(1), 1)
    assert outcome.wait.p99 == pytest.approx(alone.total.p50 - REQUEST_S)
    assert (outcome.max_running, outcome.max_waiting) == (1, 1)


def test_together_is_quicker_than_one_after_the_other() -> None:
    apart = simulate(make_figures(), load(4, answer_tokens=100), 1)
    together = simulate(make_figures(), load(4, answer_tokens=100), 4)
    assert together.seconds < 0.75 * apart.seconds
    assert together.wait.p99 == 0
    assert together.visitor_tok_s < apart.visitor_tok_s


def test_what_an_instance_holds_is_not_read_again() -> None:
    outcome = simulate(make_figures(), load(1, num_turns=3), 1)
    # Behind the first turn, the last token of the answer is to be read besides the question.
    assert outcome.prompt_tokens == pytest.approx((20 + 21 + 21) / 3)


def test_without_parking_another_visitor_drives_a_conversation_out() -> None:
    turns = load(2, num_turns=3)
    kept = simulate(make_figures(), turns, 1)
    lost = simulate(make_figures(parked_bytes=0), turns, 1)
    assert lost.prompt_tokens > kept.prompt_tokens + 5


def test_a_history_that_gets_too_long_is_cut_and_read_again() -> None:
    long = load(1, num_turns=12, answer_tokens=100)
    outcome = simulate(make_figures(n_ctx=512, max_tokens=100), long, 1)
    assert outcome.total.num == 12
    assert outcome.prompt_tokens > simulate(make_figures(n_ctx=4096), long, 1).prompt_tokens


def test_a_full_line_refuses_and_people_come_again() -> None:
    outcome = simulate(make_figures(queue_size=1), load(6, answer_tokens=40), 1)
    assert outcome.num_refused > 0
    assert outcome.num_failed == 0
    assert outcome.total.num == 6


def test_who_waits_too_long_gets_nothing() -> None:
    outcome = simulate(make_figures(timeout_s=1.0), load(3, answer_tokens=100), 1)
    assert (outcome.total.num, outcome.num_failed) == (1, 2)


def test_a_paced_pool_writes_no_faster() -> None:
    outcome = simulate(make_figures(max_tok_s=5.0), load(1, answer_tokens=21), 1)
    assert outcome.total.p50 - outcome.ttft.p50 == pytest.approx(20 / 5, rel=0.02)


def test_pauses_are_not_work() -> None:
    outcome = simulate(make_figures(), load(1, num_turns=4, think_s=60), 1)
    assert outcome.utilisation < 0.2
    assert outcome.seconds > 20


def test_the_same_twice() -> None:
    many = Workload(num_users=7, num_turns=3, think_s=2)
    assert simulate(make_figures(), many, 2) == simulate(make_figures(), many, 2)


def test_a_pool_has_an_instance() -> None:
    with pytest.raises(ValueError, match="at least one"):
        simulate(make_figures(), load(1), 0)
