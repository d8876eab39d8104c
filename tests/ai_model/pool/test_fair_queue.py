"""Tickets leave the line exactly once, in the order that was foretold, within every limit."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from ai_model.pool.fair_queue import AGE_S, FairQueue
from ai_model.pool.priority import Priority
from tests.ai_model.pool.tickets import NOW, make_queue, make_ticket, names_of, pop_all


def test_one_visitor_is_served_in_order_of_arrival() -> None:
    assert pop_all(make_queue("a1", "a2", "a3")) == ["a1", "a2", "a3"]


def test_visitors_take_turns() -> None:
    queue = make_queue("a1", "a2", "a3", "b1", "b2", "c1")
    assert pop_all(queue) == ["a1", "b1", "c1", "a2", "b2", "a3"]


def test_turns_are_paid_in_tokens() -> None:
    """Who asks for twice as much has half as many turns."""
    queue = make_queue("a1", "a2", "a3", cost=200)
    for name in ("b1", "b2", "b3", "b4", "b5"):
        queue.push(make_ticket(name, cost=100))
    assert pop_all(queue) == ["a1", "b1", "b2", "a2", "b3", "b4", "a3", "b5"]


def test_who_is_moved_goes_first_and_the_last_one_moved_before_the_others() -> None:
    queue = make_queue("a1", "a2", "b1", "c1")
    queue.push(make_ticket("d1", is_resumed=True))
    assert queue.move_to_front("a2") and queue.move_to_front("c1")
    assert names_of(queue.order(NOW)) == ["c1", "a2", "d1", "b1", "a1"]
    assert not queue.move_to_front("z9")
    assert pop_all(queue) == ["c1", "a2", "d1", "b1", "a1"]
    assert not queue.move_to_front("c1"), "it runs"


def test_who_is_moved_pays_for_it() -> None:
    """Its owner has one turn less afterwards, so that nobody else gets less in the long run."""
    queue = make_queue("a1", "a2", "a3", "b1", "b2", "b3")
    queue.move_to_front("a3")
    assert pop_all(queue) == ["a3", "b1", "a1", "b2", "a2", "b3"]


def test_who_is_moved_waits_for_the_own_limit_and_warm_ups_for_all() -> None:
    queue = FairQueue(1)
    for name in ("a1", "a2", "b1"):
        queue.push(make_ticket(name))
    queue.push(make_ticket("w1", priority=Priority.WARM_UP))
    assert queue.pop(NOW) is not None
    queue.move_to_front("a2")
    queue.move_to_front("w1")
    assert pop_all(queue) == ["b1", "w1"]
    queue.release("a1")
    assert pop_all(queue) == ["a2"]


def test_who_is_moved_and_given_back_is_the_next_again() -> None:
    queue = make_queue("a1", "b1", "c1")
    queue.move_to_front("b1")
    queue.move_to_front("c1")
    first = queue.pop(NOW)
    assert first is not None and first.generation == "c1"
    queue.give_back(first)
    assert pop_all(queue) == ["c1", "b1", "a1"]


def test_newcomer_goes_before_a_flood() -> None:
    queue = make_queue(*(f"a{n}" for n in range(50)))
    assert [queue.pop(NOW) is not None for _ in range(7)] == [True] * 7
    queue.push(make_ticket("b"))
    assert names_of(queue.order(NOW))[0] == "b"


def test_a_debt_is_remembered_while_its_owner_is_away() -> None:
    """Asking one after the other is no way to go before those who wait."""
    queue = make_queue("a1", "b1", "b2", "c1", "c2")
    assert [queue.pop(NOW).generation for _ in range(2)] == ["a1", "b1"]  # type: ignore[union-attr]
    queue.release("a1")
    queue.push(make_ticket("a2"))
    assert pop_all(queue) == ["c1", "b2", "c2", "a2"]


def test_newcomers_without_end_starve_nobody() -> None:
    """Even without ageing, whoever owes something is served between them."""
    queue = FairQueue(1000, age_s=1e9)
    for name in ("a0", "a1", "a2", "n", "m"):
        queue.push(make_ticket(name))
    served = []
    for n in range(20):
        queue.push(make_ticket(f"n{n}", visitor=f"newcomer{n}"))
        ticket = queue.pop(NOW)
        assert ticket is not None
        served.append(ticket.generation)
    assert {"a0", "a1", "a2"} <= set(served)


def test_minted_visitors_are_one_share() -> None:
    """A block of addresses gets one turn, however many visitors it has."""
    queue = FairQueue(1000)
    for n in range(30):
        queue.push(make_ticket(f"m{n}", visitor=f"minted{n}", address="block"))
    for n in range(5):
        queue.push(make_ticket(f"a{n}", address="home"))
        queue.push(make_ticket(f"b{n}"))
    served = pop_all(queue)[:15]
    assert Counter(name[0] for name in served) == {"m": 5, "a": 5, "b": 5}


def test_visitors_of_a_block_take_turns_in_it() -> None:
    queue = make_queue("a1", "a2", "b1", "b2", address="office")
    assert pop_all(queue) == ["a1", "b1", "a2", "b2"]


def test_visitor_without_address_is_no_block_of_that_name() -> None:
    """An address cannot be made to look like somebody's own block."""
    own = make_ticket("a").block
    assert own not in {make_ticket("b", address=address).block for address in ("a", "v:a")}


@pytest.mark.parametrize(
    ("others", "shares"),
    [
        ({Priority.STAFF}, {Priority.STAFF: 15, Priority.VISITOR: 15}),
        ({Priority.API}, {Priority.API: 10, Priority.VISITOR: 20}),
        (
            {Priority.STAFF, Priority.API},
            {Priority.STAFF: 12, Priority.VISITOR: 12, Priority.API: 6},
        ),
    ],
)
def test_staff_and_programs_have_bounded_shares(
    others: set[Priority], shares: dict[Priority, int]
) -> None:
    """However many they are, at every moment and not only in the end, old or not."""
    queue = FairQueue(1000)
    for n in range(40):
        for priority in (*others, Priority.VISITOR):
            queue.push(make_ticket(f"{priority}{n}", visitor=f"{priority}{n}", priority=priority))
    served: Counter[Priority] = Counter()
    for n in range(30):
        ticket = queue.pop(NOW + AGE_S + n)
        assert ticket is not None
        served[ticket.priority] += 1
        for priority in others:
            assert served[priority] <= shares[priority] / 30 * (n + 1) + 1
    assert served == shares


def test_shares_nobody_uses_go_to_the_others() -> None:
    queue = make_queue("a1", "a2", priority=Priority.API)
    assert pop_all(queue) == ["a1", "a2"]


def test_warm_ups_come_last() -> None:
    """Also when they are old, were given back, or were taken by an earlier pool."""
    queue = make_queue("w1", "w2", priority=Priority.WARM_UP)
    queue.push(make_ticket("w3", priority=Priority.WARM_UP, is_resumed=True))
    warm_up = queue.pop(NOW)
    assert warm_up is not None and warm_up.generation == "w3"
    queue.give_back(warm_up)
    for n in range(3):
        queue.push(make_ticket(f"a{n}", priority=Priority.API))
    assert pop_all(queue, NOW + 2 * AGE_S) == ["a0", "a1", "a2", "w3", "w1", "w2"]


def test_warm_up_goes_when_the_others_are_at_their_limit() -> None:
    queue = FairQueue(1)
    for name in ("a1", "a2"):
        queue.push(make_ticket(name))
    queue.push(make_ticket("w", priority=Priority.WARM_UP))
    assert pop_all(queue) == ["a1", "w"]


def test_resumed_go_first_as_they_once_came() -> None:
    queue = make_queue("a1")
    for name, submitted_at in (("b", 30.0), ("c", 10.0), ("d", 20.0)):
        queue.push(make_ticket(name, is_resumed=True, submitted_at=submitted_at))
    queue.push(make_ticket("s", priority=Priority.STAFF))
    assert pop_all(queue) == ["c", "d", "b", "s", "a1"]


def test_resumed_keep_limits() -> None:
    queue = FairQueue(2)
    for n in range(3):
        queue.push(make_ticket(f"a{n}", is_resumed=True))
    queue.push(make_ticket("b"))
    assert names_of(queue.order(NOW)) == ["a0", "a1", "b", "a2"]
    assert pop_all(queue) == ["a0", "a1", "b"]


def test_given_back_is_next_again() -> None:
    """Before those who came meanwhile, newcomers and resumed ones."""
    queue = make_queue("a1", "a2", "b1")
    first = queue.pop(NOW)
    assert first is not None and first.generation == "a1"
    queue.push(make_ticket("c", is_resumed=True, submitted_at=NOW - 60))
    queue.push(make_ticket("d", priority=Priority.STAFF))
    queue.give_back(first)
    assert names_of(queue.order(NOW)) == ["a1", "c", "d", "b1", "a2"]
    with pytest.raises(KeyError):
        queue.give_back(first)


def test_giving_back_costs_nothing_however_often() -> None:
    """An engine that is busy for a while is asked fifty times a second."""
    queue = make_queue("a1", "a2", "a3", "b1", "b2", "b3")
    expected = names_of(queue.order(NOW))
    for _ in range(1000):
        ticket = queue.pop(NOW)
        assert ticket is not None
        queue.give_back(ticket)
    assert names_of(queue.order(NOW)) == expected
    queue.push(make_ticket("c"))
    assert names_of(queue.order(NOW)).index("c") <= 2


def test_limit_of_a_visitor_and_of_a_block() -> None:
    queue = FairQueue(2, 3)
    for name in ("a1", "a2", "a3", "b1", "b2"):
        queue.push(make_ticket(name, address="office"))
    queue.push(make_ticket("c"))
    assert sorted(pop_all(queue)) == ["a1", "a2", "b1", "c"]
    assert queue.pop(NOW) is None
    queue.release("c")
    assert queue.pop(NOW) is None
    queue.release("b1")
    ticket = queue.pop(NOW)
    assert ticket is not None and ticket.generation == "b2"


def make_aged_queue() -> FairQueue:
    """Return a queue of three visitors, of whom ``b`` and then ``a`` are old at LATE.

    Both owe much more than ``c``, who holds an instance and so does not age. Three were served.
    """
    queue = FairQueue(1000)
    for name in ("a1", "b1"):
        queue.push(make_ticket(name, cost=10_000))
    for n in range(9):
        queue.push(make_ticket(f"c{n}"))
    assert [queue.pop(NOW) is not None for _ in range(3)] == [True] * 3
    queue.release("a1")
    queue.release("b1")
    queue.push(make_ticket("b2", submitted_at=NOW + 1))
    queue.push(make_ticket("a2", submitted_at=NOW + 2))
    return queue


LATE = NOW + 2 + AGE_S


def test_who_waited_too_long_is_served_out_of_turn() -> None:
    """One in four services goes by age, whoever has waited longest first."""
    queue = make_aged_queue()
    others = [f"c{n}" for n in range(1, 9)]
    assert names_of(queue.order(LATE - 2)) == [*others, "b2", "a2"]
    order = ["c1", "b2", "c2", "c3", "c4", "a2", "c5", "c6", "c7", "c8"]
    assert names_of(queue.order(LATE)) == order
    assert pop_all(queue, LATE) == order


def test_resumed_count_when_the_oldest_are_looked_for() -> None:
    queue = make_aged_queue()
    queue.push(make_ticket("r", is_resumed=True, submitted_at=LATE))
    order = ["r", "b2", "c1", "c2", "c3", "a2", "c4", "c5", "c6", "c7", "c8"]
    assert names_of(queue.order(LATE)) == order
    assert pop_all(queue, LATE) == order


def test_who_is_resumed_is_not_old() -> None:
    queue = make_aged_queue()
    queue.push(make_ticket("b3", is_resumed=True, submitted_at=LATE))
    order = ["b3", "a2", "c1", "c2", "c3", "c4", "c5", "c6", "c7", "c8", "b2"]
    assert names_of(queue.order(LATE)) == order
    assert pop_all(queue, LATE) == order


def test_turns_by_age_cost_newcomers_nothing() -> None:
    """Whoever is served out of turn goes further into debt; whoever comes then does not."""
    queue = make_aged_queue()
    served = [queue.pop(LATE) for _ in range(2)]
    assert served[1] is not None and served[1].generation == "b2"
    queue.push(make_ticket("n", submitted_at=LATE))
    # When nobody is old: ``c`` has had least so far, and ``a`` has had most.
    assert names_of(queue.order(NOW)) == [*(f"c{n}" for n in range(2, 9)), "n", "a2"]


def test_giving_back_a_turn_by_age() -> None:
    queue = make_aged_queue()
    first = queue.pop(LATE)
    assert first is not None and first.generation == "c1"
    before = queue.order(LATE)
    oldest = queue.pop(LATE)
    assert oldest is not None and oldest.generation == "b2"
    queue.give_back(oldest)
    assert queue.order(LATE) == before


def test_old_flood_does_not_age_while_it_is_served() -> None:
    """Its tickets are older than everybody's, and still a newcomer goes first."""
    queue = FairQueue(1)
    for n in range(50):
        queue.push(make_ticket(f"a{n}", deadline=1e9))
    now = NOW
    for _ in range(8):
        ticket = queue.pop(now)
        assert ticket is not None
        now += 2 * AGE_S
        queue.expire(now)
        queue.release(ticket.generation)
    queue.push(make_ticket("c1", submitted_at=now))
    assert names_of(queue.order(now))[0] == "c1"
    # An hour later it would be its turn by age.
    assert names_of(queue.order(now + 3600))[0] == "a8"


def test_visitors_who_never_return_are_forgotten() -> None:
    """The queue remembers only who may still owe something."""
    queue = FairQueue(1)
    for n in range(20_000):
        if n % 10 < 8:
            queue.push(make_ticket(f"n{n}", visitor=f"v{n}", address=f"a{n // 3}"))
        if n % 3:
            ticket = queue.pop(NOW)
            assert ticket is not None
            queue.release(ticket.generation)
        if len(queue) > 30:
            assert queue.remove(names_of(queue.order(NOW))[-1])
    blocks = [block for group in queue._root.children.values() for block in group.children.values()]
    assert len(blocks) + sum(len(block.children) for block in blocks) < 1000


def test_values_that_cannot_work() -> None:
    with pytest.raises(ValueError):
        FairQueue(0)
    with pytest.raises(ValueError):
        FairQueue(1, -1)
    with pytest.raises(ValueError):
        replace(make_ticket("a"), cost=0)
