"""The line behaves like a list of ids in order of arrival, whatever is done to it."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from ai_model.pool.queue import LineFull, WaitingLine

ENTRIES = st.sampled_from("abcdefgh")
TIMES = st.integers(0, 20).map(float)


class LineMachine(RuleBasedStateMachine):
    """Compares the line with a plain list."""

    def __init__(self) -> None:
        super().__init__()
        self.line = WaitingLine(max_size=5)
        self.model: list[tuple[str, float]] = []

    @rule(entry=ENTRIES, deadline=TIMES)
    def push(self, entry: str, deadline: float) -> None:
        if entry in [known for known, _ in self.model]:
            with pytest.raises(KeyError):
                self.line.push(entry, deadline)
        elif len(self.model) >= 5:
            with pytest.raises(LineFull):
                self.line.push(entry, deadline)
        else:
            self.model.append((entry, deadline))
            assert self.line.push(entry, deadline) == len(self.model)

    @rule()
    def pop_and_maybe_return(self) -> None:
        expected = self.model.pop(0) if self.model else None
        assert self.line.pop() == (None if expected is None else expected[0])

    @rule()
    def give_back(self) -> None:
        entry = self.line.pop()
        if entry is not None:
            self.line.push_front(entry, self.model[0][1])

    @rule(entry=ENTRIES)
    def remove(self, entry: str) -> None:
        was_in = entry in [known for known, _ in self.model]
        assert self.line.remove(entry) is was_in
        self.model = [pair for pair in self.model if pair[0] != entry]

    @rule(now=TIMES)
    def expire(self, now: float) -> None:
        assert self.line.expire(now) == [entry for entry, end in self.model if end <= now]
        self.model = [pair for pair in self.model if pair[1] > now]

    @invariant()
    def same_order_and_positions(self) -> None:
        order = [entry for entry, _ in self.model]
        assert list(self.line) == order
        assert len(self.line) == len(order) <= 5
        for place, entry in enumerate(order, start=1):
            assert self.line.position(entry) == place
            assert entry in self.line


TestLine = LineMachine.TestCase


def test_position_of_a_stranger() -> None:
    """Somebody who does not wait has no place."""
    with pytest.raises(KeyError):
        WaitingLine(3).position("a")
