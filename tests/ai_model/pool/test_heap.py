"""Free memory of this process really goes back to the kernel."""

from __future__ import annotations

import ctypes
import sys
import weakref

import psutil
import pytest

from ai_model.pool import heap
from ai_model.pool.heap import trim_heap

MB = 1024 * 1024
PIECE = 64 * 1024
"""Below this size malloc never maps a piece of its own."""


@pytest.mark.skipif(sys.platform != "linux", reason="malloc_trim is glibc's")
def test_freed_pieces_below_a_kept_one_are_handed_back() -> None:
    libc = ctypes.CDLL(None)
    if not hasattr(libc, "malloc_trim"):
        pytest.skip("this libc has no malloc_trim")
    libc.malloc.restype, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
    libc.malloc.argtypes = [ctypes.c_size_t]
    pieces = [libc.malloc(PIECE) for _ in range(1024)]
    for piece in pieces:
        ctypes.memset(piece, 1, PIECE)
    # The last one keeps the top of the heap, so that free() alone hands nothing back.
    kept = pieces.pop()
    for piece in pieces:
        libc.free(piece)
    before = psutil.Process().memory_info().rss
    trim_heap()
    freed = before - psutil.Process().memory_info().rss
    libc.free(kept)
    assert freed > 32 * MB


class _Loop:
    """Refers to itself, so that only a collection frees it."""

    def __init__(self) -> None:
        self.own = self


def test_without_the_function_only_garbage_is_collected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heap, "_malloc_trim", lambda: None)
    gone = weakref.ref(_Loop())
    trim_heap()
    trim_heap(collects_garbage=True)
    assert gone() is None
