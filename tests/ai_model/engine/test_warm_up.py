"""Warm-ups read a conversation in idle time and give way to everybody."""

from __future__ import annotations

from dataclasses import replace

from ai_model.engine import Delta, Finished, FinishReason, Started
from tests.ai_model.engine.conftest import Collector, MakeEngine, ask, make_request


def test_next_turn_finds_its_history_read(make_engine: MakeEngine) -> None:
    engine = make_engine()
    request = make_request(engine, "1", "hello there, what is a horse", conversation="c")
    warm = Collector()
    engine.submit(replace(request, id="w", is_warm_up=True), warm)
    assert warm.finish().reason is FinishReason.STOP
    assert not warm.tokens
    started = ask(engine, request).events[0]
    assert isinstance(started, Started)
    assert started.num_cached_tokens == len(request.prompt.tokens) - 1


def test_warm_up_takes_no_place(make_engine: MakeEngine) -> None:
    engine = make_engine(num_instances=1, max_tok_s=40)
    running = Collector()
    engine.submit(make_request(engine, "1", "hello", max_tokens=100, visitor="x"), running)
    running.until(Delta)
    engine.cancel("1")
    running.finish()
    warm = Collector()
    request = make_request(engine, "w", "what is a horse " * 20, conversation="c")
    engine.submit(replace(request, is_warm_up=True), warm)
    assert engine.num_free == 1
    answer = ask(engine, make_request(engine, "2", "hello there", visitor="y", max_tokens=5))
    assert isinstance(answer.events[-1], Finished)
    assert warm.finish().reason in (FinishReason.CANCELLED, FinishReason.STOP)
    assert engine.num_free == 1


def test_warm_up_waits_while_somebody_is_answered(make_engine: MakeEngine) -> None:
    engine = make_engine(num_instances=2, max_tok_s=40)
    running, warm = Collector(), Collector()
    engine.submit(make_request(engine, "1", "hello", max_tokens=400, visitor="x"), running)
    running.until(Delta)
    request = make_request(engine, "w", "what is a horse", conversation="c", visitor="y")
    engine.submit(replace(request, is_warm_up=True), warm)
    running.until(Delta, len(running.tokens) + 5)
    waiting = [one for one in engine.snapshot().instances if one.request_id == "w"]
    assert waiting and waiting[0].num_prompt_done <= request.prompt.num_system_tokens
    engine.cancel("1")
    running.finish()
    assert warm.finish().reason is FinishReason.STOP
