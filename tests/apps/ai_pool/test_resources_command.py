"""``manage.py resources``: what it shows, for people and machines, and its exit codes."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from pytest_django import Settings

from ai_model.pool.status import PoolState, PoolStatus
from apps.ai_pool.capacity_plan.figures import BadFigures
from apps.ai_pool.doctor.finding import Finding, Level, good
from apps.ai_pool.management.commands import resources
from apps.ai_pool.resources import sample as samples
from apps.ai_pool.resources import use as uses
from apps.ai_pool.resources.machine import Disk
from apps.ai_pool.resources.site_process import Kind
from tests.apps.ai_pool.capacity_plan.machines import make_figures
from tests.apps.ai_pool.conftest import READY, ScriptedPool
from tests.apps.ai_pool.resources.looks import MB, machine, process, use


def run(*arguments: str) -> tuple[str, int]:
    """What it wrote, and its exit code."""
    out = io.StringIO()
    try:
        call_command("resources", *arguments, stdout=out)
    except SystemExit as ended:
        return out.getvalue(), int(ended.code or 0)
    return out.getvalue(), 0


def test_info_of_this_machine(tiny_settings: Settings, pool: ScriptedPool) -> None:
    text, code = run("info")
    assert code in (0, 1)
    for words in ("Processors", "Memory", "Disk", "Tiny Test F32", "ready, 2 running, 1 waiting"):
        assert words in text
    found = json.loads(run("info", "--json")[0])
    assert found["model"]["n_ctx"] > 0 and found["machine"]["memory_bytes"] > 0
    assert found["pool"]["state"] == "ready" and found["processes"] == []


def test_info_without_a_model_says_why(tiny_settings: Settings, pool: ScriptedPool) -> None:
    tiny_settings.CORRAL_MODEL_PATH = "/nowhere.gguf"
    pool.answer = PoolStatus.down("Nobody is there.")
    text, _ = run("info")
    assert "There is no model file at /nowhere.gguf" in text and "down. " in text
    assert "No process of this site runs here" in text


def test_info_of_a_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resources, "look", lambda: use())
    monkeypatch.setattr(resources.time, "time", lambda: 8200.0)
    text, code = run("info")
    assert code == 0
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert "Processors 4, 2 usable (quota or affinity); load 0.5" in lines
    assert "Memory 4,000 MB, limit 2,000 MB; 1,500 MB available" in lines
    assert "Profile small: 1 instance of 1024 tokens, 1 thread" in lines
    assert "web process 4711 95 MB 3 s 6 2.0 h" in lines
    assert "Together 995 MB, 50% of what may be used." in lines


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"processes": (process(memory_bytes=1900 * MB),)}, "nearly all the memory"),
        ({"machine": machine(available_bytes=300 * MB)}, "hardly any memory left"),
        (
            {"machine": machine(disks=(Disk(path="/var", total_bytes=9 * MB, free_bytes=MB),))},
            "disk of /var is nearly full",
        ),
    ],
)
def test_what_is_short_is_said_and_changes_the_code(
    monkeypatch: pytest.MonkeyPatch, fields: dict[str, Any], words: str
) -> None:
    monkeypatch.setattr(resources, "look", lambda: use(**fields))
    text, code = run("info")
    assert words in text and code == 1


@pytest.fixture
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resources.time, "sleep", lambda seconds: None)


def test_monitor_tells_what_happened_between_two_looks(
    monkeypatch: pytest.MonkeyPatch, no_pause: None
) -> None:
    looks = iter(
        [
            [process(cpu_s=3.0), process(Kind.POOL, pid=5, cpu_s=10.0)],
            [process(cpu_s=3.2), process(Kind.POOL, pid=5, cpu_s=11.0, memory_bytes=900 * MB)],
            # The pool was started again meanwhile: what it used before counts for nobody.
            [process(cpu_s=3.2), process(Kind.POOL, pid=6, cpu_s=1.0)],
        ]
    )
    clock = iter([100.0, 102.0, 104.0])
    monkeypatch.setattr(samples, "own_processes", lambda: next(looks))
    monkeypatch.setattr(samples, "pool_now", lambda: READY)
    monkeypatch.setattr(samples.time, "monotonic", lambda: next(clock))
    text, code = run("monitor", "--count", "2", "--json")
    first, second = map(json.loads, text.splitlines())
    assert code == 0
    assert (first["web_cpu"], first["pool_cpu"]) == (pytest.approx(0.1), pytest.approx(0.5))
    assert (first["web_bytes"], first["pool_bytes"]) == (95 * MB, 900 * MB)
    assert (first["num_running"], first["num_waiting"]) == (2, 1)
    assert second["pool_cpu"] == 0


def test_monitor_for_people(tiny_settings: Settings, pool: ScriptedPool, no_pause: None) -> None:
    text, code = run("monitor", "--count", "2")
    heading, *lines = text.splitlines()
    assert heading.split()[:2] == ["time", "cpu"] and len(lines) == 2
    assert {len(line) for line in lines} == {len(heading)}
    assert lines[0].split()[-3:] == ["2", "1", "34.2"] and code == 0


def test_monitor_ends_with_2_when_the_pool_is_down(
    tiny_settings: Settings, pool: ScriptedPool, no_pause: None
) -> None:
    pool.answer = PoolStatus(state=PoolState.FAILED, reason="No.")
    assert run("monitor", "--count", "1")[1] == 2


def test_ctrl_c_is_the_ordinary_end(
    tiny_settings: Settings, pool: ScriptedPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(resources.time, "sleep", interrupt)
    assert run("monitor") == ("", 0)


@pytest.mark.parametrize("wrong", [["--every", "0"], ["--every", "nan"], ["--count", "-1"]])
def test_wrong_use_of_monitor(wrong: list[str]) -> None:
    with pytest.raises(CommandError, match="--every takes") as caught:
        call_command("resources", "monitor", *wrong)
    assert caught.value.returncode == 2


@pytest.mark.parametrize(
    ("finding", "code", "words"),
    [
        (good("a", "Fine."), 0, "This machine can run the profile.\n"),
        (Finding("a", Level.WARNING, "Tight.", "Mend."), 1, "with what is said above"),
        (Finding("a", Level.ERROR, "Bad.", "Mend."), 2, "This machine cannot run the profile."),
    ],
)
def test_the_worst_finding_decides(
    tiny_settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    finding: Finding,
    code: int,
    words: str,
) -> None:
    monkeypatch.setattr(resources, "figures_here", make_figures)
    monkeypatch.setattr(resources, "judge_storing", lambda directory: [])
    monkeypatch.setattr(resources, "check_machine", lambda: [finding])
    text, returned = run("test")
    assert words in text and finding.sentence in text and returned == code
    found = json.loads(run("test", "--json")[0])
    assert found["exit_code"] == code
    assert [one["id"] for one in found["findings"]] == ["a", "writing", "reading"]


def test_what_cannot_be_measured_is_an_error_with_a_fix(
    tiny_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise BadFigures("Measuring took more than 300 s.")

    monkeypatch.setattr(resources, "figures_here", fail)
    monkeypatch.setattr(resources, "check_machine", lambda: [])
    text, code = run("test")
    assert "speed-unknown: Measuring took more than 300 s." in text and code == 2


def test_one_disk_is_named_once(tiny_settings: Settings, pool: ScriptedPool) -> None:
    assert len(uses.look().machine.disks) in (1, 2)
    same = uses._places(tiny_settings.CORRAL_VAR_DIR, tiny_settings.CORRAL_VAR_DIR / "new" / "dir")
    assert len(same) == 1
