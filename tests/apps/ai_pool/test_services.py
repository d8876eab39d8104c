"""What the site may know about the pool, and what its operator may do."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import replace
from pathlib import Path

import pytest
from pytest_django import Settings

from ai_model.catalog import find_entry
from ai_model.checksums import ChecksumMismatch
from ai_model.engine.request import SamplingParams
from ai_model.pool.config import PoolConfig
from ai_model.pool.errors import PoolUnavailable, UnknownGeneration
from ai_model.pool.request import PoolRequest
from ai_model.pool.status import PoolState, PoolStatus
from ai_model.pool.thread import PoolThread
from ai_model.prompt import ChatMessage, Role
from ai_model.store import ModelStore
from apps.ai_pool import conf, connection, lifecycle, services
from tests.apps.ai_pool.conftest import READY, LivePool, ScriptedPool


async def test_the_status_comes_from_the_pool(pool: ScriptedPool) -> None:
    assert await services.pool_status() is READY


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        (PoolUnavailable("Nobody listens."), "Nobody listens."),
        (PoolUnavailable(), "does not answer"),
        (ConnectionRefusedError(111, "refused"), "does not answer"),
        (TimeoutError(), "does not answer"),
        (conf.ImpossibleSetting("CORRAL_POOL_URL is wrong."), "CORRAL_POOL_URL"),
    ],
)
async def test_a_pool_that_is_not_there_is_down_with_a_reason(
    pool: ScriptedPool, problem: Exception, words: str
) -> None:
    pool.answer = problem
    status = await services.pool_status()
    assert status.state is PoolState.DOWN
    assert words in status.reason


async def test_a_start_that_failed_is_the_reason(
    pool: ScriptedPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lifecycle, "_failure", "The file is empty.")
    status = await services.pool_status()
    assert (status.state, status.reason) == (PoolState.FAILED, "The file is empty.")
    assert pool.num_asked == 0


async def test_what_the_supervisor_knows_is_better_than_silence(
    pool: ScriptedPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool.answer = PoolUnavailable("Nobody listens.")
    known = lifecycle.Trouble(PoolState.LOADING, "The pool process is starting.")
    monkeypatch.setattr(lifecycle, "trouble", lambda: known)
    status = await services.pool_status()
    assert (status.state, status.reason) == (PoolState.LOADING, "The pool process is starting.")
    pool.answer = READY
    assert await services.pool_status() is READY


async def test_health_says_when_to_ask_again(pool: ScriptedPool) -> None:
    assert (await services.assistant_health()).is_ok
    for state in PoolState:
        health = services.health_of(PoolStatus(state=state))
        assert health.is_ok is (state is PoolState.READY)
        assert (health.retry_after_s > 0) is not health.is_ok
        assert bool(health.reason) is not health.is_ok


def test_the_public_form_holds_numbers_only() -> None:
    status = replace(READY, reason="/srv/secret/path.gguf is empty.", state=PoolState.FAILED)
    form = services.public_form(status)
    assert set(form) == {"state", "available", "instances", "in_use", "waiting", "wait_s"}
    assert "secret" not in str(form)
    assert services.public_form(READY)["wait_s"] == 90
    assert "secret" in str(services.staff_form(status))


@pytest.mark.parametrize(
    ("waiting", "eta_s", "words"),
    [(0, 50.0, ""), (2, None, ""), (1, 0.2, "about 5 s"), (1, 31.0, "about 35 s"),
     (1, 58.0, "about 1 min"), (3, 71.0, "about 2 min")],
)  # fmt: skip
def test_the_wait_in_words(waiting: int, eta_s: float | None, words: str) -> None:
    status = replace(READY, num_waiting=waiting, eta_s=eta_s)
    assert services.wait_words(status) == words


def test_staff_are_told_about_the_demo(
    tiny_settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert services.model_notice() is None
    tiny_settings.CORRAL_MODEL_PATH = ""
    demo = tmp_path / "demo.gguf"
    demo.write_bytes(b"x")
    store = replace(conf.model_store(), search_dirs=(tmp_path,), demo_path=demo)
    monkeypatch.setattr(conf, "model_store", lambda: store)
    notice = services.model_notice()
    assert notice is not None
    assert notice["is_demo"]
    assert "make model" in notice["sentence"]
    demo.unlink()
    notice = services.model_notice()
    assert notice is not None
    assert notice["sentence"].startswith("The assistant has no model yet.")


def test_staff_are_told_why_there_is_no_model(
    tiny_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lifecycle, "_failure", "It is empty.")
    assert services.model_notice() == {
        "is_demo": False,
        "sentence": "The assistant has no model yet. It is empty.",
    }


def test_a_pool_elsewhere_needs_no_notice(tiny_settings: Settings) -> None:
    tiny_settings.CORRAL_MODEL_PATH = ""
    tiny_settings.CORRAL_POOL_URL = "unix:///run/pool.sock"
    assert services.model_notice() is None


# What an operator may do


def test_the_operators_door(live_pool: LivePool, tiny_model: Path) -> None:
    assert services.pause_pool("At noon.").message == "At noon."
    assert services.drain_pool().intake == "draining"
    assert services.resume_pool().intake == "open"
    assert services.resize_pool(2).max_instances == 2
    assert services.list_waiting() == ()
    assert services.switch_model(str(tiny_model)).model == "tiny F0"
    with pytest.raises(UnknownGeneration):
        services.cancel_generation("nobody")


def test_a_damaged_file_of_the_catalog_is_not_switched_to(
    live_pool: LivePool, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conf, "model_store", lambda: ModelStore(search_dirs=(tmp_path,)))
    path = tmp_path / find_entry("Q8_0").filename
    path.write_bytes(tiny_model.read_bytes())
    with pytest.raises(ChecksumMismatch, match="damaged"):
        services.switch_model("Q8_0")
    assert services.resume_pool().model == "Fake Model F0"


def test_an_operator_without_a_pool_is_told(tiny_settings: Settings) -> None:
    with pytest.raises(PoolUnavailable, match="No pool is running"):
        services.pause_pool()
    tiny_settings.CORRAL_POOL_URL = "http://elsewhere"
    with pytest.raises(conf.ImpossibleSetting):
        services.resume_pool()


async def test_a_conversation_is_read_in_idle_time(
    live_pool: LivePool, tiny_settings: Settings
) -> None:
    said = [ChatMessage(Role.USER, "Hello"), ChatMessage(Role.ASSISTANT, "Hello!")]
    assert await services.warm_up(conversation="c", visitor="v", messages=said)
    assert not await services.warm_up(conversation="c", visitor="v", messages=said)
    assert not await services.warm_up(conversation="", visitor="v", messages=said)
    live_pool.close()
    assert not await services.warm_up(conversation="d", visitor="v", messages=said)
    await connection.close_pool_client()


def test_tokens_are_counted_by_the_model_in_use(live_pool: LivePool) -> None:
    """One per character here."""
    assert services.count_tokens("four") == 4
    with pytest.raises(ValueError, match="16384 bytes"):
        services.count_tokens("x" * 16_385)


def test_nobody_counts_tokens_without_a_model(tiny_settings: Settings, tmp_path: Path) -> None:
    tiny_settings.CORRAL_POOL_URL = f"unix://{tmp_path}/nobody.sock"
    assert services.count_tokens("four") is None
    tiny_settings.CORRAL_POOL_URL = "http://elsewhere"
    assert services.count_tokens("four") is None


async def test_a_long_history_that_is_nowhere_is_read_before_the_question(
    tiny_settings: Settings, tiny_model: Path
) -> None:
    """From the door of this application to the cells of a real engine, once and no more."""
    config = PoolConfig(model_path=tiny_model, max_instances=1, n_ctx=512, max_tokens=64)
    with PoolThread(config) as thread:
        tiny_settings.CORRAL_POOL_URL = f"unix://{thread.socket_path}"
        client = connection.get_pool_client()
        async with asyncio.timeout(20):
            while (await services.pool_status()).state is not PoolState.READY:
                await asyncio.sleep(0.01)
            history = (
                ChatMessage(Role.SYSTEM, "You are kind."),
                ChatMessage(Role.USER, "what is a horse and what does it eat " * 5),
                ChatMessage(Role.ASSISTANT, "a horse is an animal and it eats grass " * 5),
            )
            keys = {"conversation": "c", "visitor": "v"}
            assert await services.warm_up(messages=history, **keys)
            # While it is being read it is not begun again, and then there is nothing to read.
            while not await services.warm_up(messages=history, **keys):
                await asyncio.sleep(0.005)
            for _ in range(3):
                while not await services.warm_up(messages=history, **keys):
                    await asyncio.sleep(0.005)
            request = PoolRequest(
                generation=str(uuid.uuid4()),
                messages=(*history, ChatMessage(Role.USER, "go on")),
                sampling=SamplingParams(max_tokens=4),
                **keys,
            )
            await client.submit(request)
            frames = [frame async for frame in client.subscribe(request.generation)]
        usage = frames[-1]["usage"]
        assert usage["prompt"] > 150
        assert usage["prompt"] - usage["cached"] < 40
        # Of the prompt only the question had to be read; the warm-ups are in no count.
        status = await services.pool_status()
        assert (status.num_accepted, status.num_done) == (1, 1)
    await connection.close_pool_client()
