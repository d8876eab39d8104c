"""Tokens go out at once when they are slow and together when they are fast."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ai_model.pool.coalescer import FLUSH_S, MAX_TOKENS, Coalescer


def test_the_first_text_goes_at_once() -> None:
    """Tokens without text do not count as first text."""
    coalescer = Coalescer()
    coalescer.add((1,), "")
    assert coalescer.due_in_s(0.0) > 0
    coalescer.add((2,), "H")
    assert coalescer.due_in_s(0.0) == 0
    assert coalescer.take(0.0) == ((1, 2), "H", ())
    assert coalescer.is_empty


def test_later_text_waits_for_time_number_or_sentence() -> None:
    """Whichever comes first."""
    coalescer = Coalescer()
    coalescer.add((1,), "H")
    coalescer.take(10.0)
    coalescer.add((2,), "i")
    assert 0 < coalescer.due_in_s(10.01) <= FLUSH_S
    assert coalescer.due_in_s(10.0 + FLUSH_S) == 0
    coalescer.add((3,), ". ")
    assert coalescer.due_in_s(10.01) == 0
    coalescer.take(10.01)
    coalescer.add(tuple(range(MAX_TOKENS)), "many")
    assert coalescer.due_in_s(10.01) == 0


@given(st.lists(st.tuples(st.text(max_size=3), st.floats(0, 0.1)), max_size=50))
def test_nothing_is_lost(arrivals: list[tuple[str, float]]) -> None:
    """All tokens and all text come out in order."""
    coalescer, now = Coalescer(), 0.0
    tokens: tuple[int, ...] = ()
    text = ""
    for number, (piece, pause) in enumerate(arrivals):
        now += pause
        coalescer.add((number,), piece)
        if coalescer.due_in_s(now) == 0:
            part = coalescer.take(now)
            tokens, text = tokens + part[0], text + part[1]
    part = coalescer.take(now)
    assert tokens + part[0] == tuple(range(len(arrivals)))
    assert text + part[1] == "".join(piece for piece, _ in arrivals)
