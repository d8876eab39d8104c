"""Levels have an order, and it is not that of the alphabet."""

from __future__ import annotations

import pytest

from ai_model.memory.level import MemoryLevel


def test_order() -> None:
    words = ["low", "medium", "high", "critical"]
    assert [str(level) for level in MemoryLevel] == words
    in_order = sorted(MemoryLevel(word) for word in words)
    assert in_order == words != sorted(words)
    assert max(MemoryLevel) is MemoryLevel.CRITICAL and min(MemoryLevel) is MemoryLevel.LOW
    assert MemoryLevel.CRITICAL > "high" and MemoryLevel.LOW <= "low" and MemoryLevel.LOW < "medium"
    assert MemoryLevel.MEDIUM >= MemoryLevel.MEDIUM and not MemoryLevel.HIGH < MemoryLevel.HIGH


def test_other_words_are_no_levels() -> None:
    with pytest.raises(ValueError, match="severe"):
        assert MemoryLevel.LOW < "severe"


def test_below() -> None:
    assert [level.below for level in MemoryLevel] == ["low", "low", "medium", "high"]
