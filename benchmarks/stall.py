"""What a running answer notices of a long prompt that is read beside it."""

from __future__ import annotations

from pathlib import Path

from benchmarks.report import Report, percentile
from benchmarks.session import prompt_of, running_engine, submit


def run(model: Path, *, quick: bool = False) -> Report:
    """Measure the p95 of the time between tokens, alone and beside a prompt of 900 tokens."""
    report = Report(name="stall", model=model.name)
    num_alone = 20 if quick else 60
    with running_engine(model, num_instances=2, parked_bytes=0) as engine:
        answer = submit(engine, prompt_of(engine, 64, 1), name="writer", max_tokens=900)
        answer.wait_for_tokens(num_alone)
        alone = answer.gaps_ms
        before = len(answer.token_times)
        reader = submit(engine, prompt_of(engine, 900, 2), name="reader", max_tokens=1)
        reader.finish()
        ended = reader.token_times[-1]
        while answer.token_times[-1] < ended:
            answer.next()
        beside = answer.gaps_ms[before - 1 :]
        engine.cancel(answer.request_id)
        answer.finish()
    report.rows.append(
        {
            "itl_p95_ms": percentile(alone, 0.95),
            "itl_p95_with_prefill_ms": percentile(beside, 0.95),
            "prefill_s": reader.ttft_s,
        }
    )
    return report
