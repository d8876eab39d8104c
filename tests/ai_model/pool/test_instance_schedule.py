"""Peak hours as an owner writes them, and what is said about a slip of the pen."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_model.pool.instance_schedule import (
    DAYS,
    EXAMPLE,
    InstanceSchedule,
    PeakHours,
    ScheduleError,
)

MONDAY, FRIDAY, SATURDAY, SUNDAY = 2, 6, 7, 8
"""Days of March 2026."""


def at(day: int, time: str) -> datetime:
    """Return a local time in March 2026."""
    return datetime.fromisoformat(f"2026-03-{day:02d}T{time}")


def test_the_example() -> None:
    """From the first minute on, up to the last but one."""
    schedule = InstanceSchedule.parse(EXAMPLE)
    assert schedule.hot_at(at(MONDAY, "07:59:59")) is None
    assert schedule.hot_at(at(MONDAY, "08:00:00")) == 4
    assert schedule.hot_at(at(FRIDAY, "17:59:59")) == 4
    assert schedule.hot_at(at(FRIDAY, "18:00:00")) is None
    assert schedule.hot_at(at(SATURDAY, "12:00:00")) == 2
    assert schedule.hot_at(at(SUNDAY, "09:00:00")) is None


def test_hours_over_midnight_belong_to_the_day_they_begin_on() -> None:
    """So Saturday night ends on Sunday morning."""
    schedule = InstanceSchedule.parse("Sat 22:00-06:00=3")
    assert schedule.hot_at(at(SATURDAY, "05:00:00")) is None
    assert schedule.hot_at(at(SATURDAY, "23:00:00")) == 3
    assert schedule.hot_at(at(SUNDAY, "05:59:00")) == 3
    assert schedule.hot_at(at(SUNDAY, "06:00:00")) is None
    assert schedule.hot_at(at(SUNDAY, "23:00:00")) is None


def test_the_largest_number_counts() -> None:
    """Where rules overlap, in whatever order they stand."""
    schedule = InstanceSchedule.parse("mon 10:00-11:00=2\nMON-sun 00:00-24:00 = 5;")
    assert schedule.hot_at(at(MONDAY, "10:30:00")) == 5


def test_days_may_go_over_the_weekend() -> None:
    """Fri-Mon are four days."""
    [hours] = InstanceSchedule.parse("Fri-Mon,Wed 01:00-02:00=1").hours
    assert hours.days == {4, 5, 6, 0, 2}


def test_nothing_is_no_rule() -> None:
    """An empty setting switches it off."""
    assert InstanceSchedule.parse(" ;\n ") == InstanceSchedule()
    assert InstanceSchedule().hot_at(at(MONDAY, "10:00:00")) is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("always", "look like"),
        ("Mon 8:00-18:00=4", "look like"),
        ("Mon 08:00-18:00", "look like"),
        ("Mon 08:00-18:00=4, Tue 08:00-18:00=4", "look like"),
        ("Mon 08:00-18:00=-4", "look like"),
        ("Moon 08:00-18:00=4", "'moon'"),
        ("Mon- 08:00-18:00=4", "'mon-'"),
        ("Mon-Tue-Wed 08:00-18:00=4", "Mon, Tue"),
        (",Mon 08:00-18:00=4", "''"),
        ("Mon 08:60-18:00=4", "08:60"),
        ("Mon 08:00-24:01=4", "24:01"),
        ("Mon 25:00-26:00=4", "25:00"),
        ("Mon 08:00-08:00=4", "00:00-24:00"),
        ("Mon 24:00-08:00=4", "empty"),
        ("Mon 08:00-18:00=0", "1 to 128"),
        ("Mon 08:00-18:00=129", "1 to 128"),
        ("Mon 08:00-18:00=4;" * 51, "50 rules"),
        ("Mon 0٨:00-18:00=4", "look like"),
    ],
)
def test_a_slip_of_the_pen_is_one_sentence(text: str, words: str) -> None:
    """That says what was read and how it should look."""
    with pytest.raises(ScheduleError) as slip:
        InstanceSchedule.parse(text)
    assert words in str(slip.value) and str(slip.value).endswith(".")
    assert len(str(slip.value)) < 250


@given(st.text(max_size=40))
def test_any_text_is_a_schedule_or_an_error(text: str) -> None:
    """Never anything else."""
    try:
        assert isinstance(InstanceSchedule.parse(text), InstanceSchedule)
    except ScheduleError as error:
        assert str(error)


@given(
    days=st.sets(st.integers(0, 6), min_size=1),
    start=st.integers(0, 1439),
    end=st.integers(1, 1440),
    moment=st.datetimes(),
)
def test_what_is_written_is_what_is_meant(
    days: set[int], start: int, end: int, moment: datetime
) -> None:
    """Every rule comes back as it was put, and covers what a count of minutes says."""
    if start == end:
        return
    names = ",".join(DAYS[day].title() for day in days)
    text = f"{names} {start // 60:02d}:{start % 60:02d}-{end // 60:02d}:{end % 60:02d}=7"
    [hours] = InstanceSchedule.parse(text).hours
    assert hours == PeakHours(frozenset(days), start, end, 7)
    week_minute = moment.weekday() * 1440 + moment.hour * 60 + moment.minute
    length = (end - start) % 1440 or 1440
    assert hours.covers(moment) is any(
        (week_minute - day * 1440 - start) % (7 * 1440) < length for day in days
    )
