"""A pool without model, loop or clock: a line, instances that share one processor, and promises."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from math import exp, inf, log

from ai_model.pool.eta import EtaEstimator, Running
from ai_model.pool.wait_record import Wait, WaitRecord


@dataclass(slots=True, kw_only=True)
class Answer:
    """A request; nobody but the simulation knows ``num_tokens``."""

    name: str
    at: float
    num_tokens: int
    num_prompt: int
    cancel_at: float = inf
    started_at: float = 0.0
    num_beside: int = 0
    prefill_s: float = 0.0
    num_read: float = 0.0
    num_written: float = 0.0


@dataclass(slots=True, kw_only=True)
class SimulatedPool:
    """First come, first served over ``num_instances``, each step shared by all that run.

    A token takes ``alone_s`` + ``beside_s`` x running seconds; a token of a prompt a tenth of that.
    """

    num_instances: int = 4
    alone_s: float = 0.02
    beside_s: float = 0.012
    resize: dict[float, int] = field(default_factory=dict)
    """Numbers of instances by the second from which they hold."""
    slowdown: Callable[[float], float] = lambda now: 1.0
    """What a token takes at a time, as a factor."""
    estimator: EtaEstimator = field(default_factory=EtaEstimator)
    record: WaitRecord = field(default_factory=WaitRecord)
    now: float = 0.0
    waiting: list[Answer] = field(default_factory=list)
    running: list[Answer] = field(default_factory=list)
    promised: set[str] = field(default_factory=set)

    def play(self, answers: list[Answer]) -> None:
        """Run until all ``answers`` have come and gone."""
        coming = sorted(answers, key=lambda answer: answer.at, reverse=True)
        resizes = sorted(self.resize, reverse=True)
        while coming or self.waiting or self.running:
            arrival = coming[-1].at if coming else inf
            resized = resizes[-1] if resizes else inf
            cancels = [one.cancel_at for one in (*self.waiting, *self.running)]
            step_s = self._step_s()
            ends = [self.now + _left(one) * step_s for one in self.running]
            self._advance(min(arrival, resized, *cancels, *ends, inf), step_s)
            if resizes and self.now >= resized:
                self.num_instances = self.resize[resizes.pop()]
            for one in [one for one in self.running if _left(one) < 1e-6]:
                self._end(one)
            for one in [one for one in self.running if one.cancel_at <= self.now]:
                self._end(one)
            for one in [one for one in self.waiting if one.cancel_at <= self.now]:
                self.waiting.remove(one)
                self._learn(self.record.leave(one.name, self.now))
            while coming and coming[-1].at <= self.now:
                self.waiting.append(coming.pop())
            self._dispatch()

    def _dispatch(self) -> None:
        while self.waiting and len(self.running) < self.num_instances:
            one = self.waiting.pop(0)
            one.started_at = self.now
            self.running.append(one)
            one.num_beside = len(self.running)
            self._learn(self.record.arrive(one.name, self.now))
        if any(one.name not in self.promised for one in self.waiting):
            etas = self.estimator.estimate_all(
                len(self.waiting), self.num_instances, [self._seen(one) for one in self.running]
            )
            for one, eta in zip(self.waiting, etas, strict=False):
                self.promised.add(one.name)
                self.record.promise(one.name, eta, self.now)

    def _seen(self, one: Answer) -> Running:
        return Running(
            age_s=self.now - one.started_at,
            num_generated=int(one.num_written),
            num_prompt_left=int(one.num_prompt - one.num_read),
        )

    def _end(self, one: Answer) -> None:
        self.estimator.record_run(
            self.now - one.started_at,
            int(one.num_written + 0.5),
            num_running=(one.num_beside + len(self.running)) / 2,
            prefill_s=one.prefill_s,
        )
        self.running.remove(one)

    def _learn(self, wait: Wait | None) -> None:
        if wait is not None:
            self.estimator.record_wait(wait.promised, wait.seconds)

    def _step_s(self) -> float:
        return (self.alone_s + self.beside_s * len(self.running)) * self.slowdown(self.now)

    def _advance(self, until: float, step_s: float) -> None:
        num_steps = (until - self.now) / step_s
        for one in self.running:
            num_read = min(one.num_prompt - one.num_read, num_steps * 10)
            one.num_read += num_read
            one.prefill_s += num_read / 10 * step_s
            one.num_written = min(one.num_tokens, one.num_written + num_steps - num_read / 10)
        self.now = until


def _left(one: Answer) -> float:
    """Return the steps that an answer still needs."""
    return (one.num_prompt - one.num_read) / 10 + one.num_tokens - one.num_written


def make_answers(
    seed: int,
    *,
    num_bursts: int = 24,
    burst_size: int = 16,
    pause_s: float = 45.0,
    sigma: float = 1.0,
    median_tokens: float = 60.0,
    cancelled: float = 0.1,
    num_quiet: int = 30,
) -> list[Answer]:
    """Return bursts of requests with a trickle between them; lengths are lognormal.

    Before the first burst come ``num_quiet`` single requests, from which speed can be learned.
    """
    choose = random.Random(seed)
    answers: list[Answer] = []
    at = 0.0
    for _ in range(num_quiet):
        at += choose.expovariate(1 / 4)
        answers.append(_answer(choose, at, sigma, median_tokens))
    for _ in range(num_bursts):
        size = choose.randint(burst_size // 2, burst_size * 3 // 2)
        for _ in range(size):
            answers.append(_answer(choose, at + choose.random() * 5, sigma, median_tokens))
        for _ in range(3):
            when = at + choose.random() * pause_s
            answers.append(_answer(choose, when, sigma, median_tokens))
        at += choose.expovariate(1 / pause_s) + pause_s / 2
    for number, one in enumerate(answers):
        one.name = f"{seed}-{number}"
        if choose.random() < cancelled:
            one.cancel_at = one.at + choose.expovariate(1 / 10)
    return answers


def _answer(choose: random.Random, at: float, sigma: float, median_tokens: float) -> Answer:
    num_tokens = round(exp(log(median_tokens) + sigma * choose.gauss(0, 1)))
    return Answer(
        name="",
        at=at,
        num_tokens=min(1000, max(1, num_tokens)),
        num_prompt=choose.randint(10, 200),
    )
