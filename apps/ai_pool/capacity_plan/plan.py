"""Chooses how many instances a number of visitors needs on one machine, and the settings for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import Any

from ai_model.engine.step_cost import attended_cells
from apps.ai_pool.capacity_plan.figures import Figures
from apps.ai_pool.capacity_plan.memory_need import MB, MemoryNeed, copies_bytes, memory_need
from apps.ai_pool.capacity_plan.outcome import Outcome
from apps.ai_pool.capacity_plan.simulation import simulate
from apps.ai_pool.capacity_plan.workload import Workload

CANDIDATES = (1, 2, 3, 5, 8, 10, 16, 24)
GOOD_WAIT_S = 2.0
"""Nineteen of twenty should have an instance by then."""
GOOD_TOK_S = 2.5
"""An answer should appear about as fast as slow readers read."""
SLOWEST_GOOD_S = 60.0
"""Nobody who is served well waits longer than this for a whole answer."""
MIN_QUEUE = 8
PARKED_PART = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is expected with the proposed number of instances."""

    figures: Figures
    workload: Workload
    outcome: Outcome
    others: tuple[Outcome, ...]
    """The same visitors with other numbers of instances."""

    @property
    def num_instances(self) -> int:
        """Instances proposed."""
        return self.outcome.num_instances

    @property
    def memory(self) -> MemoryNeed:
        """Memory with so many instances."""
        return memory_need(self.figures, self.num_instances)

    @property
    def fits(self) -> bool:
        """Whether the machine has that memory."""
        return self.memory.total <= self.figures.memory_bytes

    @property
    def is_good(self) -> bool:
        """Whether visitors are served well and the memory suffices."""
        return self.fits and is_good(self.outcome)

    @property
    def verdict(self) -> str:
        """One sentence: does it suffice, and if not, what is short."""
        if not self.fits:
            return (
                f"Memory does not suffice: {self.memory.total / MB:,.0f} MB are needed and there "
                f"are {self.figures.memory_bytes / MB:,.0f}; take a smaller quantisation, a "
                "smaller context or a larger machine."
            )
        if is_good(self.outcome):
            return "This machine suffices."
        return (
            "The processors are the limit, not the instances: take more of them, a smaller "
            "quantisation or shorter answers, or a second server."
        )

    @property
    def settings(self) -> tuple[str, ...]:
        """Lines for ``.env``."""
        # Whoever waits longest should still be served before the patience of the pool ends.
        per_s = self.outcome.tok_s / max(1.0, self.outcome.answer_tokens)
        served = int(per_s * self.figures.timeout_s)
        queue = min(max(MIN_QUEUE, served), max(MIN_QUEUE, self.workload.num_users))
        hot = max(1, ceil(self.num_instances * min(1.0, self.outcome.utilisation)))
        return (
            f"CORRAL_MAX_INSTANCES={self.num_instances}",
            f"CORRAL_HOT_INSTANCES={hot}",
            f"CORRAL_QUEUE_SIZE={queue}",
            f"CORRAL_N_CTX={self.figures.n_ctx}",
            f"CORRAL_PARKED_MB={self.figures.parked_bytes // MB}",
        )

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        low, high = copies_bytes(self.num_instances)
        return {
            "figures": self.figures.to_json(),
            "workload": self.workload.to_json(),
            "expected": self.outcome.to_json(),
            "others": [one.to_json() for one in self.others],
            "memory_bytes": self.memory.to_json(),
            "one_copy_per_instance_bytes": [low, high],
            "is_good": self.is_good,
            "verdict": self.verdict,
            "settings": list(self.settings),
        }


def make_plan(figures: Figures, workload: Workload, candidates: Sequence[int] = CANDIDATES) -> Plan:
    """Return the plan with the smallest good number of instances among ``candidates``, or if none
    is good, the one with the shortest time to the first word."""
    room = figures.memory_bytes
    sizes = [size for size in candidates if memory_need(figures, size).total <= room]
    outcomes = [simulate(figures, workload, size) for size in sizes or candidates[:1]]
    best = _best(outcomes)
    others = tuple(one for one in outcomes if one is not best)
    return Plan(figures=figures, workload=workload, outcome=best, others=others)


def first_good(figures: Figures, workload: Workload) -> Plan | None:
    """Return the plan with the fewest instances that serves well, or None if there is none."""
    for size in CANDIDATES:
        if memory_need(figures, size).total > figures.memory_bytes:
            return None
        if answers_per_s(figures, workload, size) < 0.8 * workload.num_users / (
            workload.think_s + SLOWEST_GOOD_S
        ):
            # Far from enough, whatever order they come in: no need to play it.
            continue
        outcome = simulate(figures, workload, size)
        if is_good(outcome):
            return Plan(figures=figures, workload=workload, outcome=outcome, others=())
        if outcome.visitor_tok_s and outcome.visitor_tok_s < GOOD_TOK_S:
            # More instances make every one of them slower.
            return None
    return None


def with_parking(figures: Figures, workload: Workload) -> Figures:
    """Return the figures with enough memory for parked conversations: nobody's history should have
    to be read twice. At most a quarter of the machine's memory, and never less than configured."""
    wanted = workload.num_users * figures.instance_bytes
    parked = max(figures.parked_bytes, min(wanted, figures.memory_bytes // PARKED_PART))
    return replace(figures, parked_bytes=parked)


def answers_per_s(figures: Figures, workload: Workload, num_instances: int) -> float:
    """Return about how many answers all instances together can write in a second, at most."""
    turn = workload.question_tokens + workload.answer_tokens
    held = min(figures.n_ctx / 2, workload.system_tokens + workload.num_turns * turn / 2)
    cells = attended_cells(int(held), 1, int(num_instances * held))
    cost, chunk = figures.step_cost, figures.chunk_tokens
    step_ms = cost.ms(num_instances, num_instances * cells)
    token_ms = min(step_ms / num_instances, 1000.0)
    reading_ms = workload.question_tokens * (cost.curve.cost_ms(chunk) / chunk)
    return 1000 / (workload.answer_tokens * token_ms + reading_ms)


def is_good(outcome: Outcome) -> bool:
    """Whether nearly nobody waits long, nobody is sent away, and answers can be read along."""
    is_quick = not outcome.visitor_tok_s or outcome.visitor_tok_s >= GOOD_TOK_S
    served = outcome.num_refused == outcome.num_failed == 0
    return served and is_quick and outcome.wait.p95 <= GOOD_WAIT_S


def share_of(workload: Workload, num_servers: int) -> Workload:
    """Return the visitors of one of several servers behind a balancer."""
    return replace(workload, num_users=ceil(workload.num_users / num_servers))


def _best(outcomes: Sequence[Outcome]) -> Outcome:
    for outcome in outcomes:
        if is_good(outcome):
            return outcome
    return min(outcomes, key=lambda one: (one.num_failed, one.num_refused, one.ttft.p95))
