"""The clock against a Date header."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from apps.ai_pool.doctor.clock import check_clock
from apps.ai_pool.doctor.finding import Level
from tests.apps.ai_pool.doctor.findings import is_well, only

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(("off_s", "words"), [(90, "90 s behind"), (-90, "90 s ahead of")])
def test_off(off_s: float, words: str) -> None:
    header = format_datetime(NOW + timedelta(seconds=off_s), usegmt=True)
    finding = only(check_clock(header, NOW), "clock-off", Level.WARNING)
    assert words in finding.sentence and "timedatectl set-ntp true" in finding.fix


def test_right_and_unknown() -> None:
    assert is_well(check_clock(format_datetime(NOW, usegmt=True), NOW))
    assert check_clock("", NOW) == [] and check_clock("yesterday", NOW) == []
