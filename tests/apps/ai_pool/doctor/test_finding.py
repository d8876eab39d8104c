"""A finding that complains says what to do."""

from __future__ import annotations

import pytest

from apps.ai_pool.doctor.finding import Finding, Level, good


def test_no_complaint_without_a_fix() -> None:
    assert good("x", "Fine.").fix == ""
    for level in set(Level) - {Level.GOOD}:
        with pytest.raises(ValueError, match="does not say what to do"):
            Finding("x", level, "Bad.")
