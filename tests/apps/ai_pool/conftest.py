"""Settings and a scripted pool for the tests of the pool application."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from ai_model.pool.status import InstanceStatus, ModelStatus, PoolState, PoolStatus
from ai_model.pool.thread import PoolThread
from ai_model.pool.waiting_request import WaitingRequest
from apps.ai_pool import lifecycle, lookout, services
from tests.ai_model.pool.builders import make_config, until_sync
from tests.ai_model.pool.fake_engine import FakeEngine, factory
from tests.ai_model.tiny_model import build_tiny_model

READY = PoolStatus(
    state=PoolState.READY,
    pid=4711,
    uptime_s=273_600,
    model=ModelStatus(name="TinyLlama 1.1B", quant="Q5_K_M", is_demo=False, n_ctx=2048),
    num_instances=3,
    num_running=2,
    num_waiting=1,
    eta_s=71.0,
    decode_tok_s=34.2,
    prefill_tok_s=120.0,
    wait_p50_s=8.0,
    wait_p95_s=21.0,
    ttft_p95_s=3.14,
    num_done=12,
    outcomes={"done": 10, "user_stop": 2},
    instances=(
        InstanceStatus(
            index=0,
            state="decode",
            generation="7f3a1111-0000-4000-8000-000000000000",
            num_prompt=100,
            num_prompt_done=100,
            num_generated=84,
            tok_s=7.44,
            num_kv_tokens=840,
            kv_bytes=9_400_000,
            since_s=12,
        ),
        InstanceStatus(
            index=1,
            state="prefill",
            generation="c02e1111-0000-4000-8000-000000000000",
            num_prompt=100,
            num_prompt_done=62,
            num_kv_tokens=553,
            kv_bytes=6_100_000,
            since_s=3,
        ),
        InstanceStatus(index=2, state="idle", holds_conversation=True, num_kv_tokens=245),
    ),
)


WAITING = WaitingRequest(
    position=1,
    generation="aabb1111-0000-4000-8000-000000000000",
    visitor="v-31a0c2",
    waited_s=6,
    eta_p50_s=5,
    eta_p90_s=10,
)


class ScriptedPool:
    """Stands for the client of the pool; answers with ``answer`` or raises it."""

    def __init__(self) -> None:
        self.answer: PoolStatus | Exception = READY
        self.line: tuple[WaitingRequest, ...] | Exception = (WAITING,)
        self.num_asked = 0

    async def status(self, *, timeout_s: float) -> PoolStatus:
        self.num_asked += 1
        # As over a line: others get their turn meanwhile.
        await asyncio.sleep(0)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    async def history(self, age_s: float, *, timeout_s: float = 1.0) -> tuple[()]:
        return ()

    async def list_waiting(self, *, timeout_s: float = 1.0) -> tuple[WaitingRequest, ...]:
        if isinstance(self.line, Exception):
            raise self.line
        return self.line


@pytest.fixture
def pool(monkeypatch: pytest.MonkeyPatch) -> ScriptedPool:
    """The pool that services and views ask in this test."""
    scripted = ScriptedPool()
    monkeypatch.setattr(services, "get_pool_client", lambda: scripted)
    monkeypatch.setattr(lookout, "get_pool_client", lambda: scripted)
    return scripted


class LivePool:
    """A pool with a scripted engine and one instance, behind a real socket."""

    def __init__(self) -> None:
        self._factory = factory()
        config = make_config(max_instances=1)
        self._thread = PoolThread(config, engine_factory=self._factory)
        self.socket_path = self._thread.start()

    @property
    def engine(self) -> FakeEngine:
        """What answers, by hand."""
        return self._factory.engine

    def close(self) -> None:
        self._thread.close()


@pytest.fixture
def live_pool(tiny_settings: Settings) -> Iterator[LivePool]:
    """The pool that CORRAL_POOL_URL names in this test; it is ready."""
    live = LivePool()
    tiny_settings.CORRAL_POOL_URL = f"unix://{live.socket_path}"
    try:
        until_sync(lambda: asyncio.run(services.pool_status()).state is PoolState.READY)
        yield live
    finally:
        live.close()


@pytest.fixture(autouse=True)
def no_pool_left(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every test starts and ends without a pool and without hooks in the interpreter."""
    monkeypatch.setattr(lifecycle, "_failure", "")
    monkeypatch.setattr(lifecycle, "_has_hooks", True)
    yield
    lifecycle.stop_pool()


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real model of half a megabyte."""
    return build_tiny_model(tmp_path_factory.mktemp("model") / "tiny.gguf")


@pytest.fixture
def tiny_settings(settings: Settings, tiny_model: Path, tmp_path: Path) -> Settings:
    """Settings with which the tiny model is used and everything is written to a new directory."""
    settings.CORRAL_MODEL_PATH = str(tiny_model)
    settings.CORRAL_VAR_DIR = tmp_path
    settings.CORRAL_THREADS = 1
    return settings
