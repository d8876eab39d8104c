"""The engine as its users see it: real llama.cpp, a tiny real model."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from ai_model.engine import (
    Delta,
    EngineNotReady,
    EngineRequest,
    EngineState,
    Finished,
    FinishReason,
    NoFreeInstance,
    Progress,
    Started,
)
from ai_model.prompt import FittedPrompt
from tests.ai_model.engine.conftest import Collector, MakeEngine, agreement, ask, make_request

NEVER_ENDS = {"max_tokens": 400}
ALIKE = 0.1
"""Least agreement of two answers that come from the same KV cells; see ``agreement``."""


def test_answer_comes_in_order_and_ends_once(make_engine: MakeEngine) -> None:
    engine = make_engine()
    answer = ask(engine, make_request(engine, "a", "hello there", max_tokens=20))
    kinds = [type(event) for event in answer.events]
    assert kinds[0] is Started
    assert kinds[-1] is Finished
    assert kinds.index(Progress) < kinds.index(Delta)
    end = answer.events[-1]
    assert isinstance(end, Finished)
    assert end.reason is FinishReason.LENGTH
    assert end.num_completion_tokens == len(answer.tokens) == 20
    assert engine.num_free == 3


def test_greedy_answer_is_the_same_alone_and_among_neighbours(make_engine: MakeEngine) -> None:
    engine = make_engine()
    questions = ["hello there", "what is a horse", "tell me more"]
    alone = [
        ask(engine, make_request(engine, f"alone {question}", question)).tokens
        for question in questions
    ]
    together = [Collector() for _ in questions]
    for number, question in enumerate(questions):
        request = make_request(engine, f"together {number}", question, visitor=f"w{number}")
        engine.submit(request, together[number])
    for collector in together:
        collector.finish()
    shares = [agreement(one.tokens, tokens) for one, tokens in zip(together, alone, strict=True)]
    assert sum(shares) / len(shares) > ALIKE


def test_follow_up_reads_only_what_is_new(make_engine: MakeEngine) -> None:
    engine = make_engine()
    first = make_request(engine, "1", "hello there", conversation="c")
    answer = ask(engine, first)
    follow_up = make_request(engine, "2", "hello there", answer.text, "and more", conversation="c")
    started = ask(engine, follow_up).events[0]
    assert isinstance(started, Started)
    # All of the first prompt and of the answer, except its last token, which was never evaluated.
    assert started.num_cached_tokens >= len(first.prompt.tokens) + 32 - 1


def test_follow_up_answers_as_a_fresh_engine_would(make_engine: MakeEngine) -> None:
    warm, cold = make_engine(), make_engine()
    answer = ask(warm, make_request(warm, "1", "hello there", conversation="c"))
    turns = ("hello there", answer.text, "and more")
    reused = ask(warm, make_request(warm, "2", *turns, conversation="c"))
    cold.tokenizer.memo.remember(answer.text, answer.tokens)  # type: ignore[attr-defined]
    fresh = ask(cold, make_request(cold, "2", *turns, conversation="c"))
    assert agreement(reused.tokens, fresh.tokens) > ALIKE


def test_system_prompt_is_shared_but_nothing_else(make_engine: MakeEngine) -> None:
    engine = make_engine()
    request = make_request(engine, "1", "my secret is twelve", visitor="alice")
    ask(engine, request)
    other = ask(engine, make_request(engine, "2", "my secret is twelve", visitor="bob"))
    started = other.events[0]
    assert isinstance(started, Started)
    assert started.num_cached_tokens == request.prompt.num_system_tokens


def test_system_prompt_is_read_once_by_many_who_ask_at_once(make_engine: MakeEngine) -> None:
    engine = make_engine(num_instances=4, chunk_tokens=8)
    requests = [
        make_request(engine, name, f"question of {name}", visitor=name, system="be kind " * 20)
        for name in ("alice", "bob", "carol", "dave")
    ]
    listeners = [Collector() for _ in requests]
    for request, listener in zip(requests, listeners, strict=True):
        engine.submit(request, listener)
    cached = sorted(listener.finish().num_cached_tokens for listener in listeners)
    num_system = requests[0].prompt.num_system_tokens
    assert cached == [0, num_system, num_system, num_system]
    num_read = sum(step.num_prefill for step in engine.recent_steps())
    num_own = sum(len(request.prompt.tokens) - num_system for request in requests)
    assert num_read == num_system + num_own


def test_own_words_are_shared_between_conversations_of_a_visitor(make_engine: MakeEngine) -> None:
    engine = make_engine()
    request = make_request(engine, "1", "what is a horse", visitor="alice")
    ask(engine, request)
    started = ask(engine, make_request(engine, "2", "what is a horse", visitor="alice")).events[0]
    assert isinstance(started, Started)
    assert started.num_cached_tokens == len(request.prompt.tokens) - 1


def test_full_engine_refuses(make_engine: MakeEngine) -> None:
    engine = make_engine(num_instances=1, max_tok_s=50)
    running = Collector()
    engine.submit(make_request(engine, "1", "hello", **NEVER_ENDS), running)
    with pytest.raises(NoFreeInstance):
        engine.submit(make_request(engine, "2", "hello"), Collector())
    engine.cancel("1")
    assert running.finish().reason is FinishReason.CANCELLED
    assert engine.num_free == 1


def test_cancel_frees_the_instance_and_leaves_neighbours_alone(make_engine: MakeEngine) -> None:
    engine = make_engine()
    expected = ask(engine, make_request(engine, "0", "hello there", visitor="x", max_tokens=100))
    neighbour, cancelled = Collector(), Collector()
    engine.submit(make_request(engine, "1", "hello there", visitor="y", max_tokens=100), neighbour)
    engine.submit(make_request(engine, "2", "go on", **NEVER_ENDS), cancelled)
    cancelled.until(Delta)
    engine.cancel("2")
    engine.cancel("2")
    engine.cancel("unknown")
    assert cancelled.finish().reason is FinishReason.CANCELLED
    assert neighbour.finish().reason is FinishReason.LENGTH
    assert agreement(neighbour.tokens, expected.tokens) > ALIKE


def test_aborted_steps_change_no_answer(make_engine: MakeEngine) -> None:
    engine = make_engine()
    expected = ask(engine, make_request(engine, "0", "hello there", visitor="x", max_tokens=200))
    answer = Collector()
    engine.submit(make_request(engine, "1", "hello there", visitor="y", max_tokens=200), answer)
    for _ in range(50):
        engine._abort_flag.set()
        if isinstance(answer.next(), Finished):
            break
    else:
        answer.finish()
    assert agreement(answer.tokens, expected.tokens) > ALIKE


def test_answer_goes_on_behind_produced_tokens(make_engine: MakeEngine) -> None:
    engine = make_engine()
    whole = ask(engine, make_request(engine, "1", "hello there", visitor="x"))
    rest = ask(
        engine,
        make_request(engine, "2", "hello there", visitor="y", produced=whole.tokens[:12]),
    )
    assert agreement(rest.tokens, whole.tokens[12:]) > ALIKE
    assert len(rest.tokens) == len(whole.tokens) - 12


def test_pace_limits_each_instance(make_engine: MakeEngine) -> None:
    engine = make_engine(max_tok_s=40)
    answer = ask(engine, make_request(engine, "1", "hello", max_tokens=9))
    end = answer.events[-1]
    assert isinstance(end, Finished)
    assert end.decode_s >= 8 / 40 * 0.9


def test_same_seed_same_answer(make_engine: MakeEngine) -> None:
    engine = make_engine()
    texts = {
        ask(engine, make_request(engine, str(number), "hello", temperature=1.0, seed=seed)).text
        for number, seed in enumerate((7, 7, 7))
    }
    assert len(texts) == 1


@pytest.mark.parametrize("content", [b"", b"GGUF", b"<html>not found</html>"])
def test_bad_file_fails_with_a_sentence(
    make_engine: MakeEngine, tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "bad.gguf"
    path.write_bytes(content)
    engine = make_engine(model_path=path)
    assert engine.state is EngineState.FAILED
    assert "bad.gguf" in engine.snapshot().failure
    with pytest.raises(EngineNotReady):
        _ = engine.tokenizer


def test_missing_file_fails_with_a_sentence(make_engine: MakeEngine, tmp_path: Path) -> None:
    engine = make_engine(model_path=tmp_path / "none.gguf")
    assert engine.state is EngineState.FAILED
    assert "none.gguf" in engine.snapshot().failure


def test_close_ends_running_answers(make_engine: MakeEngine) -> None:
    engine = make_engine(max_tok_s=20)
    answer = Collector()
    engine.submit(make_request(engine, "1", "hello", **NEVER_ENDS), answer)
    answer.until(Delta)
    engine.close()
    engine.close()
    assert answer.finish().reason is FinishReason.FAILED
    assert engine.state is EngineState.CLOSED
    with pytest.raises(EngineNotReady):
        engine.submit(make_request_unchecked(), Collector())


def make_request_unchecked() -> EngineRequest:
    """Something to submit to a closed engine, which has no tokenizer any more."""
    prompt = FittedPrompt(tokens=(1, 2), num_system_tokens=0, num_dropped_turns=0)
    return EngineRequest(id="late", conversation="c", visitor="v", prompt=prompt)


def test_many_threads_may_call_everything(make_engine: MakeEngine) -> None:
    engine = make_engine(num_instances=8)
    request = make_request(engine, "x", "hello there", max_tokens=10)
    problems: list[str] = []

    def use(number: int) -> None:
        for turn in range(5):
            collector = Collector()
            mine = replace(request, id=f"{number}/{turn}", conversation=str(number))
            try:
                engine.submit(mine, collector)
            except NoFreeInstance:
                engine.snapshot()
                continue
            if turn % 2:
                engine.cancel(mine.id)
            if collector.finish().reason is FinishReason.FAILED:
                problems.append(mine.id)

    threads = [threading.Thread(target=use, args=(number,)) for number in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not problems
    assert engine.num_free == 8


def test_steps_are_counted(make_engine: MakeEngine) -> None:
    engine = make_engine()
    request = make_request(engine, "1", "hello there", max_tokens=6)
    ask(engine, request)
    steps = engine.recent_steps()
    assert sum(step.num_prefill for step in steps) == len(request.prompt.tokens)
    assert sum(step.num_decode for step in steps) == 5, "the first token comes with the prompt"
    assert all(step.seconds > 0 for step in steps)


def test_steps_teach_what_steps_cost(make_engine: MakeEngine) -> None:
    engine = make_engine()
    decoder = engine._decoder
    assert decoder is not None
    before = decoder.step_cost
    ask(engine, make_request(engine, "1", "hello " * 40, max_tokens=20))
    assert decoder.step_cost != before
    assert decoder.step_cost.curve is before.curve


def test_snapshot_shows_the_instance_at_work(make_engine: MakeEngine) -> None:
    engine = make_engine(max_tok_s=20)
    answer = Collector()
    engine.submit(make_request(engine, "1", "hello", **NEVER_ENDS), answer)
    answer.until(Delta, 2)
    snapshot = engine.snapshot()
    busy = [one for one in snapshot.instances if one.request_id == "1"]
    assert [one.state for one in busy] == ["decode"]
    assert busy[0].num_generated >= 2
    assert busy[0].kv_bytes > 0
    assert snapshot.model is not None
    engine.cancel("1")
    answer.finish()


def test_the_slow_way_that_others_advise_works_too(make_engine: MakeEngine) -> None:
    """One token a step and no flash attention: profile classic, and the same answer."""
    classic = make_engine(num_instances=1, chunk_tokens=1, has_flash_attention=False)
    usual = make_engine(num_instances=1)
    answers = [
        ask(engine, make_request(engine, "1", "hello there", max_tokens=16))
        for engine in (classic, usual)
    ]
    assert agreement(answers[0].tokens, answers[1].tokens) > 0.1
    steps = classic.recent_steps()
    assert steps and all(step.num_decode + step.num_prefill == 1 for step in steps)
    # What it holds survives being parked and brought back.
    ask(classic, make_request(classic, "2", "something else altogether", visitor="w"))
    turns = ("hello there", answers[0].text, "and more")
    started = ask(classic, make_request(classic, "3", *turns, conversation="1")).events[0]
    assert isinstance(started, Started) and started.num_cached_tokens > 30
