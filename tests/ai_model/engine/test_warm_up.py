"""Warm-ups read a conversation in idle time and give way to everybody."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from ai_model.engine import Delta, Engine, Finished, FinishReason, Progress, Started
from tests.ai_model.engine.conftest import Collector, MakeEngine, ask, make_request


class AbortCounter:
    """Counts how often an engine's running step is told to end."""

    def __init__(self, engine: Engine) -> None:
        self.num_set = 0
        self._engine = engine
        set_flag = engine._abort_flag.set

        def count() -> None:
            self.num_set += 1
            set_flag()

        engine._abort_flag.set = count  # type: ignore[method-assign]

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep the engine from taking what arrives meanwhile."""
        with self._engine._wakeup:
            yield


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
    history = ("what is a horse " * 8, "an animal", "and")
    request = make_request(engine, "w", *history, conversation="c", visitor="y")
    engine.submit(replace(request, is_warm_up=True), warm)
    running.until(Delta, len(running.tokens) + 5)
    waiting = [one for one in engine.snapshot().instances if one.request_id == "w"]
    assert waiting and waiting[0].num_prompt_done <= request.prompt.num_system_tokens
    engine.cancel("1")
    running.finish()
    assert warm.finish().reason is FinishReason.STOP


LONG = ("what is a horse and what does it eat " * 6, "grass and hay " * 4)


def num_read(engine: Engine) -> int:
    """Return how many prompt tokens the engine has read."""
    return sum(step.num_prefill for step in engine.recent_steps())


def test_warming_again_costs_nothing(make_engine: MakeEngine) -> None:
    """What is read is read: no step is run and nobody loses a place."""
    engine = make_engine(num_instances=1)
    request = make_request(engine, "1", *LONG, "", conversation="c")
    warm = Collector()
    engine.submit(replace(request, id="w0", is_warm_up=True), warm)
    warm.finish()
    steps = len(engine.recent_steps())
    for number in range(1, 4):
        again = Collector()
        engine.submit(replace(request, id=f"w{number}", is_warm_up=True), again)
        assert again.finish().reason is FinishReason.STOP
        assert len(again.events) == 1
    assert len(engine.recent_steps()) == steps
    answer = ask(engine, make_request(engine, "2", *LONG, "go on", conversation="c"))
    started = answer.events[0]
    assert isinstance(started, Started)
    assert started.num_cached_tokens > 0.9 * len(request.prompt.tokens) - 20


def test_warming_the_system_prompt_takes_a_place_once(make_engine: MakeEngine) -> None:
    """A panel that is opened drives no conversation out of its instance."""
    engine = make_engine(num_instances=1)
    ask(engine, make_request(engine, "1", *LONG, "go on", conversation="c"))
    warm = Collector()
    opened = make_request(engine, "w", "", conversation="new", visitor="y")
    engine.submit(replace(opened, is_warm_up=True), warm)
    warm.finish()
    assert engine.snapshot().instances[0].conversation == "c"


def test_a_question_goes_on_with_what_its_warm_up_is_reading(make_engine: MakeEngine) -> None:
    """The step in work is not thrown away, and no token is read twice."""
    engine = make_engine(num_instances=2, chunk_tokens=16)
    warm, answer = Collector(), Collector()
    reading = make_request(engine, "w", *LONG, "", conversation="c")
    question = make_request(engine, "1", *LONG, "go on", conversation="c", max_tokens=4)
    engine.submit(replace(reading, is_warm_up=True), warm)
    warm.until(Progress)
    engine.submit(question, answer)
    answer.finish()
    assert warm.finish().reason in (FinishReason.CANCELLED, FinishReason.STOP)
    started = answer.events[0]
    assert isinstance(started, Started)
    assert started.num_cached_tokens > 0
    behind = len(reading.prompt.tokens) - len(question.prompt.tokens)
    assert num_read(engine) <= len(question.prompt.tokens) + max(0, behind) + 16
    assert engine.num_free == 2


def test_only_the_warm_ups_of_others_are_aborted(make_engine: MakeEngine) -> None:
    """The reading of one's own conversation is the work that is to be done."""
    engine = make_engine(num_instances=2)
    flag = AbortCounter(engine)
    warm = Collector()
    reading = make_request(engine, "w", *LONG, "", conversation="c")
    with flag.held():
        engine.submit(replace(reading, is_warm_up=True), warm)
        own, other = Collector(), Collector()
        engine.submit(make_request(engine, "1", *LONG, "go on", conversation="c"), own)
        assert flag.num_set == 0
        engine.submit(make_request(engine, "2", "hello", conversation="d", visitor="y"), other)
        assert flag.num_set == 1
    for collector in (own, other, warm):
        collector.finish()
