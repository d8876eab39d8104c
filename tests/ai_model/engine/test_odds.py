"""How likely tokens were, compared with the same sums in plain Python."""

from __future__ import annotations

import ctypes
import json
import math
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_model.engine import Delta
from ai_model.engine.llama_library import lib
from ai_model.engine.odds import LEAST, Odds
from tests.ai_model.engine.conftest import MakeEngine, ask, make_request

LOGITS = st.lists(st.floats(-60, 60, width=32), min_size=2, max_size=40)


@pytest.fixture
def rows(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[ctypes.Array[ctypes.c_float]]]:
    """Rows of logits that stand for a context's."""
    held: list[ctypes.Array[ctypes.c_float]] = []

    def logits(ctx: None, row: int) -> object:
        return ctypes.cast(held[row], ctypes.POINTER(ctypes.c_float))

    monkeypatch.setattr(lib, "llama_get_logits_ith", logits)
    yield held


def read(
    rows: list[ctypes.Array[ctypes.c_float]], values: list[float], token: int, num_top: int
) -> tuple[float, tuple[tuple[int, float], ...]]:
    rows[:] = [(ctypes.c_float * len(values))(*values)]
    odds = Odds(len(values))
    try:
        # The second time its memory is not new any more.
        odds.read(None, 0, len(values) - 1, 1)
        found = odds.read(None, 0, token, num_top)
    finally:
        odds.close()
    assert list(rows[0]) == pytest.approx(values, nan_ok=True), "the logits stay as they are"
    return found


@given(data=st.data(), values=LOGITS, num_top=st.integers(0, 5))
def test_as_plain_python_has_it(data: st.DataObject, values: list[float], num_top: int) -> None:
    token = data.draw(st.integers(0, len(values) - 1))
    highest = max(values)
    log_of_sum = highest + math.log(sum(math.exp(value - highest) for value in values))
    with pytest.MonkeyPatch.context() as patch:
        held: list[ctypes.Array[ctypes.c_float]] = []
        patch.setattr(
            lib,
            "llama_get_logits_ith",
            lambda ctx, row: ctypes.cast(held[row], ctypes.POINTER(ctypes.c_float)),
        )
        chosen, top = read(held, values, token, num_top)
    assert chosen == pytest.approx(min(0.0, values[token] - log_of_sum), abs=1e-4)
    expected = sorted(values, reverse=True)[:num_top]
    assert [values[index] for index, _ in top] == expected
    assert len({index for index, _ in top}) == len(top)
    for index, logprob in top:
        assert logprob == pytest.approx(min(0.0, values[index] - log_of_sum), abs=1e-4)


@pytest.mark.parametrize("strange", [math.nan, -math.inf])
def test_numbers_that_are_none_can_be_carried(
    rows: list[ctypes.Array[ctypes.c_float]], strange: float
) -> None:
    chosen, top = read(rows, [1.0, strange, 2.0], 1, 3)
    assert chosen == LEAST
    json.dumps([chosen, top], allow_nan=False)


def test_an_answer_tells_how_likely_its_tokens_were(make_engine: MakeEngine) -> None:
    engine = make_engine()
    asked = make_request(engine, "a", "hello there", max_tokens=12, num_top_odds=3)
    answer = ask(engine, asked)
    plain = ask(engine, make_request(engine, "b", "hello there", max_tokens=12))
    deltas = [event for event in answer.events if isinstance(event, Delta)]
    assert answer.tokens == plain.tokens
    assert not any(event.odds for event in plain.events if isinstance(event, Delta))
    told = [one for delta in deltas for one in delta.odds]
    assert len(told) == len(answer.tokens) == 12
    assert b"".join(one.piece for one in told).decode().strip() == answer.text.strip()
    for one in told:
        # The likeliest is taken at temperature 0.
        assert (one.piece, one.logprob) == one.top[0] and len(one.top) == 3
        assert 0 >= one.top[0][1] >= one.top[1][1] >= one.top[2][1]


def test_filters_and_temperature_change_nothing_about_it(make_engine: MakeEngine) -> None:
    """They are the model's own odds: with top_k 1 the likeliest is certain to be taken, and is not
    told as certain."""
    engine = make_engine()
    asked = make_request(
        engine, "a", "hello there", max_tokens=4, num_top_odds=1, top_k=1, temperature=2.0
    )
    deltas = [event for event in ask(engine, asked).events if isinstance(event, Delta)]
    assert all(one.logprob < -0.01 for delta in deltas for one in delta.odds)
