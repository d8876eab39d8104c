"""How soon an answer begins when parts of its prompt have been read before."""

from __future__ import annotations

from pathlib import Path

from ai_model.engine import Engine, Started
from ai_model.hardware import num_usable_cpus
from benchmarks.bare import BareLoop
from benchmarks.own_thread import run_on_own_thread
from benchmarks.report import Report, Row
from benchmarks.session import Listener, chat_prompt, running_engine, submit, talk, text_of

HISTORY_TOKENS = 700
"""With the system prompt and the answers, about 800 tokens of history."""
NEW_TOKENS = 30
ANSWER_TOKENS = 16
SYSTEM_TOKENS = 80


def run(model: Path, *, quick: bool = False) -> Report:
    """Measure the time to first token of a turn whose history is cold, shared, parked or live."""
    report = Report(name="reuse", model=model.name)
    repeats = 1 if quick else 3
    for case, measure in (
        ("cold", _cold),
        ("system_prompt", _system_prompt),
        ("parked", _parked),
        ("live", _live),
    ):
        runs = sorted((measure(model, seed) for seed in range(repeats)), key=lambda one: one.ttft_s)
        report.rows.append({"case": case, **_figures(runs[len(runs) // 2])})
    live = report.rows[-1]
    new_tokens = int(str(live["new_tokens"]))
    context = int(str(live["cached_tokens"]))
    report.totals = {
        "prefill_new_only_s": run_on_own_thread(lambda: _prefill_s(model, context, new_tokens))
    }
    return report


def _prefill_s(model: Path, context: int, new_tokens: int) -> float:
    """Measure a bare loop that reads ``new_tokens`` behind ``context``."""
    with BareLoop(model, num_streams=1, n_ctx=1024, num_threads=num_usable_cpus()) as loop:
        loop.prefill(0, context)
        return loop.prefill(0, new_tokens)


def _figures(answer: Listener) -> Row:
    started = next(event for _, event in answer.arrivals if isinstance(event, Started))
    return {
        "ttft_s": answer.ttft_s,
        "cached_tokens": started.num_cached_tokens,
        "new_tokens": started.num_prompt_tokens - started.num_cached_tokens,
    }


def _ask(engine: Engine, name: str, *texts: str) -> Listener:
    system = text_of(engine, SYSTEM_TOKENS, 1)
    prompt = chat_prompt(engine, talk(system, *texts), 64)
    answer = submit(engine, prompt, name=name, max_tokens=ANSWER_TOKENS)
    answer.finish()
    return answer


def _cold(model: Path, seed: int) -> Listener:
    with running_engine(model, num_instances=1) as engine:
        return _ask(
            engine,
            "a",
            text_of(engine, HISTORY_TOKENS, seed),
            "yes",
            text_of(engine, NEW_TOKENS, seed),
        )


def _system_prompt(model: Path, seed: int) -> Listener:
    with running_engine(model, num_instances=1) as engine:
        _ask(engine, "b", "hello")
        return _ask(
            engine,
            "a",
            text_of(engine, HISTORY_TOKENS, seed),
            "yes",
            text_of(engine, NEW_TOKENS, seed),
        )


def _parked(model: Path, seed: int) -> Listener:
    with running_engine(model, num_instances=1) as engine:
        first = _ask(engine, "a", text_of(engine, HISTORY_TOKENS, seed))
        _ask(engine, "b", "hello")
        return _ask(
            engine,
            "a",
            text_of(engine, HISTORY_TOKENS, seed),
            first.text,
            text_of(engine, NEW_TOKENS, seed),
        )


def _live(model: Path, seed: int) -> Listener:
    with running_engine(model, num_instances=1) as engine:
        first = _ask(engine, "a", text_of(engine, HISTORY_TOKENS, seed))
        return _ask(
            engine,
            "a",
            text_of(engine, HISTORY_TOKENS, seed),
            first.text,
            text_of(engine, NEW_TOKENS, seed),
        )
