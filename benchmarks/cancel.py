"""How soon a cancelled answer frees its instance, while writing and while its prompt is read."""

from __future__ import annotations

import random
import time
from pathlib import Path

from ai_model.engine import Engine
from benchmarks.report import Report, Row, percentile
from benchmarks.session import Listener, prompt_of, running_engine, submit


def run(model: Path, *, quick: bool = False) -> Report:
    """Measure milliseconds from cancel() to the free instance."""
    report = Report(name="cancel", model=model.name)
    repeats = 5 if quick else 20
    with running_engine(model, num_instances=8, parked_bytes=0) as engine:
        report.rows.append(_row("decode", [_while_writing(engine, at) for at in range(repeats)]))
        report.rows.append(_row("prefill", [_while_reading(engine, at) for at in range(repeats)]))
    return report


def _row(case: str, samples: list[float]) -> Row:
    return {"case": case, "p50_ms": percentile(samples, 0.5), "p95_ms": percentile(samples, 0.95)}


def _while_writing(engine: Engine, seed: int) -> float:
    """Cancel one of eight answers that are being written."""
    answers = [
        submit(engine, prompt_of(engine, 32, at), name=f"{seed} {at}", max_tokens=400)
        for at in range(8)
    ]
    for answer in answers:
        answer.wait_for_tokens(2)
    time.sleep(random.Random(seed).random() * 0.3)
    waits = [_cancel(engine, answer) for answer in answers]
    return waits[0]


def _while_reading(engine: Engine, seed: int) -> float:
    """Cancel an answer whose prompt of 900 tokens is being read."""
    answer = submit(engine, prompt_of(engine, 900, seed), name=f"p{seed}", max_tokens=8)
    time.sleep(0.1 + random.Random(seed).random() * 2)
    return _cancel(engine, answer)


def _cancel(engine: Engine, answer: Listener) -> float:
    """Cancel an answer; returns the milliseconds until its instance was free."""
    started = time.perf_counter()
    engine.cancel(answer.request_id)
    answer.finish()
    return (answer.arrivals[-1][0] - started) * 1000
