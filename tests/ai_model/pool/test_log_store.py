"""Logs are kept while they may be needed, and never more than the bounds allow."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_model.pool.log_store import LogStore


def end(store: LogStore, key: str, now: float = 0.0, size: int = 0) -> None:
    """Open and end a log with ``size`` characters."""
    log = store.open(key)
    log.append("gen.delta", {"text": "x" * size})
    log.append("gen.done", {}, is_terminal=True)
    store.end(key, now)


def test_ended_logs_are_forgotten_after_their_time() -> None:
    """And running ones never are."""
    store = LogStore(ttl_s=100)
    store.open("running")
    end(store, "old", now=0)
    end(store, "new", now=50)
    store.sweep(100)
    assert store.find("old") is None
    assert store.find("new") is not None
    assert "running" in store
    with pytest.raises(KeyError):
        store.open("new")


def test_acknowledged_logs_go_first() -> None:
    """An answer that nobody has stored yet outlives newer ones that are stored."""
    store = LogStore(max_logs=3)
    for key in "abc":
        end(store, key)
    store.acknowledge("b")
    store.acknowledge("unknown")
    end(store, "d")
    assert [key for key in "abcd" if key in store] == ["a", "c", "d"]
    end(store, "e")
    assert [key for key in "abcde" if key in store] == ["c", "d", "e"]


@given(st.lists(st.tuples(st.integers(0, 4000), st.booleans()), max_size=60))
def test_the_bounds_hold(sizes: list[tuple[int, bool]]) -> None:
    """In bytes and in number, and the book-keeping of bytes stays right."""
    store = LogStore(max_bytes=20_000, max_logs=10)
    store.open("running")
    for number, (size, is_acknowledged) in enumerate(sizes):
        end(store, str(number), now=number, size=size)
        if is_acknowledged:
            store.acknowledge(str(number))
        kept = [log for key in map(str, range(number + 1)) if (log := store.find(key))]
        assert store.num_ended_bytes == sum(log.num_bytes for log in kept) <= 20_000
        assert len(store) == len(kept) + 1 <= 10
        assert "running" in store
