"""How numbers are written (the page's script does it alike), and where the axis of a plot ends."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum, auto

MISSING = "–"
LARGEST = 1e15
_STEPS = (1.2, 2.0, 4.0, 6.0, 8.0, 12.0)
_WHOLE_STEPS = (1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)
_SECONDS = (12, 20, 40, 60, 80, 120, 240, 480, 960, 1200, 2400, 3600, 7200, 14_400, 28_800)
"""Ends of axes that give round numbers at each of four lines."""


class Unit(Enum):
    """What a number counts."""

    COUNT = auto()
    SECONDS = auto()
    RATE = auto()
    """Tokens per second."""
    SHARE = auto()
    """0 to 1, written in percent."""
    BYTES = auto()


@dataclass(frozen=True, slots=True)
class Axis:
    """From 0 to ``top``, with the texts of its lines from the top down."""

    top: float
    labels: tuple[str, ...]


def written(value: float | None, unit: Unit) -> str:
    """Return a number for people, in few characters."""
    known = clean(value)
    if known is None:
        return MISSING
    match unit:
        case Unit.SECONDS:
            return _seconds(known)
        case Unit.SHARE:
            return f"{100 * known:.1f} %" if 0.95 < known < 1 else f"{100 * known:.0f} %"
        case Unit.BYTES:
            return _bytes(known)
        case Unit.RATE:
            return f"{_short(known)} tok/s"
    return f"{known:,.0f}" if known == int(known) or known >= 100 else f"{known:.1f}"


def axis(highest: float, unit: Unit, num_lines: int = 4) -> Axis:
    """Return an axis with room for ``highest``, cut into ``num_lines`` equal parts."""
    high = clean(highest) or 0.0
    if unit is Unit.SHARE:
        top = 1.0
    elif unit is Unit.COUNT:
        # There is no half visitor.
        top = num_lines * _round_up(max(1.0, math.ceil(high / num_lines)), _WHOLE_STEPS)
    elif unit is Unit.SECONDS and 8 < high <= _SECONDS[-1]:
        top = float(next(seconds for seconds in _SECONDS if seconds >= high))
    else:
        top = _round_up(high, _STEPS) if high > 1e-3 else 1.2
    labels = (_label(top * part / num_lines, unit) for part in range(num_lines, -1, -1))
    return Axis(top, tuple(labels))


def _label(value: float, unit: Unit) -> str:
    # The title of the plot says what it counts.
    if not value:
        return "0"
    return _short(value) if unit is Unit.RATE else written(value, unit)


def clean(value: float | None) -> float | None:
    """Return a number that can be drawn: not negative, not endless; None for what is no number."""
    if value is None or value != value:
        return None
    return value if 0 < value <= LARGEST else min(LARGEST, max(0.0, value))


def _round_up(value: float, steps: tuple[float, ...]) -> float:
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in steps if step * power >= value)


def _seconds(seconds: float) -> str:
    if seconds < 120:
        return f"{_short(seconds)} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    if seconds < 172_800:
        return f"{seconds / 3600:.1f} h"
    return f"{seconds / 86_400:.1f} days"


def _bytes(size: float) -> str:
    return f"{_short(size / 1e6)} MB" if size < 1e9 else f"{_short(size / 1e9)} GB"


def _short(value: float) -> str:
    return f"{value:.1f}" if value < 10 else f"{value:,.0f}"
