"""Tickets and queues of them, for tests of the line."""

from __future__ import annotations

from typing import Any

from ai_model.pool.fair_queue import FairQueue, Ticket
from ai_model.pool.priority import Priority

NOW = 1000.0


def make_ticket(generation: str, **values: Any) -> Ticket:
    """Return a ticket of a visitor called like its first letter."""
    usual: dict[str, Any] = {
        "visitor": generation[0],
        "address": "",
        "priority": Priority.VISITOR,
        "cost": 100,
        "submitted_at": NOW,
        "deadline": NOW + 120,
    }
    return Ticket(generation=generation, **usual | values)


def make_queue(*names: str, **values: Any) -> FairQueue:
    """Return a queue with these tickets, in this order, and no limit on what runs."""
    queue = FairQueue(1000)
    for name in names:
        queue.push(make_ticket(name, **values))
    return queue


def pop_all(queue: FairQueue, now: float = NOW) -> list[str]:
    """Pop until nothing more is served; nothing is released."""
    popped = []
    while (ticket := queue.pop(now)) is not None:
        popped.append(ticket.generation)
    return popped


def names_of(tickets: list[Ticket]) -> list[str]:
    """Return the generations."""
    return [ticket.generation for ticket in tickets]
