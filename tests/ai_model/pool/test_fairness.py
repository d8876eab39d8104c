"""What visitors feel of each other, on a simulated pool: waits with and without somebody greedy."""

from __future__ import annotations

import heapq
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ai_model.pool.fair_queue import FairQueue, Ticket
from ai_model.pool.priority import Priority

ANSWER_S = 10.0
TOKENS_PER_S = 10


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """A request that comes at ``at`` and will hold an instance for ``seconds``."""

    at: float
    visitor: str
    seconds: float = ANSWER_S
    address: str = ""
    priority: Priority = Priority.VISITOR
    followed_by: Arrival | None = None
    """Comes so long after the end of this one as its ``at`` says."""


@dataclass
class Simulation:
    """Serves arrivals on a few instances; deadlines do not matter here."""

    num_instances: int
    queue: FairQueue = field(default_factory=FairQueue)
    waits: dict[str, list[float]] = field(default_factory=dict)
    service_s: Counter[str] = field(default_factory=Counter)
    max_running: Counter[str] = field(default_factory=Counter)

    def run(self, arrivals: Sequence[Arrival], *, until: float = float("inf")) -> Simulation:
        """Let everything arrive and be served, or stop at ``until``."""
        ends: list[tuple[float, str]] = []
        known: dict[str, Arrival] = {}
        running: Counter[str] = Counter()
        coming = sorted(arrivals, key=lambda arrival: arrival.at)[::-1]
        while coming or ends:
            now = min(coming[-1].at if coming else float("inf"), ends[0][0] if ends else 1e18)
            if now > until:
                break
            self.queue.expire(now)
            while ends and ends[0][0] <= now:
                generation = heapq.heappop(ends)[1]
                self.queue.release(generation)
                running[known[generation].visitor] -= 1
                following = known[generation].followed_by
                if following is not None:
                    coming.append(replace(following, at=now + following.at))
                    coming.sort(key=lambda arrival: -arrival.at)
            while coming and coming[-1].at <= now:
                arrival = coming.pop()
                generation = f"g{len(known)}"
                known[generation] = arrival
                self.queue.push(_ticket(generation, arrival))
            while len(ends) < self.num_instances:
                ticket = self.queue.pop(now)
                if ticket is None:
                    break
                arrival = known[ticket.generation]
                heapq.heappush(ends, (now + arrival.seconds, ticket.generation))
                self.waits.setdefault(arrival.visitor, []).append(now - arrival.at)
                self.service_s[arrival.visitor] += round(arrival.seconds)
                running[arrival.visitor] += 1
                self.max_running[arrival.visitor] = max(
                    self.max_running[arrival.visitor], running[arrival.visitor]
                )
        return self

    def p95(self, visitor: str) -> float:
        """Return the wait in seconds that 95 % of a visitor's requests stay below."""
        waits = sorted(self.waits[visitor])
        return waits[int(0.95 * len(waits))]


def _ticket(generation: str, arrival: Arrival) -> Ticket:
    return Ticket(
        generation=generation,
        visitor=arrival.visitor,
        address=arrival.address,
        priority=arrival.priority,
        cost=max(1, round(arrival.seconds * TOKENS_PER_S)),
        submitted_at=arrival.at,
        deadline=float("inf"),
    )


def now_and_then(visitor: str, num: int, seed: int, mean_pause_s: float = 60.0) -> Arrival:
    """Return requests of somebody who reads each answer before asking again."""
    chance = random.Random(seed)
    arrival = None
    for _ in range(num):
        pause_s = chance.expovariate(1 / mean_pause_s)
        seconds = chance.uniform(2.0, ANSWER_S)
        arrival = Arrival(at=pause_s, visitor=visitor, seconds=seconds, followed_by=arrival)
    assert arrival is not None
    return arrival


@pytest.mark.parametrize("answer_s", [ANSWER_S, 8 * ANSWER_S])
@pytest.mark.parametrize(("num_instances", "crowd"), [(1, 0), (2, 0), (2, 3), (4, 0), (4, 3)])
def test_flood_costs_another_visitor_one_answer(
    num_instances: int, crowd: int, answer_s: float
) -> None:
    """Fifty requests at once, again and again, against one now and then, alone or in a crowd."""
    normal = [now_and_then("normal", 60, seed=1)]
    normal += [now_and_then(f"crowd{n}", 60, seed=2 + n) for n in range(crowd)]
    flood = [
        Arrival(at=float(at), visitor="greedy", seconds=answer_s)
        for at in range(0, 6000, round(50 * answer_s / min(2, num_instances)))
        for _ in range(50)
    ]
    alone = Simulation(num_instances).run(normal)
    beside = Simulation(num_instances).run(normal + flood)
    assert len(beside.waits["normal"]) == 60
    assert beside.p95("normal") <= alone.p95("normal") + answer_s
    assert beside.max_running["greedy"] <= 2
    # The test would be worth nothing if the flood did not fill its part of the pool.
    assert beside.p95("greedy") > 5 * answer_s


def test_flood_in_order_of_arrival_costs_much_more() -> None:
    """What the test above would see if visitors were not told apart."""
    flood = [Arrival(at=0.0, visitor="all") for _ in range(50)]
    simulation = Simulation(1).run([*flood, Arrival(at=5.0, visitor="all")])
    assert simulation.waits["all"][-1] > 40 * ANSWER_S


def test_long_answers_do_not_get_more_by_waiting_long() -> None:
    """When everybody is old, work counts and not the number of requests."""
    arrivals = [Arrival(at=0.0, visitor="long", seconds=80.0) for _ in range(100)]
    for n in range(7):
        arrivals += [Arrival(at=0.0, visitor=f"short{n}", seconds=6.0) for _ in range(800)]
    simulation = Simulation(1).run(arrivals, until=20_000.0)
    # An eighth would be just; by number of requests it would be two thirds.
    assert simulation.service_s["long"] <= 0.4 * sum(simulation.service_s.values())


def test_minted_visitors_get_the_share_of_one_block() -> None:
    """For an hour of work, thirty keys from one address against two honest visitors."""
    arrivals = [
        Arrival(at=0.0, visitor=f"minted{n}", address="block") for n in range(30) for _ in range(20)
    ]
    for visitor in ("honest", "other"):
        arrivals += [Arrival(at=0.0, visitor=visitor, address=visitor) for _ in range(200)]
    simulation = Simulation(2).run(arrivals, until=1800.0)
    minted = sum(
        seconds for visitor, seconds in simulation.service_s.items() if visitor.startswith("minted")
    )
    total = sum(simulation.service_s.values())
    assert minted <= total / 3 + 2 * ANSWER_S
    assert simulation.service_s["honest"] >= total / 3 - 2 * ANSWER_S


def test_nobody_starves_in_an_overloaded_pool() -> None:
    """New visitors come faster than they can be served; who owes most has turns nevertheless."""
    arrivals = [Arrival(at=0.0, visitor="heavy", seconds=60.0) for _ in range(10)]
    arrivals += [Arrival(at=n * 8.0, visitor=f"newcomer{n}") for n in range(200)]
    simulation = Simulation(1).run(arrivals, until=1600.0)
    assert len(simulation.waits["heavy"]) >= 3
    # 220 s of work come in the first 20 newcomers' 160 s; none of them is passed over for long.
    assert max(simulation.waits[f"newcomer{n}"][0] for n in range(20)) <= 300.0


@settings(deadline=None)
@given(
    costs=st.lists(st.lists(st.integers(1, 300), min_size=30, max_size=30), min_size=2, max_size=5),
    is_one_block=st.booleans(),
)
def test_work_differs_by_at_most_a_request_of_each(
    costs: list[list[int]], is_one_block: bool
) -> None:
    """While two have requests waiting, neither gets more than one request of each ahead."""
    queue = FairQueue(1000)
    for visitor, values in enumerate(costs):
        for at, cost in enumerate(values):
            queue.push(
                Ticket(
                    generation=f"{visitor}-{at}",
                    visitor=str(visitor),
                    address="office" if is_one_block else "",
                    priority=Priority.VISITOR,
                    cost=cost,
                    submitted_at=0.0,
                    deadline=100.0,
                )
            )
    work = [0] * len(costs)
    num_left = [len(values) for values in costs]
    while all(num_left):
        ticket = queue.pop(1.0)
        assert ticket is not None
        queue.release(ticket.generation)
        work[int(ticket.visitor)] += ticket.cost
        num_left[int(ticket.visitor)] -= 1
        assert max(work) - min(work) <= 2 * max(map(max, costs))


@settings(deadline=None)
@given(
    st.lists(
        st.builds(
            Arrival,
            at=st.floats(0, 300),
            visitor=st.sampled_from("abcdef"),
            seconds=st.floats(0.1, 40),
            address=st.sampled_from(["", "x", "y"]),
            priority=st.sampled_from(list(Priority)),
        ),
        max_size=60,
    ),
    st.integers(1, 4),
)
def test_all_are_served_once_and_no_instance_idles(
    arrivals: list[Arrival], num_instances: int
) -> None:
    """Whatever comes; within the limit of two each."""
    simulation = Simulation(num_instances).run(arrivals)
    served = Counter({visitor: len(waits) for visitor, waits in simulation.waits.items()})
    assert served == Counter(arrival.visitor for arrival in arrivals)
    assert all(num <= 2 for num in simulation.max_running.values())
    assert len(simulation.queue) == 0
    assert simulation.queue.num_running == 0
