"""``manage.py pool status``: text, JSON and exit codes."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from pytest_django import Settings

from ai_model.pool.errors import PoolUnavailable
from ai_model.pool.status import PoolState
from apps.ai_pool.management.commands.pool import exit_code
from tests.apps.ai_pool.conftest import READY, ScriptedPool


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("pool", "status", *arguments, stdout=out)
    return out.getvalue()


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
    assert codes == {"ready": 0, "loading": 1, "draining": 1, "failed": 2, "down": 2}
