"""Refusals are counted by names that the metrics know."""

from __future__ import annotations

from apps.ai_pool.limits.refusals import LIMITS, MESSAGES, OTHER, Refusals


def test_counts_by_limit() -> None:
    refusals = Refusals()
    refusals.count(MESSAGES)
    refusals.count(MESSAGES)
    refusals.count("made up")
    counts = refusals.counts()
    assert (counts[MESSAGES], counts[OTHER]) == (2, 1) and set(counts) == set(LIMITS)
