"""A neighbour that takes memory until little is left, and gives it back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ai_model.memory.reading import MemoryReading
from ai_model.memory.sensor import MemorySensor
from ai_model.simulation import squeeze
from ai_model.simulation.cage import membership
from ai_model.simulation.hog import Hog
from ai_model.simulation.squeeze import Outcome, Squeeze, joins_group_of
from ai_model.simulation.trace import Peaks, TraceLine
from tests.ai_model.live_group import MIB, live_group


def test_fills_to_the_share_and_not_beyond(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(squeeze, "STEP_S", 0.0)
    lines: list[TraceLine] = []
    with live_group(64 * MIB) as cage, Hog(enter=cage.enter) as inside:
        sensor = MemorySensor(weight_files=tuple, membership=membership(inside.pid))
        outcome = Squeeze(
            sensor,
            share=0.95,
            hold_s=0.0,
            on_line=lines.append,
            pool_level=lambda: "low",
            enter=joins_group_of(membership(inside.pid)),
            recovery_s=0.0,
        ).run()
        after = sensor.read()
    assert 0.94 <= outcome.peaks.p_kill <= 0.99
    assert not outcome.is_killed and outcome.peaks.num_oom_kills == 0
    assert outcome.peaks.levels[-1][1] == "critical"
    assert not outcome.is_recovered, "levels need their time"
    assert outcome.pool_levels == ("low",) and not outcome.is_good
    assert after.p_kill is not None and after.p_kill < 0.5, "all is given back"


class Sensor:
    """One reading after the other, the last one for ever."""

    def __init__(self, *readings: MemoryReading) -> None:
        self._readings = list(readings)

    def read(self) -> MemoryReading:
        return self._readings.pop(0) if len(self._readings) > 1 else self._readings[0]


@pytest.mark.parametrize(("resting", "is_recovered"), [(0.74, True), (0.69, False)])
def test_level_of_rest_is_far_enough_back(
    monkeypatch: pytest.MonkeyPatch, resting: float, is_recovered: bool
) -> None:
    monkeypatch.setattr(squeeze, "STEP_S", 0.0)
    calm = MemoryReading(p=resting, p_need=resting, p_kill=0.1, p_host=0.1, limit_bytes=1 << 30)
    sensor = Sensor(calm, calm, replace(calm, p=0.8, p_kill=0.8))
    levels = iter(["low", "low"])
    outcome = Squeeze(
        sensor,
        share=0.8,
        hold_s=0.0,
        on_line=lambda line: None,
        pool_level=lambda: next(levels, "medium"),
        recovery_s=0.0,
    ).run()
    assert outcome.peaks.level == "medium"
    assert outcome.is_recovered is is_recovered


def test_nothing_to_join(tmp_path: Path) -> None:
    assert joins_group_of(tmp_path / "missing", tmp_path) is None


@pytest.mark.parametrize(
    ("pool_levels", "is_killed", "is_recovered", "is_good"),
    [
        (("low", "medium", "low"), False, True, True),
        ((), False, True, True),
        (("low",), False, True, False),
        (("low", "medium", "low"), True, True, False),
        (("low", "medium"), False, False, False),
    ],
)
def test_what_is_good(
    pool_levels: tuple[str, ...], is_killed: bool, is_recovered: bool, is_good: bool
) -> None:
    peaks = Peaks(levels=[(0.0, "low"), (5.0, "medium"), (60.0, "low")])  # type: ignore[list-item]
    outcome = Outcome(
        peaks=peaks, pool_levels=pool_levels, is_killed=is_killed, is_recovered=is_recovered
    )
    assert outcome.is_good is is_good
