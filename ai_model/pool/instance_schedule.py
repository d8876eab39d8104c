"""Peak hours: at which local times how many instances are to be there whatever the demand."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from ai_model.engine.config import MAX_INSTANCES

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MINUTES_PER_DAY = 24 * 60
MAX_HOURS = 50
EXAMPLE = "Mon-Fri 08:00-18:00=4; Sat,Sun 10:00-14:00=2"

_RULE = re.compile(r"([a-z,-]+) (\d\d):(\d\d) ?- ?(\d\d):(\d\d) ?= ?(\d{1,3})", re.ASCII)


class ScheduleError(ValueError):
    """A text that is no schedule. The message is one sentence for the operator."""


@dataclass(frozen=True, slots=True)
class PeakHours:
    """One rule: on ``days`` (0 = Monday) from ``start`` to ``end``, minutes since midnight.

    Hours that end before they start go on into the next day.
    """

    days: frozenset[int]
    start: int
    end: int
    num_instances: int

    def covers(self, moment: datetime) -> bool:
        """Return whether the local time ``moment`` lies within these hours."""
        minute = moment.hour * 60 + moment.minute
        today = moment.weekday()
        if self.start < self.end:
            return today in self.days and self.start <= minute < self.end
        yesterday = (today - 1) % 7
        return (today in self.days and minute >= self.start) or (
            yesterday in self.days and minute < self.end
        )


@dataclass(frozen=True, slots=True)
class InstanceSchedule:
    """Any number of peak hours; where they overlap, the largest number counts."""

    hours: tuple[PeakHours, ...] = ()

    def hot_at(self, moment: datetime) -> int | None:
        """Return how many instances are to be there at the local time ``moment``; None: no rule."""
        return max(
            (hours.num_instances for hours in self.hours if hours.covers(moment)), default=None
        )

    @classmethod
    def parse(cls, text: str) -> InstanceSchedule:
        """Return the schedule written as in EXAMPLE; an empty text is an empty schedule.

        Rules are separated by semicolons or new lines. Raises ScheduleError.
        """
        rules = [" ".join(rule.split()) for rule in re.split(r"[;\n]", text)]
        rules = [rule for rule in rules if rule]
        if len(rules) > MAX_HOURS:
            raise ScheduleError(f"Peak hours take at most {MAX_HOURS} rules, not {len(rules)}.")
        return cls(tuple(_parse_rule(rule) for rule in rules))


def _parse_rule(rule: str) -> PeakHours:
    found = _RULE.fullmatch(rule.lower())
    if found is None:
        raise ScheduleError(f"Peak hours look like {EXAMPLE!r}, not like {rule[:60]!r}.")
    days, *numbers = found.groups()
    start_h, start_min, end_h, end_min, num_instances = map(int, numbers)
    start, end = _minute(start_h, start_min, rule), _minute(end_h, end_min, rule)
    if start in (end, MINUTES_PER_DAY):
        raise ScheduleError(f"The peak hours {rule[:60]!r} are empty; a whole day is 00:00-24:00.")
    if not 1 <= num_instances <= MAX_INSTANCES:
        raise ScheduleError(
            f"The peak hours {rule[:60]!r} need 1 to {MAX_INSTANCES} instances, not "
            f"{num_instances}."
        )
    return PeakHours(_parse_days(days, rule), start, end, num_instances)


def _minute(hour: int, minute: int, rule: str) -> int:
    total = hour * 60 + minute
    if minute > 59 or total > MINUTES_PER_DAY:
        raise ScheduleError(
            f"There is no time {hour:02d}:{minute:02d}, as the peak hours {rule[:60]!r} say."
        )
    return total


def _parse_days(text: str, rule: str) -> frozenset[int]:
    days: set[int] = set()
    for part in text.split(","):
        first, dash, last = part.partition("-")
        if first not in DAYS or (last not in DAYS if dash else last):
            raise ScheduleError(
                f"The peak hours {rule[:60]!r} name the days as {part!r}; days are "
                "Mon, Tue, Wed, Thu, Fri, Sat, Sun, or from-to like Mon-Fri."
            )
        start = DAYS.index(first)
        length = (DAYS.index(last) - start) % 7 if dash else 0
        days |= {(start + step) % 7 for step in range(length + 1)}
    return frozenset(days)
