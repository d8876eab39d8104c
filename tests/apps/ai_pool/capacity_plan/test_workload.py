"""What visitors do is checked."""

from __future__ import annotations

import pytest

from apps.ai_pool.capacity_plan.workload import Workload


@pytest.mark.parametrize(
    ("name", "value"),
    [("num_users", 0), ("num_turns", 0), ("think_s", -1), ("answer_tokens", 0)]
    + [("answer_spread", 4), ("question_tokens", 10**6)],
)
def test_what_cannot_be_is_named(name: str, value: int) -> None:
    with pytest.raises(ValueError, match=name):
        Workload(**{"num_users": 1, name: value})
