"""Another model for a running pool: what runs finishes, and who waits keeps the place."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from ai_model.model_file import BadModelFile
from ai_model.pool import engine_link as engine_link_module
from tests.ai_model.pool.builders import make_config, make_request, running_pool, text_of, until
from tests.ai_model.pool.readers import ended


@pytest.fixture
def any_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every path is that of a good model file."""
    monkeypatch.setattr(engine_link_module, "inspect", lambda path: None)


async def test_switching_the_model(any_file: None) -> None:
    """What runs finishes with the old model, who waits gets the new one and keeps the place."""
    async with running_pool(make_config(max_instances=1)) as (pool, engine):
        running, waiting, late = make_request(), make_request(), make_request()
        pool.submit(running)
        pool.submit(waiting)
        await until(lambda: engine.running_ids)
        engine.step()
        switch = asyncio.create_task(pool.controls.switch_model(Path("/models/other.gguf")))
        await until(lambda: not pool.is_ready)
        pool.submit(late)
        again = await pool.controls.switch_model(Path("/models/third.gguf"))
        assert not again.is_done and "already" in again.text
        assert [one.generation for one in pool.controls.list_waiting()] == [
            waiting.generation,
            late.generation,
        ]
        assert not switch.done()
        engine.finish_all()
        assert (await ended(pool, running))[0]["reason"] == "stop"
        result = await asyncio.wait_for(switch, 5)
        assert result.is_done and result.model == "other F0"
        assert result.text == "other F0 answers from now on."
        await until(lambda: engine.running_ids == [waiting.generation])
        engine.finish_all()
        log = pool.logs.find(waiting.generation)
        assert log is not None
        await until(lambda: log.is_ended)
        started = [frame for frame in log.replay() if frame["type"] == "gen.started"]
        assert started[0]["model"] == "other F0"
        assert text_of(log.replay()) == "The pool answers you."


async def test_a_file_with_a_flaw_is_found_before_anything_changes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Nobody is kept waiting for it."""
    async with running_pool() as (pool, engine):
        result = await pool.controls.switch_model(tmp_path / "missing.gguf")
        assert not result.is_done and "missing.gguf" in result.text
        assert pool.is_ready and result.model == "Fake Model F0"

        def refuse(path: Path) -> None:
            raise BadModelFile(f"{path} is a web page.")

        monkeypatch.setattr(engine_link_module, "inspect", refuse)
        assert "web page" in (await pool.controls.switch_model(Path("/x.gguf"))).text
        assert engine.state == "ready"


async def test_a_model_that_cannot_be_loaded_leaves_the_old_one(any_file: None) -> None:
    """With the engine's reason, and everybody is answered."""
    async with running_pool() as (pool, engine):
        engine.is_next_model_bad = True
        result = await pool.controls.switch_model(Path("/models/bad.gguf"))
        assert not result.is_done
        assert result.text == "Fake Model stays in use: bad.gguf is bad."
        request = make_request()
        pool.submit(request)
        await until(lambda: engine.running_ids)
        engine.finish_all()
        await ended(pool, request)
        engine.is_next_model_bad = False
        assert (await pool.controls.switch_model(Path("/models/good.gguf"))).is_done


async def test_a_prompt_made_for_the_old_model_is_made_again(
    any_file: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its tokens would be nonsense to the new one."""
    async with running_pool() as (pool, engine):
        fit, made = engine_link_module.make_opening, list[str]()

        def fit_late(*arguments: Any, **options: Any) -> Any:
            made.append(engine.model_name)
            if len(made) == 1:
                # The switch is over before the loop hears of this prompt.
                switch = pool.controls.switch_model(Path("/models/other.gguf"))
                asyncio.run_coroutine_threadsafe(switch, loop)
                prompt = fit(*arguments, **options)
                deadline = time.monotonic() + 5
                while engine.model_name != "other" and time.monotonic() < deadline:
                    time.sleep(0.001)
                return prompt
            return fit(*arguments, **options)

        loop = asyncio.get_running_loop()
        monkeypatch.setattr(engine_link_module, "make_opening", fit_late)
        # The file was looked at before; here only the order of the two matters.
        monkeypatch.setattr(pool._engine._loop, "run_in_executor", _beside(loop))
        request = make_request()
        pool.submit(request)
        await until(lambda: engine.running_ids)
        assert made == ["Fake Model", "other"]


def _beside(loop: asyncio.AbstractEventLoop) -> Any:
    """Return a run_in_executor with a thread for every call."""
    plain = loop.run_in_executor
    return lambda _, function, *arguments: plain(None, function, *arguments)


async def test_a_switch_that_takes_long_goes_on(
    any_file: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The operator is not kept; a client that leaves does not stop it either."""
    monkeypatch.setattr("ai_model.pool.controls.SWITCH_LIMIT_S", 0.02)
    async with running_pool() as (pool, engine):
        pool.submit(make_request())
        await until(lambda: engine.running_ids)
        result = await pool.controls.switch_model(Path("/models/other.gguf"))
        assert not result.is_done and "follows" in result.text
        engine.finish_all()
        await until(lambda: pool.is_ready)
        assert pool.controls.resume().model == "other F0"
        pool.submit(make_request())
        await until(lambda: engine.running_ids)
        gone = asyncio.create_task(pool.controls.switch_model(Path("/models/third.gguf")))
        await until(lambda: not pool.is_ready)
        gone.cancel()
        engine.finish_all()
        await until(lambda: pool.is_ready)
        assert pool.controls.resume().model == "third F0"


async def test_no_switch_before_there_is_a_model(any_file: None) -> None:
    """It says when to try again; closing a pool ends a switch that waits."""
    async with running_pool(is_loading=True) as (pool, engine):
        result = await pool.controls.switch_model(Path("/models/other.gguf"))
        assert "still loading" in result.text
        engine.become_ready()
        await until(lambda: pool.is_ready)
        pool.submit(make_request())
        await until(lambda: engine.running_ids)
        switch = asyncio.create_task(pool.controls.switch_model(Path("/models/other.gguf")))
        await until(lambda: not pool.is_ready)
    assert not (await asyncio.wait_for(switch, 5)).is_done
