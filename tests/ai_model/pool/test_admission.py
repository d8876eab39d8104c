"""Who is refused, why, and what they are told."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ai_model.engine.request import SamplingParams
from ai_model.pool.admission import Admission, estimate_tokens
from ai_model.pool.errors import (
    InflightLimit,
    NoModel,
    PoolError,
    PoolUnavailable,
    QueueFull,
    RefusalReason,
    error_for,
)
from ai_model.pool.eta import EtaEstimator
from ai_model.pool.priority import Priority
from ai_model.prompt import ChatMessage, Role
from tests.ai_model.pool.builders import make_config, make_request


def make_admission(*, run_s: float = 10.0, **values: Any) -> Admission:
    """Return the admission of two instances and three places, whose answers took ``run_s``."""
    estimator = EtaEstimator()
    for _ in range(50):
        estimator.record_run(run_s)
    limits = {"max_inflight_per_visitor": 2, "max_inflight_per_address": 4}
    return Admission(make_config(**limits | values), estimator)


def refusal(admission: Admission, **values: Any) -> PoolError | None:
    """Return the error that check() raises."""
    usual: dict[str, Any] = {"visitor": "v", "num_waiting": 0, "num_free": 0, "cost": 100}
    arguments = usual | values
    try:
        admission.check(arguments.pop("visitor"), **arguments)
    except PoolError as error:
        return error
    return None


def reason(admission: Admission, **values: Any) -> str | None:
    """Return the reason of the refusal, None for none."""
    error = refusal(admission, **values)
    return None if error is None else error.reason


def test_line_is_bounded_when_all_instances_are_taken() -> None:
    admission = make_admission()
    assert reason(admission, num_waiting=2) is None
    error = refusal(admission, num_waiting=3)
    assert isinstance(error, QueueFull)
    assert error.reason is RefusalReason.REQUESTS
    assert error.num_waiting == 3
    assert error.retry_after_s is not None and 1.0 <= error.retry_after_s <= 120.0


def test_free_instances_count_as_places() -> None:
    admission = make_admission(queue_size=0)
    assert reason(admission, num_free=1) is None
    assert reason(admission, num_waiting=1, num_free=1) is RefusalReason.REQUESTS


def test_waiting_work_is_bounded() -> None:
    admission = make_admission(max_waiting_tokens=1000)
    assert reason(admission, num_waiting=1, cost=500, waiting_cost=500) is None
    error = refusal(admission, num_waiting=1, cost=501, waiting_cost=500)
    assert isinstance(error, QueueFull) and error.reason is RefusalReason.TOKENS
    assert error.num_waiting == 1 and error.retry_after_s
    # With nobody before it, even the largest comes in: it would never come in otherwise.
    assert reason(admission, cost=5000) is None
    assert reason(admission, num_waiting=1, num_free=2, cost=5000, waiting_cost=500) is None


def test_longest_wait_is_bounded() -> None:
    admission = make_admission(run_s=100.0, timeout_s=60.0)
    assert reason(admission, num_free=1) is None
    assert reason(admission, num_waiting=2) is RefusalReason.WAIT
    assert reason(admission, num_waiting=2, num_instances=100) is None


def test_visitor_may_have_so_many() -> None:
    admission = make_admission()
    admission.enter("v")
    assert reason(admission) is None
    admission.enter("v")
    error = refusal(admission, num_free=2)
    assert isinstance(error, InflightLimit) and error.reason is RefusalReason.VISITOR
    assert error.retry_after_s
    assert reason(admission, visitor="other") is None
    admission.leave("v")
    assert reason(admission) is None


def test_address_may_have_so_many_however_many_visitors_it_has() -> None:
    admission = make_admission()
    for n in range(4):
        admission.enter(f"v{n}", address="block")
        admission.enter(f"v{n}")
    error = refusal(admission, visitor="new", address="block")
    assert isinstance(error, InflightLimit) and error.reason is RefusalReason.ADDRESS
    assert reason(admission, visitor="new", address="other") is None
    assert reason(admission, visitor="new") is None
    admission.leave("v0", address="block")
    assert reason(admission, visitor="new", address="block") is None


def test_programs_leave_places_for_visitors() -> None:
    admission = make_admission(queue_size=6)
    for n in range(4):
        assert reason(admission, visitor="new", priority=Priority.API) is None
        admission.enter(f"p{n}", priority=Priority.API)
    error = refusal(admission, visitor="new", priority=Priority.API, num_waiting=2)
    assert isinstance(error, QueueFull) and error.reason is RefusalReason.SHARE
    assert reason(admission, num_waiting=2) is None
    admission.leave("p0", priority=Priority.API)
    assert reason(admission, visitor="new", priority=Priority.API) is None


def test_warm_ups_come_in_when_an_instance_is_idle() -> None:
    admission = make_admission()
    assert reason(admission, priority=Priority.WARM_UP, num_free=1) is None
    assert reason(admission, priority=Priority.WARM_UP) is RefusalReason.SHARE


def test_resumed_come_in_though_others_were_sooner() -> None:
    """They hold a promise of an earlier pool; but even these are not without bound."""
    admission = make_admission(run_s=1000.0)
    for _ in range(2):
        admission.enter("v")
    assert reason(admission, num_waiting=9, is_resumed=True, waiting_cost=10**9) is None
    assert reason(admission, num_waiting=10, is_resumed=True) is RefusalReason.REQUESTS


def test_closed_or_without_a_model() -> None:
    admission = make_admission()
    admission.failure = "The file is gone."
    error = refusal(admission, num_free=2, is_resumed=True)
    assert isinstance(error, NoModel) and error.text == "The file is gone."
    admission.is_closed = True
    error = refusal(admission, num_free=2, is_resumed=True)
    assert isinstance(error, PoolUnavailable) and error.reason is RefusalReason.CLOSED
    assert error.retry_after_s == 5.0


def test_refusal_without_experience_says_when_to_come_again() -> None:
    admission = Admission(make_config(), EtaEstimator())
    error = refusal(admission, num_waiting=3)
    assert error is not None and error.retry_after_s == 5.0


def test_counts_end_empty() -> None:
    """Nothing is kept of visitors who left."""
    admission = make_admission()
    for n in range(100):
        admission.enter(f"v{n}", address=f"a{n}", priority=Priority.API)
        admission.leave(f"v{n}", address=f"a{n}", priority=Priority.API)
    assert not admission._by_visitor
    assert not admission._by_address
    assert not admission._by_priority


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.booleans(), st.integers(1, 600)), max_size=60))
def test_bounds_hold_whatever_comes_and_goes(steps: list[tuple[int, bool, int]]) -> None:
    """A loaded, busy pool never takes more than its places, nor more work than may wait."""
    admission = make_admission(run_s=0.1, max_waiting_tokens=900)
    line: list[tuple[str, int]] = []
    for visitor, is_leaving, cost in steps:
        if is_leaving and line:
            admission.leave(line.pop(0)[0])
            continue
        name = f"v{visitor}"
        waiting_cost = sum(cost for _, cost in line)
        if (
            refusal(
                admission,
                visitor=name,
                num_waiting=len(line),
                cost=cost,
                waiting_cost=waiting_cost,
            )
            is None
        ):
            admission.enter(name)
            line.append((name, cost))
        assert len(line) <= 3
        assert len(line) == 1 or sum(cost for _, cost in line) <= 900
        assert sum(known == name for known, _ in line) <= 2


def test_cost_is_prompt_and_answer() -> None:
    admission = make_admission(n_ctx=1024, max_tokens=100)
    request = make_request("x" * 300, sampling=SamplingParams(max_tokens=500))
    assert admission.cost(request) == 100 + 8 + 100
    messages = (ChatMessage(Role.SYSTEM, "y" * 30), ChatMessage(Role.USER, "x" * 300))
    assert admission.cost(make_request(messages=messages)) == 100 + 10 + 2 * 8 + 32


def test_cost_is_at_most_the_context() -> None:
    """What does not fit is cut from the prompt; and a huge text is not even measured."""
    admission = make_admission(n_ctx=512)
    assert admission.cost(make_request("x" * 1_000_000)) == 512
    assert admission.cost(make_request("\u6c34" * 1_000_000)) == 512


@settings(deadline=None)
@given(st.text(st.characters(codec="utf-8"), max_size=200), st.integers(1, 100))
def test_estimate(text: str, cap: int) -> None:
    """Every script is weighed by its bytes, up to the cap."""
    exact = -(-len(text.encode()) // 3)
    estimate = estimate_tokens(text, cap)
    assert estimate == exact or cap <= estimate <= exact


def test_estimate_of_scripts() -> None:
    assert estimate_tokens("What does it cost?", 1000) == 6
    assert estimate_tokens("\u6c34" * 6, 1000) == 6
    assert estimate_tokens("", 1000) == 0


def test_refusal_travels_with_all_it_says() -> None:
    error = error_for("queue_full", "Full.", 7.0, num_waiting=3, reason="tokens")
    assert isinstance(error, QueueFull)
    assert (error.text, error.retry_after_s, error.num_waiting) == ("Full.", 7.0, 3)
    assert error.reason == RefusalReason.TOKENS
    assert error_for("pool_lost", "Gone.").num_waiting is None
