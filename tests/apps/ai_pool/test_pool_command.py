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
from django.utils import timezone
from pytest_django import Settings

from ai_model.pool.client import PoolClient
from ai_model.pool.control_result import ControlResult
from ai_model.pool.errors import PoolUnavailable
from ai_model.pool.request import PoolRequest
from ai_model.pool.status import PoolState, PoolStatus
from apps.ai_chat.models import Conversation, Message
from apps.ai_pool import services
from apps.ai_pool.actions.self_test import SelfTestResult
from apps.ai_pool.management.commands.pool import SUBCOMMANDS
from apps.ai_pool.pool_command import restart as restarting
from apps.ai_pool.pool_command import selftest
from apps.ai_pool.pool_command.status import exit_code
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
    assert lines[2].split()[:4] == ["2", "0s", "-", "v-31a0c2"]
    assert "secret" not in str(lines) and "f" * 26 not in str(lines)
    assert [one["position"] for one in json.loads(command("queue", "--json"))] == [1, 2]
    assert command("queue", "--cancel", requests[1].generation.upper()).startswith("Cancelled.\n")
    assert len(command("queue").splitlines()) == 2
    assert "is the next of 1" in command("queue", "--front", requests[2].generation.upper())
    assert refused("queue", "--front", requests[0].generation).returncode == 1
    assert refused("queue", "--front", "7f3a").returncode == 2
    assert "Every running answer has a reader." in command("queue", "--cancel-orphans")
    assert json.loads(command("queue", "--cancel-orphans", "--json"))["is_done"] is True
    assert refused("queue", "--front", "7f3a", "--cancel", "7f3a")
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


def test_limits_for_a_while(live_pool: LivePool) -> None:
    assert command("limits") == "All limits are as usual.\n"
    assert command("limits", "queue_size", "1", "--minutes", "90").startswith(
        "queue_size is 1 for 1 h 30 min, then 3 again.\n"
    )
    heading, line = command("limits").splitlines()
    assert heading.split() == ["limit", "now", "usually", "time", "left"]
    assert line.split()[:3] == ["queue_size", "1", "3"]
    assert "queue_size is 1 instead of 3 for 1h" in command("status")
    (known,) = json.loads(command("limits", "--json"))
    assert (known["value"], known["usual"]) == (1, 3) and 5390 < known["left_s"] <= 5400
    command("limits", "max_tokens", "32")
    assert command("limits", "queue_size", "--undo").startswith("queue_size is 3, as usual.\n")
    assert [one["name"] for one in json.loads(command("limits", "--json"))] == ["max_tokens"]
    command("limits", "--undo")
    assert command("limits", "--json") == "[]\n"
    assert command("limits", "--undo") == "All limits are as usual.\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("max_tokens", "5"), "max_tokens can be 16 to 65536, not 5."),
        (("max_tokens", "50", "--minutes", "0"), "a second to a day"),
        (("max_tokens", "50", "--minutes", "nan"), "a second to a day"),
        (("max_tokens",), "What is max_tokens to be meanwhile?"),
        (("max_tokens", "50", "--undo"), "--undo takes no value"),
    ],
)
def test_limits_that_cannot_be(arguments: tuple[str, ...], words: str, live_pool: LivePool) -> None:
    caught = refused("limits", *arguments)
    assert caught.returncode == 2 and words in str(caught)
    assert command("limits", "--json") == "[]\n"


def test_a_restart_that_cannot_be(live_pool: LivePool) -> None:
    caught = refused("restart")
    assert caught.returncode == 1 and "restart that one" in str(caught)
    caught = refused("restart", "--patience", "601")
    assert caught.returncode == 2 and "0 to 600 s" in str(caught)


def test_a_restart_is_followed_until_the_new_process_has_its_model(
    pool: ScriptedPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Scripted: the old process, nobody, a loading one, a paused one."""
    states = [
        replace(READY, life="a"),
        PoolStatus.down("Nobody listens."),
        replace(READY, life="b", pid=5000, state=PoolState.LOADING),
        replace(READY, life="b", pid=5000, state=PoolState.PAUSED),
    ]
    asked: list[float] = []

    def restart(patience_s: float) -> ControlResult:
        asked.append(patience_s)
        return ControlResult(text="A new pool process starts now.")

    monkeypatch.setattr(services, "restart_pool", restart)
    monkeypatch.setattr(services, "read_status", lambda: states.pop(0))
    monkeypatch.setattr(restarting, "LOOK_S", 0.0)
    text = command("restart", "--patience", "5")
    assert text == (
        "A new pool process starts now.\nProcess 5000 has taken the place of process 4711.\n"
    )
    assert asked == [5.0] and states == []
    states += [replace(READY, life="a"), replace(READY, life="b", state=PoolState.FAILED)]
    caught = refused("restart")
    assert caught.returncode == 1 and str(caught).startswith("It was restarted, but:")
    monkeypatch.setattr(restarting, "LOADING_S", -1e9)
    states += [replace(READY, life="a")] * 2
    caught = refused("restart")
    assert caught.returncode == 1 and "did not come in time" in str(caught)
    states += [replace(READY, life="a")]
    assert command("restart", "--no-wait").startswith("A new pool process starts now.\n")


@pytest.mark.django_db
def test_the_banner_needs_no_pool(tiny_settings: Settings) -> None:
    assert command("banner") == "No banner is shown.\n"
    text = command("banner", "We", "move", "on", "Monday.", "--hours", "4")
    assert text.startswith("Visitors see for ") and text.endswith(": We move on Monday.\n")
    assert json.loads(command("banner", "--json"))["text"] == "We move on Monday."
    assert command("banner", "Until then.").startswith("Visitors see until it is removed: Until")
    assert refused("banner", "x" * 301).returncode == 2
    assert refused("banner", "Soon.", "--hours", "0").returncode == 2
    assert command("banner", "--remove", "--json") == "null\n"


@pytest.mark.django_db
def test_the_self_test_and_its_exit_code(
    tiny_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = SelfTestResult(
        model="M",
        at=timezone.now(),
        text="One two.",
        num_tokens=40,
        tok_s=20.0,
        ttft_s=0.1,
        was_alone=True,
        is_baseline=False,
        expected="One two.",
        baseline_tok_s=20.0,
    )
    monkeypatch.setattr(selftest, "run_self_test", lambda *, is_new_baseline: result)
    assert "100 % of the baseline" in command("selftest")
    assert json.loads(command("selftest", "--json"))["is_ok"] is True
    result = replace(result, text="Three.")
    caught = refused("selftest")
    assert caught.returncode == 1 and "another text" in str(caught)


def test_help_is_one_sentence_for_each() -> None:
    for one in SUBCOMMANDS:
        assert one.help and not one.help.endswith(".") and one.help[0].islower()


@pytest.mark.parametrize(
    "arguments",
    [
        ("pause",),
        ("resume",),
        ("drain",),
        ("resize", "2"),
        ("queue",),
        ("restart",),
        ("limits",),
        ("limits", "queue_size", "1"),
        ("limits", "--undo"),
        ("selftest",),
    ],
)
def test_without_a_pool_nothing_is_done(
    arguments: tuple[str, ...], tiny_settings: Settings
) -> None:
    caught = refused(*arguments)
    assert caught.returncode == 2
    assert "No pool is running" in str(caught) and "make run" in str(caught)


# Emergency mode


def test_the_emergency_mode_has_a_switch(live_pool: LivePool) -> None:
    assert "no new conversation begins" in command("emergency", "on")
    status = asyncio.run(services.pool_status())
    assert (status.memory.level, status.memory.switch) == ("critical", "on")
    assert "when it has to" in command("emergency", "auto")
    assert asyncio.run(services.pool_status()).memory.switch == "auto"
    assert refused("emergency", "perhaps").returncode != 0


@pytest.mark.django_db
def test_known_ends() -> None:
    assert command("known") == "Every answer of the last 24 hours ended well.\n"
    talk = Conversation.objects.create(visitor="v", updated=timezone.now())
    made = Message.objects.create(
        conversation=talk, number=1, role="assistant", state="failed", error_code="no_model"
    )
    assert command("known").splitlines()[1].split()[:2] == ["no_model", "1"]
    shown = json.loads(command("known", "--json"))
    assert shown["ends"][0]["samples"] == [str(made.pk)] and shown["known"] == []
    shown = json.loads(command("known", "no_model", "--json"))
    assert shown["ends"] == [] and shown["known"][0]["count"] == 1
    assert "no_model" in command("known")
    caught = refused("known", "strange")
    assert caught.returncode == 2 and "some ended with no_model" in str(caught)
    assert json.loads(command("known", "no_model", "--undo", "--json"))["known"] == []
    assert refused("known", "no_model", "--undo").returncode == 2
    assert refused("known", "--undo").returncode == 2
