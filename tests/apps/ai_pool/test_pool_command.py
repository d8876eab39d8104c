"""``manage.py pool``: text, JSON and exit codes, for people, scripts and monitoring."""

from __future__ import annotations

import asyncio
import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from pytest_django import Settings

from ai_model.pool.client import PoolClient
from ai_model.pool.errors import PoolUnavailable
from ai_model.pool.request import PoolRequest
from ai_model.pool.status import PoolState
from apps.ai_pool.management.commands.pool import exit_code
from tests.ai_model.pool.builders import make_request
from tests.apps.ai_pool.conftest import READY, LivePool, ScriptedPool


def run(*arguments: str) -> str:
    return command("status", *arguments)


def command(*arguments: str) -> str:
    out = io.StringIO()
    call_command("pool", *arguments, stdout=out)
    return out.getvalue()


def refused(*arguments: str) -> CommandError:
    with pytest.raises(CommandError) as caught:
        command(*arguments)
    return caught.value


def test_it_starts_with_the_lines_everybody_knows(pool: ScriptedPool) -> None:
    text = run()
    assert text.startswith("Pool Status:\n   Available: 1/3\n   In Use: 2\n   Waiting: 1\n")
    assert "7f3a.." in text


def test_json(pool: ScriptedPool) -> None:
    assert json.loads(run("--json"))["instances"][0]["state"] == "decode"


def test_a_pool_that_is_down_is_exit_code_2_with_the_cause(
    pool: ScriptedPool, tiny_settings: Settings
) -> None:
    pool.answer = PoolUnavailable("Nobody listens.")
    with pytest.raises(CommandError, match=r"Nobody listens.*make run") as caught:
        run()
    assert caught.value.returncode == 2
    tiny_settings.CORRAL_MODEL_PATH = "/nowhere.gguf"
    with pytest.raises(CommandError, match="There is no model file at /nowhere.gguf"):
        run()


def test_a_pool_that_is_loading_is_exit_code_1(pool: ScriptedPool) -> None:
    pool.answer = replace(READY, state=PoolState.LOADING)
    with pytest.raises(CommandError, match="loading") as caught:
        run("--json")
    assert caught.value.returncode == 1


def test_exit_codes() -> None:
    codes = {state: exit_code(replace(READY, state=state)) for state in PoolState}
    degraded = {"loading": 1, "draining": 1, "paused": 1}
    assert codes == {"ready": 0, "failed": 2, "down": 2} | degraded


def test_a_paused_pool_says_what_visitors_are_told(pool: ScriptedPool) -> None:
    pool.answer = replace(READY, state=PoolState.PAUSED, reason="It is paused.", notice="At noon.")
    caught = refused("status")
    assert str(caught) == "It is paused. Visitors are told: At noon."
    assert caught.returncode == 1


# With a pool behind a socket


def submit(socket_path: Path, *requests: PoolRequest) -> None:
    async def hand_in() -> None:
        client = PoolClient(socket_path)
        for request in requests:
            await client.submit(request)
        await client.close()

    asyncio.run(hand_in())


def test_pausing_and_opening_again(live_pool: LivePool) -> None:
    text = command("pause", "Back", "at noon.")
    assert text == ("Paused; visitors are told: Back at noon.\n0 running, 0 waiting, 1 instance.\n")
    assert refused("status").returncode == 1
    assert json.loads(command("pause", "--json"))["intake"] == "paused"
    assert command("resume").startswith("Open: questions are taken.\n")
    assert command("drain").startswith("Drained: it is empty.\n")
    assert refused("status").returncode == 1
    assert json.loads(command("resume", "--json"))["is_done"] is True
    assert command("status").startswith("Pool Status:")


def test_another_size(live_pool: LivePool) -> None:
    assert command("resize", "3").endswith("\n0 running, 0 waiting, 3 instances.\n")
    assert "Available: 3/3" in command("status")
    assert json.loads(command("resize", "2", "--json"))["max_instances"] == 2
    caught = refused("resize", "0")
    assert caught.returncode == 2 and "1 to 128" in str(caught)
    assert refused("resize", "many")


def test_who_waits(live_pool: LivePool) -> None:
    assert command("queue") == "Nobody waits.\n"
    assert command("queue", "--json") == "[]\n"
    requests = [make_request("A secret", visitor="31a0c2" + "f" * 26) for _ in range(3)]
    submit(live_pool.socket_path, *requests)
    lines = command("queue").splitlines()
    assert lines[0].split() == ["#", "waited", "eta", "visitor", "request"]
    assert lines[1].split() == ["1", "0s", "-", "v-31a0c2", requests[1].generation]
    assert lines[2].startswith("   2       0s  -                 v-31a0c2  ")
    assert "secret" not in str(lines) and "f" * 26 not in str(lines)
    assert [one["position"] for one in json.loads(command("queue", "--json"))] == [1, 2]
    assert command("queue", "--cancel", requests[1].generation.upper()).startswith("Cancelled.\n")
    assert len(command("queue").splitlines()) == 2
    caught = refused("queue", "--cancel", "7f3a")
    assert caught.returncode == 2 and "does not know" in str(caught)


def test_another_model(live_pool: LivePool, tiny_model: Path) -> None:
    text = command("model", str(tiny_model))
    assert text.startswith("tiny F0 answers from now on.\n")
    assert f"model use {tiny_model}" in text
    assert json.loads(command("model", "--json", str(tiny_model)))["model"] == "tiny F0"
    live_pool.engine.is_next_model_bad = True
    caught = refused("model", str(tiny_model))
    assert caught.returncode == 1 and "stays in use" in str(caught)
    missing = refused("model", "/nowhere/model.gguf")
    assert missing.returncode == 1 and "no model file at /nowhere/model.gguf" in str(missing)
    unknown = refused("model", "Q9")
    assert unknown.returncode == 2 and "Q9" in str(unknown)


@pytest.mark.parametrize(
    "arguments", [("pause",), ("resume",), ("drain",), ("resize", "2"), ("queue",)]
)
def test_without_a_pool_nothing_is_done(
    arguments: tuple[str, ...], tiny_settings: Settings
) -> None:
    caught = refused(*arguments)
    assert caught.returncode == 2
    assert "No pool is running" in str(caught) and "make run" in str(caught)
