"""Memory and swap against the model."""

from __future__ import annotations

from apps.ai_pool.doctor.finding import Level
from apps.ai_pool.doctor.memory import Memory, check_memory
from tests.apps.ai_pool.doctor.findings import bad, is_well, only

GB = 1_000_000_000


def memory(**values: int) -> Memory:
    usual = {"limit": 4 * GB, "swap_total": GB, "swap_used": 0, "model": GB, "conversations": 0}
    return Memory(**usual | values)


def test_enough() -> None:
    assert is_well(check_memory(memory()))
    assert is_well(check_memory(memory(swap_total=0)))


def test_model_does_not_fit() -> None:
    finding = only(check_memory(memory(limit=GB)), "memory-too-small", Level.ERROR)
    assert "the model 1,000 MB" in finding.sentence and "there are 1,000 MB" in finding.sentence
    assert "Lower CORRAL_MAX_INSTANCES" in finding.fix and "smaller quantisation" in finding.fix


def test_conversations_count() -> None:
    only(check_memory(memory(conversations=3 * GB)), "memory-too-small", Level.ERROR)


def test_tight_without_swap() -> None:
    found = bad(check_memory(memory(limit=1_500_000_000, swap_total=0)))
    assert set(found) == {"memory-tight", "swap-missing"}
    assert "CORRAL_N_CTX" in found["memory-tight"].fix
    assert "mkswap /swapfile" in found["swap-missing"].fix


def test_swap_in_use() -> None:
    finding = only(check_memory(memory(swap_used=GB * 6 // 10)), "swap-in-use", Level.WARNING)
    assert "600 MB of 1,000 MB" in finding.sentence
    assert "ps aux --sort=-rss" in finding.fix
