"""Whatever happens to a pool, in whatever order: its promises hold (a Hypothesis state machine)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, Phase, settings

from tests.ai_model.pool.builders import make_request
from tests.ai_model.pool.pool_machine import PoolMachine
from tests.ai_model.pool.pool_trial import LIMITS
from tests.ai_model.pool.scripted_engine import SCRIPT

# It takes seconds, but making a failure small takes longer.
pytestmark = pytest.mark.timeout(300)


class ElasticPoolMachine(PoolMachine):
    """The same with instances that come and go by demand."""

    limits = replace(LIMITS, hot_instances=1)


SETTINGS = settings(
    max_examples=120,
    stateful_step_count=50,
    deadline=None,
    report_multiple_bugs=False,
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
TestPoolMachine = PoolMachine.TestCase
TestPoolMachine.settings = SETTINGS
TestElasticPoolMachine = ElasticPoolMachine.TestCase
TestElasticPoolMachine.settings = SETTINGS


@contextmanager
def staged() -> Iterator[PoolMachine]:
    """A machine that is driven by hand, audited and shut down at the end."""
    machine = PoolMachine()
    try:
        yield machine
    finally:
        machine.teardown()


def test_a_new_pool_has_room_for_all_that_the_dead_one_had_taken() -> None:
    """Also while it is loading, when no instance is free: what was taken is not refused later."""
    num_places = LIMITS.max_instances + LIMITS.queue_size
    with staged() as machine:
        for number in range(num_places):
            machine.hand_in(make_request(visitor=f"v{number}"))
        machine.write(2)
        machine.audit()
        machine.lose_process(is_loading=True)
        machine.audit()
        assert len(machine.open) == num_places


def test_requests_given_back_by_a_busy_engine_keep_their_order() -> None:
    """First come, first served, also for those whom the engine could not take yet."""
    requests = [make_request(visitor=f"v{number}") for number in range(5)]
    with staged() as machine:
        machine.be_deaf()
        for request in requests:
            machine.hand_in(request)
        machine.audit()
        machine.be_deaf()
        machine.audit()
        taken = [request.id for request in machine.engine.requests]
        assert taken == [request.generation for request in requests[: LIMITS.max_instances]]


def test_an_answer_goes_on_piece_by_piece() -> None:
    """Each part adds as many tokens as it may, also when a pool dies in between."""
    with staged() as machine:
        machine.submit("a", 3)
        machine.write(9)
        machine.audit()
        machine.go_on(0, 3)
        machine.write(2)
        machine.hand_in(make_request(visitor="b"))
        machine.audit()
        machine.lose_process(is_loading=False)
        machine.audit()
        machine.write(1)
        machine.audit()
        (life,) = machine.unfinished
        assert life.text == "".join(SCRIPT[:6])
        assert life.frames[-1]["reason"] == "length"
