"""Short ways to make what the pool tests need."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path
from typing import Any

from ai_model.engine.request import SamplingParams
from ai_model.pool.config import PoolConfig
from ai_model.pool.frames import Frame
from ai_model.pool.memory_watch import Sensor
from ai_model.pool.pool import Pool
from ai_model.pool.request import PoolRequest
from ai_model.prompt import ChatMessage, Role
from tests.ai_model.pool.fake_engine import FakeEngine, factory


def make_config(**values: Any) -> PoolConfig:
    """Return a small pool's limits."""
    usual: dict[str, Any] = {
        "model_path": Path("/nowhere/model.gguf"),
        "max_instances": 2,
        "queue_size": 3,
        "max_inflight_per_visitor": 100,
        "max_running_per_visitor": 100,
        "n_ctx": 512,
        "max_tokens": 64,
    }
    return PoolConfig(**usual | values)


def make_request(text: str = "Hello", **values: Any) -> PoolRequest:
    """Return a request with a new generation id."""
    usual: dict[str, Any] = {
        "generation": str(uuid.uuid4()),
        "conversation": "conversation",
        "visitor": "visitor",
        "messages": (ChatMessage(Role.USER, text),),
        "sampling": SamplingParams(max_tokens=32),
        "meta": {"message": "m1", "conversation": "c1", "created_ms": 1},
    }
    return PoolRequest(**usual | values)


class Clock:
    """A clock that is put forward by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds


@contextlib.asynccontextmanager
async def running_pool(
    config: PoolConfig | None = None,
    *,
    on_broken: Callable[[str], None] | None = None,
    on_answered: Callable[[], None] = lambda: None,
    clock: Callable[[], float] = time.monotonic,
    sensor: Sensor | None = None,
    **engine_options: Any,
) -> AsyncIterator[tuple[Pool, FakeEngine]]:
    """A pool with a fake engine, which is ready unless ``is_loading`` is among its options."""
    make_engine = factory(**engine_options)
    pool = Pool(
        config or make_config(),
        engine_factory=make_engine,
        on_answered=on_answered,
        on_broken=on_broken,
        clock=clock,
        sensor=None if sensor is None else lambda _: sensor,
    )
    await pool.start()
    await until(lambda: make_engine.is_made)
    if not engine_options.get("is_loading"):
        await until(lambda: pool.is_ready)
    try:
        yield pool, make_engine.engine
    finally:
        await pool.close()


async def until(condition: Callable[[], object], timeout_s: float = 5.0) -> None:
    """Let the loop run until ``condition`` holds."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true"
        await asyncio.sleep(0.001)


def until_sync(condition: Callable[[], object], timeout_s: float = 10.0) -> None:
    """Wait on this thread until ``condition`` holds."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true"
        time.sleep(0.005)


def text_of(frames: Iterable[Frame]) -> str:
    """Join the deltas of frames, checking their offsets."""
    text = ""
    for frame in frames:
        if frame["type"] == "gen.delta":
            assert frame["off"] == len(text)
            text += frame["text"]
    return text


def durable(frames: Iterable[Frame]) -> list[Frame]:
    """Return the frames that have a number."""
    return [frame for frame in frames if "seq" in frame]


def types_of(frames: Iterable[Frame]) -> list[str]:
    """Return the kinds of frames without their prefix."""
    return [frame["type"].removeprefix("gen.") for frame in frames]


def check_log(frames: list[Frame]) -> Frame:
    """Check what every complete log must obey, and return its terminal frame."""
    frames = durable(frames)
    assert [frame["seq"] for frame in frames] == list(range(1, len(frames) + 1))
    assert frames[0]["type"] == "gen.created"
    ends = [frame for frame in frames if frame["type"] in ("gen.done", "gen.error")]
    assert ends == frames[-1:]
    end = ends[0]
    if end["type"] == "gen.done":
        text = text_of(frames)[: end["chars"]]
        assert len(text) == end["chars"]
        assert hashlib.sha256(text.encode()).hexdigest()[:8] == end["sha256_8"]
    return end
