"""The number of instances changes while answers are running."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from ai_model.engine import (
    Delta,
    Engine,
    EngineState,
    FinishReason,
    ModelLoadError,
    NoFreeInstance,
    Started,
)
from ai_model.engine.context import Context
from ai_model.engine.seating import Seating
from tests.ai_model.engine.conftest import Collector, MakeEngine, agreement, ask, make_request


def _wait_for_size(engine: Engine, size: int) -> None:
    deadline = time.monotonic() + 10
    while len(engine.snapshot().instances) != size and time.monotonic() < deadline:
        time.sleep(0.005)
    assert len(engine.snapshot().instances) == size


def test_running_answers_go_on_through_growing_and_shrinking(make_engine: MakeEngine) -> None:
    engine = make_engine(num_instances=2, max_tok_s=60)
    expected = ask(engine, make_request(engine, "0", "hello there", visitor="x", max_tokens=60))
    answer = Collector()
    engine.submit(make_request(engine, "1", "hello there", visitor="y", max_tokens=60), answer)
    for size in (5, 1, 3):
        answer.until(Delta, len(answer.tokens) + 3)
        engine.resize(size)
        _wait_for_size(engine, size)
    assert answer.finish().reason is FinishReason.LENGTH
    assert agreement(answer.tokens, expected.tokens) > 0.1
    assert engine.num_free == 3


def test_idle_conversations_keep_what_was_read(make_engine: MakeEngine) -> None:
    engine = make_engine(num_instances=2)
    first = make_request(engine, "1", "hello there", conversation="c")
    answer = ask(engine, first)
    engine.resize(4)
    _wait_for_size(engine, 4)
    turns = ("hello there", answer.text, "and more")
    started = ask(engine, make_request(engine, "2", *turns, conversation="c")).events[0]
    assert isinstance(started, Started)
    assert started.num_cached_tokens >= len(first.prompt.tokens) + 31


def test_system_prompts_survive(make_engine: MakeEngine) -> None:
    engine = make_engine(num_instances=2)
    first = make_request(engine, "1", "hello there", visitor="alice")
    ask(engine, first)
    engine.resize(3)
    _wait_for_size(engine, 3)
    started = ask(engine, make_request(engine, "2", "what now", visitor="bob")).events[0]
    assert isinstance(started, Started)
    assert started.num_cached_tokens == first.prompt.num_system_tokens


def test_shrinking_waits_for_those_who_are_busy(make_engine: MakeEngine) -> None:
    engine = make_engine(num_instances=3, max_tok_s=40)
    request = make_request(engine, "x", "hello", max_tokens=400)
    answers = [Collector() for _ in range(3)]
    for number, answer in enumerate(answers):
        engine.submit(replace(request, id=str(number), conversation=str(number)), answer)
    for answer in answers:
        answer.until(Delta)
    engine.resize(1)
    with pytest.raises(NoFreeInstance):
        engine.submit(replace(request, id="late"), Collector())
    assert len(engine.snapshot().instances) == 3
    for number in (0, 1):
        engine.cancel(str(number))
        answers[number].finish()
    _wait_for_size(engine, 1)
    answers[2].until(Delta, len(answers[2].tokens) + 3)
    engine.cancel("2")
    answers[2].finish()
    assert engine.num_free == 1


@pytest.mark.parametrize("size", [0, -1, 1000])
def test_impossible_sizes_are_refused(make_engine: MakeEngine, size: int) -> None:
    with pytest.raises(ValueError, match="instances"):
        make_engine().resize(size)


def test_without_memory_for_more_it_stays_as_it_was(
    make_engine: MakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old context is gone by then; what conversations hold comes back into another one."""
    engine = make_engine(num_instances=2)
    first = make_request(engine, "1", "hello there", conversation="c")
    answer = ask(engine, first)
    sizes = _refuse_contexts(monkeypatch, larger_than=2)
    engine.resize(4)
    _wait_until(lambda: sizes == [4, 2])
    turns = ("hello there", answer.text, "and more")
    started = ask(engine, make_request(engine, "2", *turns, conversation="c")).events[0]
    assert isinstance(started, Started)
    assert started.num_cached_tokens >= len(first.prompt.tokens) + 31
    assert len(engine.snapshot().instances) == 2


def test_without_memory_for_any_context_the_engine_ends(
    make_engine: MakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever runs it starts another one."""
    engine = make_engine(num_instances=2)
    _refuse_contexts(monkeypatch, larger_than=0)
    engine.resize(3)
    _wait_until(lambda: engine.state is EngineState.FAILED)


def _refuse_contexts(monkeypatch: pytest.MonkeyPatch, *, larger_than: int) -> list[int]:
    """Let memory suffice for no more instances than that; returns the sizes that were tried."""
    make_context, sizes = Seating._make_context, list[int]()

    def make(seating: Seating, num_instances: int) -> Context:
        sizes.append(num_instances)
        if num_instances > larger_than:
            raise ModelLoadError("no memory")
        return make_context(seating, num_instances)

    monkeypatch.setattr(Seating, "_make_context", make)
    return sizes


def _wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.005)
    assert condition()
