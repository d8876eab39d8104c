"""System prompts are kept within bounds, oldest use out first."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ai_model.engine.prefix_cache import PrefixCache


class Cells:
    """Which sequence holds how much."""

    def __init__(self) -> None:
        self.held: dict[int, int] = {}

    def copy(self, source: int, target: int, end: int) -> None:
        assert target not in self.held
        self.held[target] = end

    def remove(self, sequence: int, start: int = 0) -> None:
        self.held.pop(sequence)


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(1, 60)), max_size=40))
def test_never_more_than_allowed(uses: list[tuple[int, int]]) -> None:
    cells = Cells()
    cache = PrefixCache(range(10, 13), max_tokens=100)
    for name, length in uses:
        prefix = (name,) * length
        cache.keep(prefix, 0, cells)
        sequence = cache.find(prefix)
        assert sequence is not None
        assert cells.held[sequence] == length
        assert len(cells.held) <= 3
        assert sum(cells.held.values()) == cache.num_tokens <= 100


def test_least_recently_used_goes_first() -> None:
    cells = Cells()
    cache = PrefixCache(range(2), max_tokens=100)
    cache.keep((1, 1), 9, cells)
    cache.keep((2, 2), 9, cells)
    cache.find((1, 1))
    cache.keep((3, 3), 9, cells)
    assert cache.find((2, 2)) is None
    assert cache.find((1, 1)) is not None


def test_too_long_a_prompt_is_not_kept() -> None:
    cells = Cells()
    cache = PrefixCache(range(2), max_tokens=3)
    cache.keep((1, 2, 3, 4), 9, cells)
    assert not cells.held
