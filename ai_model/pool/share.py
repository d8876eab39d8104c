"""One member of a deficit round robin: what it owes, who waits under it, and when its turn is."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ai_model.pool.fair_queue import Ticket

SCALE = 2
"""Debts are counted in half tokens, so that every weight divides every cost."""


class Share:
    """A class of priority, a block of addresses or a visitor; the parent is who it takes turns in.

    ``due`` is the round in which its debts are paid and its turn comes. ``round`` counts the rounds
    among its own children: in each of them every child's debt shrinks by ``weight`` half tokens.
    Shares that ``can_age`` lose patience (see ``turn``). Lives on one thread, has no clock.
    """

    __slots__ = (
        "born",
        "can_age",
        "children",
        "due",
        "held_at",
        "key",
        "num_served",
        "num_waiting",
        "parent",
        "round",
        "tickets",
        "weight",
    )

    def __init__(
        self,
        key: str = "",
        parent: Share | None = None,
        *,
        born: int = 0,
        weight: int = 1,
        can_age: bool = False,
    ) -> None:
        self.key = key
        self.parent = parent
        self.born = born
        """Decides between equal turns; no two children have the same."""
        self.weight = weight
        self.can_age = can_age
        self.due = 0
        self.round = 0
        self.num_waiting = 0
        self.num_served = 0
        """Tickets of its children that have been served."""
        self.held_at = -inf
        """When a ticket of it last gave an instance back, in monotonic seconds."""
        self.children: dict[str, Share] = {}
        self.tickets: dict[str, Ticket] = {}
        """Of a visitor: what waits, in order of arrival, by generation."""
        if parent is not None:
            parent.children[key] = self

    @property
    def path(self) -> Iterator[tuple[Share, Share]]:
        """Yield this share and those it is part of, each with its parent."""
        share = self
        while share.parent is not None:
            yield share, share.parent
            share = share.parent

    def add(self, ticket: Ticket, number: int) -> None:
        """Let a ticket of this visitor wait; ``number`` is how many came before."""
        for share, parent in self.path:
            if share.num_waiting == 0:
                share.join(parent)
                if share.can_age:
                    share.born = number
            share.num_waiting += 1
        self.tickets[ticket.generation] = ticket

    def drop(self, ticket: Ticket) -> None:
        """Let a ticket of this visitor wait no longer."""
        del self.tickets[ticket.generation]
        for share, _ in self.path:
            share.num_waiting -= 1

    def join(self, parent: Share) -> None:
        """Begin to take turns; the rounds it was idle in have paid its debts but earned nothing."""
        # Half a token ahead of whoever was served alone so far, who has just as little debt left.
        self.due = max(self.due, parent.round - 1)

    def price(self, cost: int) -> int:
        """Return the debt for ``cost`` tokens, in rounds."""
        return cost * SCALE // self.weight

    def charge(self, cost: int) -> int:
        """Go into debt for ``cost`` tokens; returns the rounds that this takes among all."""
        parent = self.parent
        assert parent is not None
        if self.num_waiting == 0:
            self.join(parent)
        nearest, weights = self.due, self.weight
        for other in parent.children.values():
            if other is self:
                continue
            if other.num_waiting:
                nearest = min(nearest, other.due)
            if other.num_waiting or other.due > parent.round:
                weights += other.weight
        # Rounds in which all are in debt are skipped. Then time goes on as fast as this cost is
        # spread over all who wait; newcomers begin where that is. Were it to stand still while
        # newcomers are served, an endless stream of them would let nobody else have a turn.
        num_rounds = -(-cost * SCALE // weights)
        parent.round = max(parent.round, nearest) + num_rounds
        parent.num_served += 1
        self.due += self.price(cost)
        return num_rounds

    def refund(self, cost: int, num_rounds: int) -> None:
        """Undo a charge() that returned ``num_rounds``."""
        assert self.parent is not None
        self.due -= self.price(cost)
        self.parent.round -= num_rounds
        self.parent.num_served -= 1

    @property
    def waiting_since(self) -> float:
        """Since when it waits and holds no instance, in monotonic seconds, if it holds none."""
        if self.tickets:
            oldest = next(iter(self.tickets.values())).submitted_at
        else:
            children = (child.tickets for child in self.children.values() if child.tickets)
            oldest = min(next(iter(tickets.values())).submitted_at for tickets in children)
        return max(oldest, self.held_at)

    @property
    def is_forgettable(self) -> bool:
        """Whether it would be the same if it were made anew."""
        return (
            self.num_waiting == 0 and self.parent is not None and self.due <= self.parent.round - 1
        )
