"""The number of instances follows demand: up at once, down after a while, never out of bounds."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ai_model.pool.elastic import InstancePolicy


def wanted(
    policy: InstancePolicy, now: float, running: int, waiting: int = 0, **bounds: int
) -> int:
    """Ask a policy with 1 hot instance and at most 4."""
    limits = {"hot": 1, "limit": 4} | bounds
    return policy.wanted(num_running=running, num_waiting=waiting, now=now, **limits)


def test_it_grows_at_once_and_shrinks_after_a_while() -> None:
    """Instance by instance, each when it was not needed for long."""
    policy = InstancePolicy(shrink_after_s=100.0)
    assert wanted(policy, 0, 0) == 1
    assert wanted(policy, 1, 1) == 1
    assert wanted(policy, 2, 1, 1) == 2
    assert wanted(policy, 3, 2, 9) == 4
    assert wanted(policy, 10, 4) == 4
    assert wanted(policy, 50, 2) == 4, "4 ran until now"
    assert wanted(policy, 120, 2) == 4
    assert wanted(policy, 149, 0) == 4
    assert wanted(policy, 151, 0) == 2
    assert wanted(policy, 248, 0) == 2
    assert wanted(policy, 249, 0) == 1


def test_a_short_rest_does_not_shrink() -> None:
    """Making an instance costs everybody a moment, so the pool does not breathe with questions."""
    policy = InstancePolicy(shrink_after_s=60.0)
    sizes = {wanted(policy, now, 3 if now % 50 == 0 else 0) for now in range(0, 1000, 5)}
    assert sizes == {3}


def test_hot_instances_are_always_there() -> None:
    """Zero of them means all; and never more than the limit."""
    policy = InstancePolicy()
    assert wanted(policy, 0, 0, hot=3) == 3
    assert wanted(policy, 0, 0, hot=0) == 4
    assert wanted(policy, 0, 0, hot=9, limit=2) == 2


def test_a_lower_limit_counts_at_once_even_while_more_run() -> None:
    """The engine lets what runs finish; the policy says where it goes."""
    policy = InstancePolicy()
    assert wanted(policy, 0, 4) == 4
    assert wanted(policy, 1, 4, limit=2) == 2
    assert wanted(policy, 2, 4, limit=4) == 4


@given(
    st.lists(
        st.tuples(
            st.integers(0, 400), st.integers(0, 140), st.integers(0, 50), st.integers(0, 9),
            st.integers(1, 128),
        ),
        max_size=30,
    )
)  # fmt: skip
def test_it_keeps_its_bounds(steps: list[tuple[int, int, int, int, int]]) -> None:
    """Between 1 and the limit, enough for what runs, and no reader waits beside a free place."""
    policy, now = InstancePolicy(), 0.0
    for passed_s, running, waiting, hot, limit in steps:
        now += passed_s
        size = wanted(policy, now, running, waiting, hot=hot, limit=limit)
        assert 1 <= size <= limit
        assert size >= min(running + waiting, limit)
        assert size >= min(hot or limit, limit)
