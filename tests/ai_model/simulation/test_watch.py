"""A line a second, however often memory is read."""

from __future__ import annotations

import pytest

from ai_model.memory.level import MemoryLevel
from ai_model.memory.reading import MemoryReading
from ai_model.simulation import watch as watch_module
from ai_model.simulation.trace import TraceLine
from ai_model.simulation.watch import Watch


class Sensor:
    """Reads what it is told, on a clock that moves by hand."""

    def __init__(self) -> None:
        self.now = 50.0
        self.reading = reading(0.5)

    def monotonic(self) -> float:
        return self.now

    def read(self) -> MemoryReading:
        return self.reading


def reading(p: float, p_kill: float = 0.1) -> MemoryReading:
    return MemoryReading(
        p=p,
        p_need=p,
        p_host=0.1,
        p_kill=p_kill,
        limit_bytes=1000 << 20,
        unreclaimable_bytes=int(p_kill * (1000 << 20)),
        weights_bytes=200 << 20,
    )


@pytest.fixture
def sensor(monkeypatch: pytest.MonkeyPatch) -> Sensor:
    sensor = Sensor()
    monkeypatch.setattr(watch_module, "time", sensor)
    return sensor


def test_lines_come_once_a_second_and_peaks_always(sensor: Sensor) -> None:
    watch = Watch(sensor, num_processes=lambda: 3, pool_level=lambda: "medium")
    lines = [watch.look()]
    sensor.reading = reading(0.97, 0.95)
    for _ in range(12):
        sensor.now += 0.1
        lines.append(watch.look())
        sensor.reading = reading(0.5)
    told = [line for line in lines if line is not None]
    assert [round(line.at_s, 1) for line in told] == [0.0, 1.0]
    assert watch.interval_s == 0.1
    assert watch.peaks.level is MemoryLevel.CRITICAL
    assert (watch.peaks.p, watch.peaks.p_kill) == (0.97, 0.95)
    assert [level for _, level in watch.peaks.levels] == ["low", "critical"]
    assert (told[0].num_processes, told[0].pool_level) == (3, "medium")


def test_late_line_does_not_bring_another_at_once(sensor: Sensor) -> None:
    watch = Watch(sensor)
    watch.look()
    sensor.now += 7.5
    assert watch.look() is not None
    sensor.now += 0.9
    assert watch.look() is None


def test_line_as_text_and_object() -> None:
    line = TraceLine(
        at_s=12.3,
        level=MemoryLevel.MEDIUM,
        reason="Because.",
        reading=reading(0.8, 0.3),
        num_processes=2,
        pool_level="low",
    )
    text = line.to_text()
    for part in ("12 s", "medium", "80%", "30%", "300 MiB", "200 MiB", "1000 MiB", "pool: low"):
        assert part in text
    assert "waits" not in text and "swap" not in text
    record = line.to_json()
    assert (record["p"], record["p_kill"], record["psi_some_avg10"]) == (0.8, 0.3, None)
    assert record["kind"] == "sample" and record["reason"] == "Because."


def test_unknown_reading_is_a_question_mark() -> None:
    line = TraceLine(
        at_s=0.0,
        level=MemoryLevel.MEDIUM,
        reason="",
        reading=MemoryReading(is_fresh=False, alarm="x"),
        num_processes=0,
    )
    assert "?" in line.to_text() and line.to_json()["p"] is None
