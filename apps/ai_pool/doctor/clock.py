"""This machine's clock against that of whoever answers at the public address."""

from __future__ import annotations

from datetime import datetime
from email.utils import parsedate_to_datetime

from apps.ai_pool.doctor.finding import Finding, Level, good

MAX_OFF_S = 5.0
"""A Date header has whole seconds, and came over a network."""


def check_clock(date_header: str, now: datetime) -> list[Finding]:
    """``date_header``: Date of an answer; ``now``: this machine's time (UTC)."""
    try:
        off_s = (now - parsedate_to_datetime(date_header)).total_seconds()
    except (TypeError, ValueError):
        return []
    if abs(off_s) > MAX_OFF_S:
        side = "ahead of" if off_s > 0 else "behind"
        return [
            Finding(
                "clock-off",
                Level.WARNING,
                f"This machine's clock is {abs(off_s):,.0f} s {side} the public address's; tokens "
                "of the widget end too early or too late.",
                "Switch time synchronisation on (`timedatectl set-ntp true`) here and there.",
            )
        ]
    return [good("clock", f"The clock agrees within {abs(off_s):.0f} s.")]
