"""The model changes while the engine lives: another file, or none while nobody asks."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ai_model.engine import Delta, Engine, EngineNotReady, EngineState, FinishReason
from tests.ai_model.engine.conftest import WAIT_S, Collector, MakeEngine, ask, make_request
from tests.ai_model.tiny_model import build_tiny_model


def _wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_S
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.005)
    assert condition()


@pytest.fixture
def other_model(tmp_path: Path) -> Path:
    return build_tiny_model(tmp_path / "other.gguf", n_ctx=256, seed=7, name="Other")


def _model_name(engine: Engine) -> str:
    model = engine.snapshot().model
    return model.name if model is not None else ""


def test_switch_lets_running_answers_finish(make_engine: MakeEngine, other_model: Path) -> None:
    engine = make_engine(max_tok_s=60)
    answer = Collector()
    engine.submit(make_request(engine, "1", "hello", max_tokens=30), answer)
    answer.until(Delta)
    engine.switch_model(replace(engine.config, model_path=other_model))
    assert engine.state is EngineState.LOADING
    with pytest.raises(EngineNotReady):
        _ = engine.tokenizer
    assert answer.finish().reason is FinishReason.LENGTH
    assert len(answer.tokens) == 30
    _wait(lambda: engine.state is EngineState.READY)
    assert _model_name(engine) == "Other"
    assert engine.n_ctx == 256
    assert ask(engine, make_request(engine, "2", "hello", max_tokens=5)).tokens


def test_bad_file_leaves_the_old_model_in_use(make_engine: MakeEngine, tmp_path: Path) -> None:
    engine = make_engine()
    bad = tmp_path / "bad.gguf"
    bad.write_bytes(b"GGUF" + b"\x00" * 100)
    engine.switch_model(replace(engine.config, model_path=bad))
    _wait(lambda: engine.state is EngineState.READY)
    assert "stays in use" in engine.snapshot().failure
    assert "bad.gguf" in engine.snapshot().failure
    assert ask(engine, make_request(engine, "1", "hello", max_tokens=5)).tokens


def test_idle_engine_sleeps_and_wakes(make_engine: MakeEngine) -> None:
    engine = make_engine(idle_sleep_s=0.05)
    request = make_request(engine, "1", "hello", max_tokens=5)
    _wait(lambda: engine.state is EngineState.SLEEPING)
    assert _model_name(engine) == "Tiny Test"
    with pytest.raises(EngineNotReady):
        engine.submit(request, Collector())
    engine.wake()
    _wait(lambda: engine.state is EngineState.READY)
    assert ask(engine, request).tokens
    _wait(lambda: engine.state is EngineState.SLEEPING)


def test_busy_engine_stays_awake(make_engine: MakeEngine) -> None:
    engine = make_engine(idle_sleep_s=0.1, max_tok_s=40)
    answer = Collector()
    engine.submit(make_request(engine, "1", "hello", max_tokens=20), answer)
    assert answer.finish().reason is FinishReason.LENGTH


def test_sleeping_engine_can_be_closed(make_engine: MakeEngine) -> None:
    engine = make_engine(idle_sleep_s=0.01)
    _wait(lambda: engine.state is EngineState.SLEEPING)
    engine.close()
    assert engine.state is EngineState.CLOSED
