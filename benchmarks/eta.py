"""Whether the waits that a pool promises are true: rushes, cancels, a resize, and answers of which
nobody knows how long they will be."""

from __future__ import annotations

import asyncio
import inspect
import random
import time
import uuid
from dataclasses import dataclass, field
from math import exp
from pathlib import Path

from ai_model.engine import SamplingParams
from ai_model.hardware import num_usable_cpus
from ai_model.pool.config import PoolConfig
from ai_model.pool.errors import PoolError
from ai_model.pool.pool import Pool
from ai_model.pool.request import PoolRequest
from ai_model.prompt import ChatMessage, Role
from benchmarks.report import Report, Row, percentile
from benchmarks.words import words

DURATION_S, QUICK_DURATION_S = 600.0, 60.0
NUM_INSTANCES = 4
NUM_INSTANCES_LATER = 3
"""After the resize in the middle."""
MEDIAN_TOKENS, SIGMA, LONGEST_TOKENS = 24, 1.0, 400
"""Answers: lognormal, so that one of ten is more than three and a half times the median."""
BURST_SIZE = 14
BURST_S = 3.0
"""A rush comes within this time."""
LOAD = 0.75
"""Share of what the pool can do that is asked of it on average."""
CANCELLED = 0.1
MEAN_PATIENCE_S = 6.0
"""Of those who cancel, from their question on, whether they still wait or read already."""
SMALL_MODEL_BYTES = 100 * 2**20
SMALL_MODEL_TOK_S = 15.0
"""A small model is slowed down to this: nobody would have to wait otherwise."""
READY_TIMEOUT_S = 180.0
LAST_TIMEOUT_S = 120.0
SHORTEST_S = 0.1
"""Frames carry waits in steps of a tenth of a second."""


@dataclass(slots=True)
class Visit:
    """What one visitor was told, and what happened."""

    promised: tuple[float, float] | None = None
    """The first range that was shown, in seconds."""
    waited_s: float | None = None
    """From then until the answer got an instance."""
    is_refused: bool = False
    is_cancelled: bool = False


@dataclass(slots=True)
class Crowd:
    """Visitors of one pool, each with a question of their own."""

    pool: Pool
    choose: random.Random
    visits: list[Visit] = field(default_factory=list)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def ask(self) -> None:
        """Let one more visitor come."""
        num_tokens = round(MEDIAN_TOKENS * exp(SIGMA * self.choose.gauss(0, 1)))
        patience_s = None
        if self.choose.random() < CANCELLED:
            patience_s = self.choose.expovariate(1 / MEAN_PATIENCE_S)
        number = len(self.visits)
        request = PoolRequest(
            generation=str(uuid.UUID(int=self.choose.getrandbits(128), version=4)),
            conversation=f"conversation {number}",
            visitor=f"visitor {number}",
            messages=(ChatMessage(Role.USER, words(self.choose.randint(8, 40), number)),),
            sampling=SamplingParams(
                max_tokens=min(LONGEST_TOKENS, max(1, num_tokens)),
                temperature=0.8,
                repeat_penalty=1.0,
                seed=number,
            ),
        )
        visit = Visit()
        self.visits.append(visit)
        task = asyncio.get_running_loop().create_task(self._visit(request, visit, patience_s))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def wait(self, timeout_s: float) -> None:
        """Wait until nobody is left. Raises TimeoutError."""
        async with asyncio.timeout(timeout_s):
            while self.tasks:
                await asyncio.gather(*self.tasks)

    async def _visit(self, request: PoolRequest, visit: Visit, patience_s: float | None) -> None:
        asked_at = time.monotonic()
        try:
            self.pool.submit(request)
        except PoolError:
            visit.is_refused = True
            return
        leaving = None
        if patience_s is not None:
            visit.is_cancelled = True
            loop = asyncio.get_running_loop()
            leaving = loop.call_later(patience_s, self.pool.stop, request.generation)
        promised_after_s = 0.0
        log = await self.pool.find_log(request.generation)
        async for frame in log.follow():
            if frame["type"] == "gen.queue" and frame["eta_s"] and visit.promised is None:
                promised_after_s = time.monotonic() - asked_at
                p50, p90 = frame["eta_s"]
                visit.promised = (float(p50), float(p90))
            elif frame["type"] == "gen.started" and visit.promised is not None:
                visit.waited_s = max(0.0, frame["waited_ms"] / 1000 - promised_after_s)
        if leaving is not None:
            leaving.cancel()
        self.pool.acknowledge(request.generation)


def run(model: Path, *, quick: bool = False) -> Report:
    """Measure promised against real waits for a minute or ten."""
    duration_s = QUICK_DURATION_S if quick else DURATION_S
    report = Report(name="eta", model=model.name)
    row, totals = asyncio.run(_measure(model, duration_s))
    report.rows.append(row)
    report.totals = totals
    return report


async def _measure(model: Path, duration_s: float) -> tuple[Row, Row]:
    is_small = model.stat().st_size < SMALL_MODEL_BYTES
    config = PoolConfig(
        model_path=model,
        max_instances=NUM_INSTANCES,
        n_ctx=1024,
        max_tokens=LONGEST_TOKENS,
        num_threads=num_usable_cpus(),
        max_tok_s=SMALL_MODEL_TOK_S if is_small else 0.0,
        queue_size=128,
        timeout_s=LAST_TIMEOUT_S,
        first_token_timeout_s=LAST_TIMEOUT_S,
    )
    pool = Pool(config)
    choose = random.Random(5)
    await pool.start()
    try:
        await _wait_until_ready(pool)
        gap_s = await _gap_s(pool, choose)
        crowd = Crowd(pool, choose)
        is_resized = await _come_and_go(pool, crowd, duration_s, gap_s)
        await crowd.wait(LAST_TIMEOUT_S)
    finally:
        await pool.close()
    return _figures(crowd.visits), {
        "seconds": duration_s,
        "questions": len(crowd.visits),
        "cancelled": sum(visit.is_cancelled for visit in crowd.visits),
        "refused": sum(visit.is_refused for visit in crowd.visits),
        "resized": is_resized,
    }


async def _wait_until_ready(pool: Pool) -> None:
    async with asyncio.timeout(READY_TIMEOUT_S):
        while not pool.is_ready:
            if pool.admission.failure:
                raise RuntimeError(pool.admission.failure)
            await asyncio.sleep(0.05)


async def _gap_s(pool: Pool, choose: random.Random) -> float:
    """Return the mean seconds between two questions for this model, from how long a rush takes."""
    crowd = Crowd(pool, choose)
    began = time.monotonic()
    for _ in range(3 * NUM_INSTANCES):
        crowd.ask()
    await crowd.wait(READY_TIMEOUT_S)
    return (time.monotonic() - began) / len(crowd.visits) / LOAD


async def _come_and_go(pool: Pool, crowd: Crowd, duration_s: float, gap_s: float) -> bool:
    """Let rushes come, and single questions between them; returns whether the pool was resized."""
    choose = crowd.choose
    began = time.monotonic()
    is_resized = False
    while time.monotonic() - began < duration_s:
        size = choose.randint(BURST_SIZE // 2, BURST_SIZE * 3 // 2)
        next_at = time.monotonic() + gap_s * size * choose.uniform(0.5, 1.5)
        for _ in range(size - 2):
            crowd.ask()
            await asyncio.sleep(choose.random() * 2 * BURST_S / size)
        if not is_resized and time.monotonic() - began >= duration_s / 2:
            # While a line waits, whose promises knew nothing of it.
            is_resized = await _resize(pool, NUM_INSTANCES_LATER)
        for _ in range(2):
            await asyncio.sleep(max(0.0, choose.random() * (next_at - time.monotonic())))
            crowd.ask()
        await asyncio.sleep(max(0.0, next_at - time.monotonic()))
    return is_resized


async def _resize(pool: Pool, num_instances: int) -> bool:
    """Resize a pool that can; returns whether it did."""
    resize = getattr(pool, "resize", None)
    if resize is None:
        return False
    result = resize(num_instances)
    if inspect.isawaitable(result):
        async with asyncio.timeout(LAST_TIMEOUT_S):
            await result
    return True


def _figures(visits: list[Visit]) -> Row:
    """Return the figures of those who were promised a wait and got an instance."""
    served = [
        (visit.promised, visit.waited_s)
        for visit in visits
        if visit.promised is not None and visit.waited_s is not None
    ]
    if not served:
        raise RuntimeError("nobody had to wait, so no promise was put to the test")
    promised = [p90 for (_, p90), _ in served]
    real = [waited_s for _, waited_s in served]
    spreads = [max(p90, SHORTEST_S) / max(p50, SHORTEST_S) for (p50, p90), _ in served]
    kept = sum(waited_s <= max(p90, SHORTEST_S) for (_, p90), waited_s in served)
    errors = [abs(waited_s - p50) for (p50, _), waited_s in served]
    return {
        "waits": len(served),
        "coverage": kept / len(served),
        "promised_to_real": sum(promised) / max(sum(real), SHORTEST_S),
        "p90_to_p50": percentile(spreads, 0.5),
        "mean_wait_s": sum(real) / len(served),
        "mean_promised_p90_s": sum(promised) / len(served),
        "error_p50_s": percentile(errors, 0.5),
    }
