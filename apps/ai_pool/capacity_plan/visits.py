"""Simulated visitors: when they ask, how much there is to read, and how long the answer will be."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from math import exp

from apps.ai_pool.capacity_plan.figures import Figures
from apps.ai_pool.capacity_plan.workload import Workload

LONGEST_PAUSE = 4.0
"""Pauses are at most this many times the mean: longer ones would be somebody who has left."""
TRIMMED_SHARE = 0.5
"""When a conversation gets too long, about this share of the context is kept of its history."""


def pause_s(choose: random.Random, mean_s: float) -> float:
    """Return how long somebody reads and types before the next question."""
    return min(LONGEST_PAUSE * mean_s, choose.expovariate(1 / mean_s)) if mean_s > 0 else 0.0


@dataclass(slots=True)
class Visit:
    """One visitor in one conversation; times are simulated seconds."""

    number: int
    choose: random.Random
    turns_left: int
    prompt: int = 0
    """Tokens of the conversation up to and with the question that is open."""
    is_cut: bool = False
    """Its history was just cut: what the engine holds fits only as far as the system prompt."""
    answer: int = 0
    asked_at: float = 0.0
    seated_at: float = 0.0


@dataclass(slots=True)
class Crowd:
    """All visitors of one simulation; draws are fixed by the seed of the workload."""

    workload: Workload
    figures: Figures
    visits: list[Visit] = field(default_factory=list)

    def __post_init__(self) -> None:
        load = self.workload
        for number in range(load.num_users):
            choose = random.Random(load.seed * 100_003 + number)
            self.visits.append(Visit(number, choose, load.num_turns))

    def first_ask_s(self, visit: Visit) -> float:
        """Return when this visitor asks first: people come one after the other."""
        return visit.choose.random() * self.workload.think_s

    def pause_s(self, visit: Visit) -> float:
        """Return the pause before this visitor's next question."""
        return pause_s(visit.choose, self.workload.think_s)

    def ask(self, visit: Visit) -> None:
        """Write the next question and decide how long its answer will be."""
        load, room = self.workload, self.figures.n_ctx
        longest = min(self.figures.max_tokens, room // 2)
        length = float(load.answer_tokens)
        if load.answer_spread:
            # The mean of a lognormal is above its median by this factor.
            middle = length / exp(load.answer_spread**2 / 2)
            length = middle * exp(load.answer_spread * visit.choose.gauss(0, 1))
        visit.answer = max(1, min(longest, round(length)))
        visit.prompt = (visit.prompt or load.system_tokens) + load.question_tokens
        visit.is_cut = visit.prompt + longest > room
        if visit.is_cut:
            # The history is cut; behind the system prompt everything is to be read again.
            kept = int(TRIMMED_SHARE * (room - longest))
            visit.prompt = min(room - longest, max(kept, load.system_tokens + load.question_tokens))
        visit.turns_left -= 1
