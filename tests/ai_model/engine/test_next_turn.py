"""What follows an answer whatever is asked next is read in idle time, and in nobody's way."""

from __future__ import annotations

import threading
import time

import pytest

from ai_model.engine import Engine, FinishReason, Started
from ai_model.engine import next_turn as next_turn_module
from tests.ai_model.engine.conftest import Collector, MakeEngine, ask, make_request
from tests.ai_model.engine.test_warm_up import AbortCounter

WAIT_S = 10.0


def wait_until_read(engine: Engine) -> None:
    """Wait until no instance has anything left to read ahead."""
    deadline = time.monotonic() + WAIT_S
    decoder = engine._decoder
    assert decoder is not None
    while any(one.upcoming for one in decoder.instances):
        assert time.monotonic() < deadline, "nothing was read"
        time.sleep(0.005)


def num_read(collector: Collector) -> int:
    started = collector.events[0]
    assert isinstance(started, Started)
    return started.num_prompt_tokens - started.num_cached_tokens


@pytest.mark.parametrize("chunk_tokens", [128, 1])
def test_a_follow_up_reads_the_question_alone(make_engine: MakeEngine, chunk_tokens: int) -> None:
    engine = make_engine(num_instances=1, chunk_tokens=chunk_tokens)
    first = make_request(engine, "1", "hello there", conversation="c")
    answer = ask(engine, first)
    assert answer.events[-1].reason is FinishReason.LENGTH  # type: ignore[union-attr]
    wait_until_read(engine)
    turns = ("hello there", answer.text, "and what more")
    follow_up = make_request(engine, "2", *turns, conversation="c")
    question = engine.tokenizer.tokenize("\nand what more")[1:]
    # A turn ends and the answer's begins: that can only be read with the question.
    cue = [engine.tokenizer.end_of_turn, *engine.tokenizer.tokenize("\n<|assistant|>\n")]
    assert num_read(ask(engine, follow_up)) <= len(question) + len(cue)
    assert len(first.prompt.next_tokens) > 5


def test_a_stopped_answer_is_not_gone_on_with(make_engine: MakeEngine) -> None:
    """What its reader has seen of it is not known here."""
    engine = make_engine(num_instances=1, max_tok_s=50)
    collector = Collector()
    engine.submit(make_request(engine, "1", "hello", max_tokens=200), collector)
    collector.until(Started)
    engine.cancel("1")
    collector.finish()
    decoder = engine._decoder
    assert decoder is not None and not decoder.instances[0].upcoming


def test_it_gives_way_at_once_to_others_only(
    make_engine: MakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(next_turn_module, "PATIENCE_S", 0.0)
    engine = make_engine(num_instances=2)
    decoder, reading, may_go = engine._decoder, threading.Event(), threading.Event()
    assert decoder is not None
    context = decoder._seating.context
    decode = context.decode

    def slow() -> object:
        if decoder.reads_ahead_for and not reading.is_set():
            reading.set()
            assert may_go.wait(WAIT_S)
        return decode()

    context.decode = slow  # type: ignore[method-assign, assignment]
    answer = ask(engine, make_request(engine, "1", "hello there", conversation="c"))
    assert reading.wait(WAIT_S) and decoder.reads_ahead_for == {"c"}
    flag, own, other = AbortCounter(engine), Collector(), Collector()
    turns = ("hello there", answer.text, "more")
    engine.submit(make_request(engine, "2", *turns, conversation="c"), own)
    assert flag.num_set == 0
    engine.submit(make_request(engine, "3", "hello", conversation="d", visitor="w"), other)
    assert flag.num_set == 1
    may_go.set()
    for collector in (own, other):
        assert len(collector.finish().request_id) == 1 and len(collector.tokens) == 32
    wait_until_read(engine)


def test_an_aborted_reading_is_made_up_for(
    make_engine: MakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the cells it had filled are not taken for read ones."""
    monkeypatch.setattr(next_turn_module, "PATIENCE_S", 0.0)
    engine, fresh = make_engine(num_instances=1), make_engine(num_instances=1)
    decoder = engine._decoder
    assert decoder is not None
    context, aborted = decoder._seating.context, list[int]()
    decode = context.decode

    def abort_once() -> object:
        if decoder.reads_ahead_for and not aborted:
            aborted.append(1)
            engine._abort_flag.set()
            outcome = decode()
            engine._abort_flag.clear()
            return outcome
        return decode()

    context.decode = abort_once  # type: ignore[method-assign, assignment]
    first = ask(engine, make_request(engine, "1", "hello there", conversation="c"))
    wait_until_read(engine)
    assert aborted
    turns = ("hello there", first.text, "more")
    fresh.tokenizer.memo.remember(first.text, first.tokens)  # type: ignore[attr-defined]
    answer = ask(engine, make_request(engine, "2", *turns, conversation="c"))
    expected = ask(fresh, make_request(fresh, "2", *turns, conversation="c"))
    assert answer.tokens[:4] == expected.tokens[:4]
