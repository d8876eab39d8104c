"""``manage.py monitor_memory``: watching, and the test that makes memory tight on purpose."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from ai_model.memory.level import MemoryLevel
from ai_model.memory.reading import MemoryReading, Source
from ai_model.pool.status import MemoryStatus, PoolStatus
from ai_model.simulation.squeeze import Outcome
from ai_model.simulation.trace import Peaks
from apps.ai_pool import services
from apps.ai_pool.management.commands import monitor_memory

LIMITED = MemoryReading(
    p=0.5, p_need=0.5, p_kill=0.4, p_host=0.1, limit_bytes=2 << 30, source=Source.V2
)
LOW, MEDIUM = MemoryLevel.LOW, MemoryLevel.MEDIUM
GOOD = Outcome(
    peaks=Peaks(p=0.8, level=MEDIUM, levels=[(0.0, LOW), (12.0, MEDIUM), (70.0, LOW)]),
    pool_levels=("low", "medium", "low"),
    is_killed=False,
    is_recovered=True,
)


class Sensor:
    """Reads what the test wants."""

    reading = LIMITED

    def __init__(self, **options: Any) -> None:
        pass

    def read(self) -> MemoryReading:
        return self.reading


class Squeeze:
    """Takes no memory, and ends as the test wants."""

    outcome = GOOD

    def __init__(self, sensor: Sensor, **options: Any) -> None:
        self.options = options

    def run(self) -> Outcome:
        return self.outcome


@pytest.fixture(autouse=True)
def stage(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A limited machine whose pool reports the level medium."""
    status = replace(PoolStatus.down("Gone."), memory=MemoryStatus(level="medium"))
    monkeypatch.setattr(services, "read_status", lambda: status)
    monkeypatch.setattr(monitor_memory, "MemorySensor", Sensor)
    monkeypatch.setattr(monitor_memory, "Squeeze", Squeeze)
    return monkeypatch


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("monitor_memory", *arguments, stdout=out)
    return out.getvalue()


def wrong(*arguments: str) -> CommandError:
    with pytest.raises(CommandError) as caught:
        run(*arguments)
    return caught.value


def test_monitor() -> None:
    text = run("--seconds", "0.05")
    assert "No pool runs here" in text
    assert "low" in text and " 50%" in text and "pool: medium" in text
    assert "At most" in text


def test_monitor_as_json() -> None:
    records = [json.loads(line) for line in run("--seconds", "0.05", "--json").splitlines()]
    assert [record["kind"] for record in records] == ["sample", "end"]
    assert records[0]["pool_level"] == "medium" and records[0]["p_kill"] == 0.4


def test_good_test() -> None:
    text = run("--mode", "test")
    assert "own readings: low at 0 s, medium at 12 s, low at 70 s." in text
    assert "the pool reported: low, medium, low." in text


def test_test_that_ends_badly(stage: pytest.MonkeyPatch) -> None:
    stage.setattr(Squeeze, "outcome", replace(GOOD, is_killed=True, is_recovered=False))
    error = wrong("--mode", "test")
    assert error.returncode == 1
    out = io.StringIO()
    with pytest.raises(CommandError):
        call_command("monitor_memory", "--mode", "test", "--json", stdout=out)
    record = json.loads(out.getvalue())
    assert record["is_good"] is False and record["pool_levels"] == ["low", "medium", "low"]


def test_whole_machine_is_filled_only_when_told(stage: pytest.MonkeyPatch) -> None:
    stage.setattr(Sensor, "reading", replace(LIMITED, source=Source.NONE))
    error = wrong("--mode", "test")
    assert error.returncode == 2 and "--yes" in str(error)
    assert "pool reported" in run("--mode", "test", "--yes")


@pytest.mark.parametrize(
    "arguments", [("--share", "1.2"), ("--share", "nan"), ("--share", "0.1"), ("--hold", "-1")]
)
def test_wrong_use(arguments: tuple[str, ...]) -> None:
    error = wrong("--mode", "test", *arguments)
    assert error.returncode == 2 and arguments[0] in str(error)


def test_ctrl_c_ends_the_watching_with_what_was_seen(stage: pytest.MonkeyPatch) -> None:
    def interrupted(seconds: float) -> None:
        raise KeyboardInterrupt

    stage.setattr(monitor_memory.time, "sleep", interrupted)
    assert "At most" in run()
