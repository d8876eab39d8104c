"""Whatever is done to a fair queue: its promises hold (a Hypothesis state machine)."""

from __future__ import annotations

import copy
from collections import Counter
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from ai_model.pool.fair_queue import FairQueue, Ticket
from ai_model.pool.priority import Priority
from tests.ai_model.pool.tickets import NOW, names_of, pop_all

PER_VISITOR = 2
PER_BLOCK = 3


@settings(max_examples=100, stateful_step_count=40, deadline=None)
class QueueMachine(RuleBasedStateMachine):
    """Does everything that may be done to a queue, while time goes on."""

    def __init__(self) -> None:
        super().__init__()
        self.queue = FairQueue(PER_VISITOR, PER_BLOCK, age_s=10.0)
        self.now = NOW
        self.waiting: dict[str, Ticket] = {}
        self.running: dict[str, Ticket] = {}
        self.num_pushed = 0

    @rule(
        visitor=st.sampled_from("abcd"),
        address=st.sampled_from(["", "x", "y"]),
        priority=st.sampled_from([*Priority, Priority.VISITOR]),
        cost=st.integers(1, 50),
        patience=st.integers(1, 60),
        is_resumed=st.integers(0, 5).map(lambda value: value == 0),
    )
    def push(self, patience: int, **values: Any) -> None:
        self.num_pushed += 1
        ticket = Ticket(
            generation=f"t{self.num_pushed}",
            submitted_at=self.now,
            deadline=self.now + patience,
            **values,
        )
        self.queue.push(ticket)
        self.waiting[ticket.generation] = ticket
        with pytest.raises(KeyError):
            self.queue.push(ticket)

    @rule()
    def pop(self) -> None:
        ticket = self.queue.pop(self.now)
        if ticket is not None:
            assert self.waiting.pop(ticket.generation) == ticket
            self.running[ticket.generation] = ticket

    @rule()
    def pop_and_give_back(self) -> None:
        before = self.queue.order(self.now)
        ticket = self.queue.pop(self.now)
        if ticket is not None:
            self.queue.give_back(ticket)
            assert self.queue.order(self.now)[0] == ticket
            assert sorted(names_of(before)) == sorted(names_of(self.queue.order(self.now)))

    @precondition(lambda self: self.running)
    @rule(data=st.data())
    def give_back(self, data: st.DataObject) -> None:
        ticket = self.running.pop(data.draw(st.sampled_from(sorted(self.running))))
        self.queue.give_back(ticket)
        self.waiting[ticket.generation] = ticket

    @precondition(lambda self: self.running)
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        generation = data.draw(st.sampled_from(sorted(self.running)))
        del self.running[generation]
        self.queue.release(generation)
        self.queue.release(generation)

    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        generation = f"t{data.draw(st.integers(1, max(1, self.num_pushed)))}"
        assert self.queue.remove(generation) is (self.waiting.pop(generation, None) is not None)

    @rule(data=st.data())
    def move_to_front(self, data: st.DataObject) -> None:
        """It is the next unless its owner is at a limit, and nobody is lost or doubled."""
        generation = f"t{data.draw(st.integers(1, max(1, self.num_pushed)))}"
        is_waiting = generation in self.waiting
        assert self.queue.move_to_front(generation) is is_waiting
        if not is_waiting:
            return
        moved, running = self.waiting[generation], list(self.running.values())
        is_free = (
            sum(one.visitor == moved.visitor for one in running) < PER_VISITOR
            and sum(one.block == moved.block for one in running) < PER_BLOCK
        )
        if is_free and moved.priority is not Priority.WARM_UP:
            assert self.queue.order(self.now)[0] == moved

    @rule(seconds=st.integers(0, 15))
    def expire(self, seconds: int) -> None:
        self.now += seconds
        late = [ticket for ticket in self.waiting.values() if ticket.deadline <= self.now]
        assert set(names_of(self.queue.expire(self.now))) == set(names_of(late))
        for ticket in late:
            del self.waiting[ticket.generation]

    @invariant()
    def holds_what_waits(self) -> None:
        assert len(self.queue) == len(self.waiting)
        assert sorted(self.queue) == sorted(self.waiting)
        assert all(generation in self.queue for generation in self.waiting)
        assert not any(generation in self.queue for generation in self.running)
        assert self.queue.num_running == len(self.running)
        assert self.queue.waiting_cost == sum(ticket.cost for ticket in self.waiting.values())

    @invariant()
    def keeps_limits(self) -> None:
        tickets = self.running.values()
        assert all(n <= PER_VISITOR for n in Counter(t.visitor for t in tickets).values())
        assert all(n <= PER_BLOCK for n in Counter(t.block for t in tickets).values())

    @invariant()
    def foretells_its_order(self) -> None:
        order = names_of(self.queue.order(self.now))
        assert sorted(order) == sorted(self.waiting)
        assert names_of(self.queue.order(self.now)) == order
        popped = pop_all(copy.deepcopy(self.queue), self.now)
        assert order[: len(popped)] == popped

    def teardown(self) -> None:
        """Whatever has happened, all leave in the end, each once."""
        for generation in list(self.running):
            self.queue.release(generation)
        left = []
        while (ticket := self.queue.pop(self.now)) is not None:
            left.append(ticket.generation)
            self.queue.release(ticket.generation)
        assert sorted(left) == sorted(self.waiting)


TestQueue = QueueMachine.TestCase
