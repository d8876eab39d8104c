"""When the levels begin and end: thresholds, hysteresis, rest, and the operator's hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ai_model.memory.ladder import Ladder
from ai_model.memory.level import MemoryLevel
from ai_model.memory.reading import MemoryReading, Source
from ai_model.memory.rung import RUNGS

LOW, MEDIUM, HIGH, CRITICAL = MemoryLevel
GIB = 1 << 30


def reading(p: float = 0.3, p_kill: float = 0.1, **more: Any) -> MemoryReading:
    shares = {"p": p, "p_need": p, "p_host": 0.05, "p_kill": p_kill}
    sizes = {"limit_bytes": GIB, "weights_bytes": GIB, "source": Source.V2}
    return MemoryReading(**{**shares, **sizes, **more})


class Walk:
    """A ladder that is fed a reading every second; ``seen`` are the levels as they came."""

    def __init__(self) -> None:
        self.ladder = Ladder()
        self.now = 1000.0
        self.seen = [LOW]

    def feed(self, sample: MemoryReading, num: int = 1, every_s: float = 1.0) -> MemoryLevel:
        for _ in range(num):
            self.now += every_s
            before = self.ladder.level
            level = self.ladder.update(sample, now=self.now)
            if level is not before:
                self.seen.append(level)
        return self.ladder.level


@pytest.fixture
def walk() -> Walk:
    return Walk()


def test_starts_low_and_says_so(walk: Walk) -> None:
    assert walk.feed(reading(0.62)) is LOW
    assert "62%" in walk.ladder.reason and "1.00 GiB" in walk.ladder.reason


def test_says_what_could_not_be_read(walk: Walk) -> None:
    walk.feed(reading(0.62, alarm="The group cannot be read."))
    assert walk.ladder.reason.endswith("The group cannot be read.")


@pytest.mark.parametrize(
    ("p", "level"), [(0.749, LOW), (0.75, MEDIUM), (0.899, MEDIUM), (0.90, HIGH), (1.8, HIGH)]
)
def test_two_readings_in_a_row_raise_it(walk: Walk, p: float, level: MemoryLevel) -> None:
    assert walk.feed(reading(p)) is LOW
    assert walk.feed(reading(0.1)) is LOW
    assert walk.feed(reading(p)) is LOW
    assert walk.feed(reading(p)) is level


def test_critical_comes_at_the_first_reading_and_only_from_what_kills(walk: Walk) -> None:
    assert walk.feed(reading(5.0, p_kill=0.89), 10) is HIGH
    assert walk.feed(reading(0.95, p_kill=0.90)) is CRITICAL
    assert "cannot be dropped" in walk.ladder.reason
    assert walk.ladder.since == walk.now


def test_up_it_jumps(walk: Walk) -> None:
    walk.feed(reading(0.95, p_kill=0.95))
    assert walk.seen == [LOW, CRITICAL]


@pytest.mark.parametrize(
    ("stall", "level"),
    [
        ({"psi_some_avg10": 9.9, "psi_full_avg10": 4.9}, LOW),
        ({"psi_some_avg10": 10.0}, MEDIUM),
        ({"psi_some_avg10": 20.0}, HIGH),
        ({"psi_full_avg10": 5.0}, HIGH),
        ({"psi_full_avg10": 20.0}, CRITICAL),
    ],
)
def test_work_that_waits(walk: Walk, stall: dict[str, float], level: MemoryLevel) -> None:
    assert walk.feed(reading(**stall)) is level


@pytest.mark.parametrize(
    ("sign", "p", "p_kill", "level"),
    [
        ({"num_high_events": 1}, 0.86, 0.1, HIGH),
        ({"num_high_events": 1}, 0.84, 0.1, MEDIUM),
        ({"num_max_events": 1}, 0.86, 0.75, CRITICAL),
        ({"num_max_events": 1}, 0.84, 0.3, MEDIUM),
        ({"num_oom_kills": 1}, 0.3, 0.3, CRITICAL),
        ({"swap_used_share": 0.90}, 0.84, 0.75, CRITICAL),
        ({"swap_used_share": 0.89}, 0.84, 0.75, MEDIUM),
        ({"swap_used_share": 0.95}, 0.84, 0.3, MEDIUM),
    ],
)
def test_signs_count_when_memory_is_nearly_that_full(
    walk: Walk, sign: dict[str, float], p: float, p_kill: float, level: MemoryLevel
) -> None:
    plain = reading(p, p_kill)
    before = walk.feed(plain, 3)
    assert walk.feed(replace(plain, **sign)) is max(level, before)
    if level is not MEDIUM:
        assert walk.ladder.level is level


def test_counters_from_before_the_start_are_no_sign(walk: Walk) -> None:
    assert walk.feed(reading(num_oom_kills=7, num_max_events=9), 3) is LOW


def test_counters_of_another_group_are_no_sign(walk: Walk) -> None:
    walk.feed(reading(num_oom_kills=1))
    assert walk.feed(reading(num_oom_kills=7, limit_bytes=2 * GIB)) is LOW
    assert walk.feed(reading(num_oom_kills=8, limit_bytes=2 * GIB)) is CRITICAL


def test_thrash_is_high_after_five_seconds(walk: Walk) -> None:
    thrash = reading(0.86, refault_bytes_s=0.06 * GIB)
    assert walk.feed(thrash, 5) is MEDIUM
    assert walk.feed(reading(0.86, refault_bytes_s=0.04 * GIB)) is MEDIUM
    assert walk.feed(thrash, 5) is MEDIUM
    assert walk.feed(thrash) is HIGH
    assert "disk" in walk.ladder.reason


def test_refaults_of_other_files_are_no_thrash(walk: Walk) -> None:
    assert walk.feed(reading(0.86, refault_bytes_s=1e9, weights_bytes=0), 10) is MEDIUM
    assert Walk().feed(reading(0.6, refault_bytes_s=1e9), 10) is LOW


def test_falls_one_step_at_a_time(walk: Walk) -> None:
    walk.feed(reading(0.95, p_kill=0.95))
    calm = reading(0.3)
    assert walk.feed(calm, 10) is CRITICAL
    assert walk.feed(calm) is HIGH
    assert walk.feed(calm, 29) is HIGH
    assert walk.feed(calm) is MEDIUM
    assert walk.feed(calm, 29) is MEDIUM
    assert walk.feed(calm) is LOW
    assert walk.seen == [LOW, CRITICAL, HIGH, MEDIUM, LOW]


@pytest.mark.parametrize(
    ("up", "still", "level"),
    [
        (reading(0.8), reading(0.70), MEDIUM),
        (reading(0.92), reading(0.85), HIGH),
        (reading(0.8, 0.95), reading(0.8, 0.90), CRITICAL),
        (reading(0.8), reading(0.1, psi_some_avg10=10.0), MEDIUM),
        (reading(0.92), reading(0.1, psi_full_avg10=5.0), HIGH),
    ],
)
def test_stays_while_anything_of_it_is_left(
    walk: Walk, up: MemoryReading, still: MemoryReading, level: MemoryLevel
) -> None:
    walk.feed(up, 2)
    assert walk.feed(still, 200) is level


def test_one_reading_above_starts_the_calm_anew(walk: Walk) -> None:
    walk.feed(reading(0.92), 2)
    walk.feed(reading(0.84), 30)
    walk.feed(reading(0.85))
    assert walk.feed(reading(0.84), 30) is HIGH
    assert walk.feed(reading(0.84)) is MEDIUM


@pytest.mark.parametrize("period", [1, 2, 3, 7])
def test_sawtooth_around_high_gives_one_transition_per_30_s(walk: Walk, period: int) -> None:
    for number in range(600 // period):
        walk.feed(reading(0.91 if number % 2 else 0.89), period)
    assert walk.seen in ([LOW, MEDIUM], [LOW, MEDIUM, HIGH])


@settings(deadline=None)
@given(st.lists(st.sampled_from([0.5, 0.69, 0.74, 0.76, 0.84, 0.89, 0.91, 1.2]), max_size=300))
def test_never_flaps_whatever_comes(shares: list[float]) -> None:
    walk, fell_at = Walk(), float("-inf")
    for share in shares:
        before = walk.ladder.level
        after = walk.feed(reading(share))
        if after < before:
            assert after is before.below
            assert walk.now - fell_at >= 30.0
            fell_at = walk.now


@settings(deadline=None)
@given(st.lists(st.floats(0, 2), min_size=1, max_size=60))
def test_fuller_memory_never_gives_a_lower_level(shares: list[float]) -> None:
    emptier, fuller = Walk(), Walk()
    for share in shares:
        emptier.feed(reading(share, share * 0.8))
        fuller.feed(reading(share + 0.1, share * 0.8 + 0.1))
        assert fuller.ladder.level >= emptier.ladder.level


def test_falls_back_at_most_to_rest(walk: Walk) -> None:
    walk.ladder.learn_rest(reading(0.80))
    assert (walk.ladder.resting, walk.ladder.resting_pressure) == (MEDIUM, 0.80)
    walk.feed(reading(0.95), 2)
    assert walk.feed(reading(0.30), 500) is MEDIUM


def test_rest_is_medium_at_most(walk: Walk) -> None:
    walk.ladder.learn_rest(reading(0.97))
    assert walk.ladder.resting is MEDIUM
    walk.ladder.learn_rest(MemoryReading())
    assert walk.ladder.resting is MEDIUM, "unknown teaches nothing"
    walk.ladder.learn_rest(reading(0.69))
    assert (walk.ladder.resting, walk.ladder.resting_pressure) == (LOW, 0.69)


def test_rest_between_leave_and_enter_is_medium_for_it_would_not_end(walk: Walk) -> None:
    walk.ladder.learn_rest(reading(0.74))
    assert walk.feed(reading(0.74), 5) is LOW
    walk.feed(reading(0.95), 2)
    assert walk.feed(reading(0.74), 31) is walk.ladder.resting is MEDIUM


def test_repeated_reading_changes_nothing(walk: Walk) -> None:
    walk.feed(reading(0.95))
    assert walk.feed(reading(0.95, is_fresh=False), 10) is LOW
    assert walk.feed(reading(0.95)) is HIGH


def test_unknown_is_medium_at_least(walk: Walk) -> None:
    unknown = MemoryReading(is_fresh=False, alarm="Nothing can be read.")
    assert walk.feed(unknown) is MEDIUM
    assert "Nothing can be read." in walk.ladder.reason
    walk.feed(reading(0.95, 0.95))
    assert walk.feed(unknown, 500) is CRITICAL
    assert walk.feed(reading(0.3), 200) is LOW


def test_operator_decides_and_the_measured_level_goes_on(walk: Walk) -> None:
    walk.ladder.forced = CRITICAL
    assert walk.ladder.level is CRITICAL
    assert walk.feed(reading(0.3)) is CRITICAL
    assert "operator" in walk.ladder.reason and walk.ladder.since == walk.now
    assert walk.ladder.measured is LOW and walk.ladder.sample_interval_s == 1.0
    walk.ladder.forced = LOW
    assert walk.feed(reading(0.95), 2) is LOW
    walk.ladder.forced = None
    assert walk.feed(reading(0.95)) is HIGH
    assert "operator" not in walk.ladder.reason


def test_reads_more_often_from_high_on(walk: Walk) -> None:
    assert walk.ladder.sample_interval_s == 1.0
    walk.feed(reading(0.8), 2)
    assert walk.ladder.sample_interval_s == 1.0
    walk.feed(reading(0.95), 2)
    assert walk.ladder.sample_interval_s == 0.1


def test_time_and_not_the_number_of_readings_brings_it_down(walk: Walk) -> None:
    walk.feed(reading(0.95), 2)
    assert walk.feed(reading(0.3), 299, every_s=0.1) is HIGH
    assert walk.feed(reading(0.3), 3, every_s=0.1) is MEDIUM


def test_thresholds_leave_room_between_enter_and_leave() -> None:
    assert [rung.level for rung in RUNGS] == [MEDIUM, HIGH, CRITICAL]
    for rung in RUNGS:
        assert rung.leave <= rung.enter and rung.leave_after_s >= 10.0
