"""The line in front of the instances: everybody gets turns, however many requests somebody has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from math import inf

from ai_model.pool.priority import WEIGHTS, Priority
from ai_model.pool.share import Share

AGE_S = 30.0
"""Who has waited so long without holding an instance may be served out of turn. In seconds: a
quarter of the usual longest wait, and more than most answers take."""
AGED_EVERY = 4
"""One of so many services goes by age, when somebody is old enough. If it were all of them, a pool
in which everybody waits long would count requests instead of work, and whoever asks for the longest
answers would get the most."""
MIN_SWEEP = 256
"""Below so many shares it is not worth looking for those that can be forgotten."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """One request in line. Times are monotonic seconds. Raises ValueError for a ``cost`` below 1.

    ``address`` is the key of the visitor's block of addresses; "" is a block of its own for each
    visitor. ``cost`` is the estimated work in tokens, prompt and answer. ``is_resumed`` marks a
    request that an earlier pool had taken; such requests go first, in order of ``submitted_at``.
    """

    generation: str
    visitor: str
    address: str
    priority: Priority
    cost: int
    submitted_at: float
    deadline: float
    is_resumed: bool = False

    def __post_init__(self) -> None:
        if self.cost < 1:
            raise ValueError(f"cost must be at least 1 token, not {self.cost}")

    @property
    def block(self) -> str:
        """The key under which everything from the visitor's addresses is counted."""
        return f"a:{self.address}" if self.address else f"v:{self.visitor}"


class FairQueue:
    """Tickets served by hierarchical deficit round robin in tokens. Pure: it has no clock.

    Three levels, each a round robin of the same kind: the classes of priority by weight, within a
    class the blocks of addresses, within a block its visitors. A block is one share however many
    visitors it holds, because visitor keys cost nothing to make and addresses do. A visitor's own
    tickets are served in order of arrival.

    At each level whoever is served goes into debt by the cost of the ticket. Each round pays one
    token of everybody's debt, and rounds in which all are in debt are skipped: the next is whoever
    needs the fewest rounds. Newcomers owe nothing and go before those who were just served.

    At most ``max_running_per_visitor`` tickets of a visitor and ``max_running_per_address`` (0: no
    limit) of a block run at the same time; those at their limit are passed over.

    Every fourth service under a class or a block may go by age: to whoever has waited for more than
    ``age_s`` seconds without holding an instance, the longest first, whatever it owes. Not the age
    of a ticket counts but the time since its owner last held an instance: else a flood that is old
    enough would again be served in order of arrival. Classes do not age, their parts are certain.

    It keeps no bound; admission does. Not thread-safe. pop() and order() look at every waiting
    share. On one core of a small server order() takes 0.2 ms with 32 tickets and 1 to 2 ms with
    300, pop() a twentieth of that.
    """

    def __init__(
        self,
        max_running_per_visitor: int = 2,
        max_running_per_address: int = 0,
        *,
        age_s: float = AGE_S,
    ) -> None:
        if max_running_per_visitor < 1 or max_running_per_address < 0:
            raise ValueError("a visitor must be able to have at least one ticket running")
        self._limits = (max_running_per_visitor, max_running_per_address or inf)
        self._age_s = age_s
        self._root = Share()
        self._spare_root = Share()
        """Of warm-ups, which take no turns with the others: it is looked at last."""
        self._waiting: dict[str, _Place] = {}
        self._running: dict[str, _Place] = {}
        self._first: dict[str, _Place] = {}
        """Of those who wait, the ones that come before everybody's turn: moved, resumed or given
        back."""
        self._latest = -inf
        """The latest time that anybody has told."""
        self._num_pushed = 0
        self._num_moved = 0
        self._num_shares = 0
        self._sweep_at = MIN_SWEEP
        self.waiting_cost = 0
        """Estimated tokens of all that waits."""

    def __len__(self) -> int:
        return len(self._waiting)

    def __contains__(self, generation: object) -> bool:
        return generation in self._waiting

    def __iter__(self) -> Iterator[str]:
        """Yield the generations that wait; in no order that matters, see order()."""
        return iter(tuple(self._waiting))

    @property
    def num_running(self) -> int:
        """Tickets that were popped and neither released nor given back."""
        return len(self._running)

    def push(self, ticket: Ticket) -> None:
        """Let ``ticket`` wait. Raises KeyError if its generation waits or runs already."""
        if ticket.generation in self._waiting or ticket.generation in self._running:
            raise KeyError(f"{ticket.generation} is in line already")
        self._latest = max(self._latest, ticket.submitted_at)
        if self._num_shares >= self._sweep_at:
            self._sweep()
        self._num_pushed += 1
        rank = (1, ticket.submitted_at, self._num_pushed)
        place = _Place(ticket, self._root_of(ticket), self._share_of(ticket), rank)
        self._enqueue(place, is_first=ticket.is_resumed)

    def pop(self, now: float) -> Ticket | None:
        """Remove and return the ticket to serve next, None when there is none within its limit.

        It counts as running until release() or give_back().
        """
        self._latest = max(self._latest, now)
        ticket = next(self._serve(now, _Load(self._running.values(), *self._limits)), None)
        if ticket is None:
            return None
        place = self._waiting[ticket.generation]
        place.charge()
        self._dequeue(place)
        self._running[ticket.generation] = place
        return ticket

    def give_back(self, ticket: Ticket) -> None:
        """Undo a pop(): the ticket waits again, is the next, and has cost nothing.

        Raises KeyError if it does not run.
        """
        place = self._running.pop(ticket.generation)
        place.refund()
        # Before those resumed too: it had left the line before them.
        place.rank = (min(0, place.rank[0]), *place.rank[1:])
        self._enqueue(place, is_first=True)

    def release(self, generation: str) -> None:
        """Note that a ticket that was popped holds no instance any more. Idempotent."""
        place = self._running.pop(generation, None)
        if place is not None:
            for share, _ in place.share.path:
                share.held_at = self._latest

    def remove(self, generation: str) -> bool:
        """Let a ticket leave the line; returns whether it was waiting."""
        place = self._waiting.get(generation)
        if place is None:
            return False
        self._dequeue(place)
        return True

    def move_to_front(self, generation: str) -> bool:
        """Let a ticket be the next of all; returns whether it was waiting.

        The last one moved goes first. It is no gift: its owner pays for it as for any turn, so that
        others are served the sooner afterwards. Owners at their limit are passed over as always,
        and warm-ups stay behind everybody else.
        """
        place = self._waiting.get(generation)
        if place is None:
            return False
        if generation not in self._first:
            place.share.drop(place.ticket)
            self._first[generation] = place
        self._num_moved += 1
        place.rank = (-1, -self._num_moved, place.rank[2])
        return True

    def expire(self, now: float) -> list[Ticket]:
        """Remove and return, in order of arrival, the tickets whose deadline has passed."""
        self._latest = max(self._latest, now)
        late = [place for place in self._waiting.values() if place.ticket.deadline <= now]
        for place in late:
            self._dequeue(place)
        return [place.ticket for place in sorted(late, key=lambda place: place.rank[2])]

    def order(self, now: float) -> list[Ticket]:
        """Return all that waits, in the order in which it would be served. Changes nothing.

        It begins with what pop() would return until that is None. Tickets of those at their limit
        follow, in the order that they would have without limits.
        """
        ordered = list(self._serve(now, _Load(self._running.values(), *self._limits)))
        if len(ordered) < len(self._waiting):
            known = {ticket.generation for ticket in ordered}
            # Their limit is free again only after an answer: nobody is impatient then.
            everybody = self._serve(-inf, _Load((), inf, inf))
            ordered += [ticket for ticket in everybody if ticket.generation not in known]
        return ordered

    # Who is next.

    def _serve(self, now: float, load: _Load) -> Iterator[Ticket]:
        """Yield in order what may be served if all that is yielded starts at once."""
        first = sorted(self._first.values(), key=lambda place: place.rank)
        for root in (self._root, self._spare_root):
            for place in first:
                if place.root is root and load.take(place.ticket):
                    for share, parent in place.share.path:
                        load.debts[share] += share.price(place.ticket.cost)
                        load.num_served[parent] += 1
                        load.shares.add(share)
                    yield place.ticket
            yield from self._take_turns(root, now - self._age_s, load)

    def _take_turns(self, share: Share, aged_before: float, load: _Load) -> Iterator[Ticket]:
        """Yield the tickets under ``share`` in the order of its members' turns."""
        for ticket in share.tickets.values():
            if not load.take(ticket):
                # The same limit holds for everything behind it.
                return
            yield ticket
        members = [child for child in share.children.values() if child.num_waiting]
        if len(members) == 1:
            yield from self._take_turns(members[0], aged_before, load)
            return
        dues, aged = {}, []
        for child in members:
            dues[child] = child.due + load.debts[child]
            if child.can_age and child not in load.shares:
                aged.append((child.waiting_since, child.born, child))
        turns = [(due, child.born, child) for child, due in dues.items()]
        heapify(turns)
        aged = sorted((entry for entry in aged if entry[0] <= aged_before), reverse=True)
        num_served = share.num_served + load.num_served[share]
        lines: dict[Share, Iterator[Ticket]] = {}
        while turns:
            while aged and aged[-1][2] in lines:
                # It had a turn, and holds an instance now.
                aged.pop()
            if aged and num_served % AGED_EVERY == 0:
                child = aged.pop()[2]
            else:
                due, _, child = heappop(turns)
                if dues.get(child) != due:
                    # Served out of turn meanwhile; it is in line again further behind.
                    continue
            if child not in lines:
                lines[child] = self._take_turns(child, aged_before, load)
            next_ticket = next(lines[child], None)
            if next_ticket is None:
                del dues[child]
                continue
            yield next_ticket
            num_served += 1
            dues[child] += child.price(next_ticket.cost)
            heappush(turns, (dues[child], child.born, child))

    # Coming and going.

    def _enqueue(self, place: _Place, *, is_first: bool) -> None:
        ticket = place.ticket
        self._waiting[ticket.generation] = place
        self.waiting_cost += ticket.cost
        if is_first:
            self._first[ticket.generation] = place
        else:
            place.share.add(ticket, place.rank[2])

    def _dequeue(self, place: _Place) -> None:
        ticket = place.ticket
        del self._waiting[ticket.generation]
        self.waiting_cost -= ticket.cost
        if self._first.pop(ticket.generation, None) is None:
            place.share.drop(ticket)

    def _root_of(self, ticket: Ticket) -> Share:
        return self._spare_root if ticket.priority is Priority.WARM_UP else self._root

    def _share_of(self, ticket: Ticket) -> Share:
        """Return the visitor's share, made now if need be."""
        root, priority = self._root_of(ticket), ticket.priority
        group = root.children.get(priority)
        if group is None:
            # Between classes with equal turns the order of Priority decides.
            born = list(Priority).index(priority)
            group = Share(priority, root, born=born, weight=WEIGHTS.get(priority, 1))
        share = group
        for key in (ticket.block, ticket.visitor):
            child = share.children.get(key)
            if child is None:
                self._num_shares += 1
                child = Share(key, share, can_age=True)
            share = child
        return share

    def _sweep(self) -> None:
        """Forget blocks and visitors that owe nothing and have nothing here."""
        places = [*self._waiting.values(), *self._running.values()]
        needed = {share for place in places for share, _ in place.share.path}
        self._num_shares = 0
        for root in (self._root, self._spare_root):
            for group in root.children.values():
                for block in _forget(group, needed):
                    self._num_shares += 1 + len(_forget(block, needed))
        self._sweep_at = max(MIN_SWEEP, 2 * self._num_shares)


class _Place:
    """A ticket, whose it is, and what it has cost its owner."""

    __slots__ = ("paid", "rank", "root", "share", "ticket")

    def __init__(
        self, ticket: Ticket, root: Share, share: Share, rank: tuple[int, float, int]
    ) -> None:
        self.ticket = ticket
        self.root = root
        self.share = share
        self.rank = rank
        """Sorts those that go first."""
        self.paid: list[tuple[Share, int]] = []

    def charge(self) -> None:
        """Let the visitor, the block and the class pay."""
        cost = self.ticket.cost
        self.paid = [(share, share.charge(cost)) for share, _ in self.share.path]

    def refund(self) -> None:
        """Undo charge()."""
        for share, num_rounds in self.paid:
            share.refund(self.ticket.cost, num_rounds)
        self.paid = []


class _Load:
    """What runs, and what more may run."""

    __slots__ = (
        "_by_block",
        "_by_visitor",
        "_per_block",
        "_per_visitor",
        "debts",
        "num_served",
        "shares",
    )

    def __init__(self, running: Iterable[_Place], per_visitor: float, per_block: float) -> None:
        places = list(running)
        self._per_visitor = per_visitor
        self._per_block = per_block
        self._by_visitor = Counter(place.ticket.visitor for place in places)
        self._by_block = Counter(place.ticket.block for place in places)
        self.shares = {share for place in places for share, _ in place.share.path}
        """Those that hold an instance: they do not age."""
        self.debts: Counter[Share] = Counter()
        """Of those that go first and are on their way, what they cost their owners."""
        self.num_served: Counter[Share] = Counter()
        """Of the same, how many were served under each share."""

    def take(self, ticket: Ticket) -> bool:
        """Count ``ticket`` as running if that is within its limits; returns whether it is."""
        block = ticket.block
        if (
            self._by_visitor[ticket.visitor] >= self._per_visitor
            or self._by_block[block] >= self._per_block
        ):
            return False
        self._by_visitor[ticket.visitor] += 1
        self._by_block[block] += 1
        return True


def _forget(parent: Share, needed: set[Share]) -> list[Share]:
    """Drop the children of ``parent`` that can be forgotten; returns those that stay."""
    parent.children = {
        key: child
        for key, child in parent.children.items()
        if child in needed or not child.is_forgettable
    }
    return list(parent.children.values())
