"""How fast many answers are written together: the engine against a bare loop, and against memory
bandwidth."""

from __future__ import annotations

import statistics
import threading
import time
from pathlib import Path

import numpy as np

from ai_model.hardware import num_usable_cpus
from benchmarks.bare import BareLoop
from benchmarks.own_thread import run_on_own_thread
from benchmarks.report import Report
from benchmarks.session import prompt_of, running_engine, submit

INSTANCES = (1, 2, 4, 8, 16)
CONTEXTS = (64, 800)


def run(model: Path, *, quick: bool = False) -> Report:
    """Measure tokens per second in all, for each number of instances and length of context."""
    report = Report(name="decode", model=model.name)
    num_tokens = 24 if quick else 64
    for context in CONTEXTS:
        for instances in (1, 8) if quick else INSTANCES:
            bare = _bare_tok_s(model, instances, context, num_tokens)
            ours = _engine_tok_s(model, instances, context, num_tokens)
            report.rows.append(
                {
                    "instances": instances,
                    "context": context,
                    "engine_tok_s": ours,
                    "bare_tok_s": bare,
                    "ratio": ours / bare,
                }
            )
    report.rows.append(_lone_answer(model, num_tokens))
    bandwidth = _bandwidth_gb_s()
    report.totals = {
        "bandwidth_gb_s": bandwidth,
        "roofline_tok_s": bandwidth * 1e9 / model.stat().st_size,
    }
    return report


def _engine_tok_s(model: Path, instances: int, context: int, num_tokens: int) -> float:
    """Count the tokens written while all instances were writing."""
    with running_engine(model, num_instances=instances, parked_bytes=0) as engine:
        prompts = [prompt_of(engine, context, at) for at in range(instances)]
        # Read first, so that all begin to write in the same step, as those of the bare loop do.
        readers = [
            submit(engine, prompt, name=f"v{at}", max_tokens=1) for at, prompt in enumerate(prompts)
        ]
        for reader in readers:
            reader.finish()
        answers = [
            submit(engine, prompt, name=f"v{at}", max_tokens=num_tokens + 8)
            for at, prompt in enumerate(prompts)
        ]
        for answer in answers:
            answer.wait_for_tokens(num_tokens)
        latest = max(answers, key=lambda answer: answer.token_times[0])
        begin, end = latest.token_times[0], latest.token_times[num_tokens - 1]
        for answer in answers:
            engine.cancel(answer.request_id)
            answer.finish()
        written = sum(begin < at <= end for answer in answers for at in answer.token_times)
        return written / (end - begin)


def _bare_tok_s(model: Path, instances: int, context: int, num_tokens: int) -> float:
    def run() -> float:
        threads = num_usable_cpus()
        with BareLoop(model, num_streams=instances, n_ctx=1024, num_threads=threads) as loop:
            for stream in range(instances):
                loop.prefill(stream, context)
            return instances / statistics.mean(loop.step() for _ in range(num_tokens))

    return run_on_own_thread(run)


def _lone_answer(model: Path, num_tokens: int) -> dict[str, object]:
    """Measure a lone answer beside seven idle instances of 800 tokens and beside none."""
    speeds = []
    for neighbours in (0, 7):
        with running_engine(model, num_instances=8, parked_bytes=0) as engine:
            for at in range(neighbours):
                submit(engine, prompt_of(engine, 800, at), name=f"n{at}", max_tokens=1).finish()
            answer = submit(engine, prompt_of(engine, 64, 99), name="lone", max_tokens=num_tokens)
            answer.finish()
            times = answer.token_times
            speeds.append((len(times) - 1) / (times[-1] - times[0]))
    return {
        "instances": "1 beside 7 idle",
        "context": 64,
        "engine_tok_s": speeds[1],
        "bare_tok_s": speeds[0],
        "ratio": speeds[1] / speeds[0],
    }


def _bandwidth_gb_s(num_bytes: int = 512 << 20) -> float:
    """Read a large array with every usable CPU at once, best of five."""
    num_threads = num_usable_cpus()
    parts = np.array_split(np.ones(num_bytes // 8), num_threads)
    best = 0.0
    for _ in range(5):
        threads = [threading.Thread(target=part.max) for part in parts]
        started = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        best = max(best, num_bytes / (time.perf_counter() - started) / 1e9)
    return best
