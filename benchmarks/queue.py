"""How long a busy pool takes to decide whether a request may come in, when 500 come at once.

It needs no model: the engine is a stand-in whose answers never end.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from ai_model.engine.config import EngineConfig
from ai_model.engine.events import EngineEvent, Finished, FinishReason, Started
from ai_model.engine.request import EngineRequest
from ai_model.engine.snapshot import EngineSnapshot, EngineState
from ai_model.pool.config import PoolConfig
from ai_model.pool.engine_port import EnginePort
from ai_model.pool.errors import Refused
from ai_model.pool.pool import Pool
from ai_model.pool.request import PoolRequest
from ai_model.prompt import ChatMessage, Role
from benchmarks.report import Report, percentile

NUM_SUBMITTERS = 500
NUM_INSTANCES = 4
QUEUE_SIZE = 32
QUESTION = "How do I change the delivery address of an order that I have paid for already? " * 6
ANSWER_S = 8.0
"""What past answers are said to have taken, so that the pool has waits to compute, in seconds."""
PATIENCE_S = 10.0


class EndlessTokenizer:
    """One token per character."""

    bos = 1
    end_of_turn = 2

    def tokenize(self, text: str) -> list[int]:
        """Return a token per character."""
        return [3 + ord(character) for character in text]

    def recall(self, text: str) -> tuple[int, ...] | None:
        """Remember nothing."""
        return None


class EndlessEngine(EnginePort):
    """Begins every answer and never says a word of it."""

    def __init__(self, config: EngineConfig, on_state: Callable[[EngineState], None]) -> None:
        self._config = config
        self._on_state = on_state
        self._state = EngineState.LOADING
        self._listeners: dict[str, Callable[[EngineEvent], None]] = {}
        self._tokenizer = EndlessTokenizer()

    def start(self) -> None:
        """Be ready at once."""
        self._state = EngineState.READY
        self._on_state(self._state)

    def submit(self, request: EngineRequest, listener: Callable[[EngineEvent], None]) -> None:
        """Begin an answer."""
        self._listeners[request.id] = listener
        listener(
            Started(
                request_id=request.id,
                instance=len(self._listeners) - 1,
                num_prompt_tokens=len(request.prompt.tokens),
                num_cached_tokens=0,
            )
        )

    def cancel(self, request_id: str) -> None:
        """End an answer."""
        listener = self._listeners.pop(request_id, None)
        if listener is not None:
            listener(Finished(request_id=request_id, reason=FinishReason.CANCELLED))

    def snapshot(self) -> EngineSnapshot:
        """Say nothing much."""
        return EngineSnapshot(
            state=self._state,
            failure="",
            model=None,
            n_ctx=self._config.n_ctx,
            instances=(),
            heartbeat_age_s=0.0,
            decode_tok_s=10.0,
            prefill_tok_s=100.0,
        )

    @property
    def tokenizer(self) -> EndlessTokenizer:
        """The stand-in for a tokenizer."""
        return self._tokenizer


@dataclass(slots=True)
class Burst:
    """What 500 submitters met: how long each decision took, and how many were taken."""

    decisions_ms: list[float] = field(default_factory=list)
    num_accepted: int = 0
    total_ms: float = 0.0


def run(model: Path, *, quick: bool = False) -> Report:
    """Measure the decisions of a pool whose instances are taken; ``model`` is not used."""
    report = Report(name="queue", model="none")
    for case, num_waiting in (("line empty", 0), ("line full", QUEUE_SIZE)):
        bursts = [asyncio.run(_burst(num_waiting)) for _ in range(1 if quick else 5)]
        decisions_ms = [value for burst in bursts for value in burst.decisions_ms]
        report.rows.append(
            {
                "case": case,
                "submitters": NUM_SUBMITTERS,
                "accepted": max(burst.num_accepted for burst in bursts),
                "bound": QUEUE_SIZE - num_waiting,
                "p50_ms": percentile(decisions_ms, 0.5),
                "p99_ms": percentile(decisions_ms, 0.99),
                "max_ms": max(decisions_ms),
                "all_ms": max(burst.total_ms for burst in bursts),
            }
        )
    return report


async def _burst(num_waiting: int) -> Burst:
    """Let 500 submit in the same moment to a pool with ``num_waiting`` in line."""
    config = PoolConfig(
        model_path=Path("none"),
        max_instances=NUM_INSTANCES,
        queue_size=QUEUE_SIZE,
        timeout_s=3600.0,
        first_token_timeout_s=3600.0,
        total_timeout_s=3600.0,
        stall_timeout_s=3600.0,
    )
    pool = Pool(config, engine_factory=EndlessEngine)
    await pool.start()
    try:
        await _until(lambda: pool.is_ready)
        for at in range(20):
            pool.estimator.record_run(ANSWER_S + at % 5, 100)
        for _ in range(NUM_INSTANCES + num_waiting):
            pool.submit(_request())
        await _until(lambda: pool.num_running == NUM_INSTANCES)
        requests = [_request() for _ in range(NUM_SUBMITTERS)]
        gate = asyncio.Event()
        burst = Burst()
        submitters = [
            asyncio.create_task(_submit(pool, request, gate, burst)) for request in requests
        ]
        await asyncio.sleep(0)
        started = time.perf_counter()
        gate.set()
        await asyncio.gather(*submitters)
        burst.total_ms = (time.perf_counter() - started) * 1000
        return burst
    finally:
        await pool.close()


async def _submit(pool: Pool, request: PoolRequest, gate: asyncio.Event, burst: Burst) -> None:
    await asyncio.wait_for(gate.wait(), PATIENCE_S)
    began = time.perf_counter()
    try:
        pool.submit(request)
    except Refused:
        pass
    else:
        burst.num_accepted += 1
    burst.decisions_ms.append((time.perf_counter() - began) * 1000)


async def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError("the pool did not become busy")
        await asyncio.sleep(0.01)


def _request() -> PoolRequest:
    """Return a question of a visitor who was never here before."""
    return PoolRequest(
        generation=str(uuid.uuid4()),
        conversation=str(uuid.uuid4()),
        visitor=str(uuid.uuid4()),
        address=str(uuid.uuid4()),
        messages=(ChatMessage(Role.USER, QUESTION),),
    )
