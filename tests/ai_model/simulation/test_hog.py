"""A process that takes memory when told."""

from __future__ import annotations

import psutil

from ai_model.simulation.hog import Hog

MIB = 1 << 20


def test_takes_and_gives_back() -> None:
    with Hog() as hog:
        process = psutil.Process(hog.pid)
        before = process.memory_info().rss
        assert hog.hold(32 * MIB) and hog.num_bytes == 32 * MIB
        assert process.memory_info().rss - before >= 32 * MIB
        assert hog.hold(4 * MIB)
        assert process.memory_info().rss - before < 16 * MIB
    assert not process.is_running()
    hog.close()


def test_says_when_it_was_killed() -> None:
    with Hog() as hog:
        assert hog.hold(MIB)
        psutil.Process(hog.pid).kill()
        assert not hog.hold(2 * MIB)
        assert hog.num_bytes == 0
