"""Odds travel unchanged, halves of characters included, and wrong ones are refused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_model.engine.events import TokenOdds
from ai_model.pool.errors import BadFrame
from ai_model.pool.event_log import FRAME_OVERHEAD_BYTES, EventLog
from ai_model.pool.frames import MAX_FRAME_BYTES, decode, encode
from ai_model.pool.odds_frame import num_odds_bytes, odds_from_json, odds_to_json

NUMBERS = st.integers(-9_999_000_000, 0).map(lambda value: value / 1e6)
ODDS = st.builds(
    TokenOdds,
    st.binary(max_size=6),
    NUMBERS,
    st.lists(st.tuples(st.binary(max_size=6), NUMBERS), max_size=5).map(tuple),
)


@given(st.lists(ODDS, max_size=8))
def test_round_trip(odds: list[TokenOdds]) -> None:
    """Through a line and back."""
    frame = decode(encode({"type": "event", "odds": odds_to_json(odds)}))
    assert odds_from_json(frame["odds"]) == tuple(odds)


@pytest.mark.parametrize(
    "values", [None, 5, [5], [["a"]], [["a", "x", []]], [["€", -1.0, []]], [["a", -1.0, [["b"]]]]]
)
def test_wrong_ones(values: Any) -> None:
    with pytest.raises(BadFrame):
        odds_from_json(values)


def test_a_frame_of_them_is_far_below_the_limit() -> None:
    """A frame gathers few tokens, whatever is told of each."""
    one = TokenOdds(b"\xff" * 64, -9999.123456, ((b"\xff" * 64, -9999.123456),) * 5)
    line = encode({"type": "event", "odds": odds_to_json([one] * 100)})
    assert len(line) < MAX_FRAME_BYTES / 8


def test_the_bound_on_logs_counts_them() -> None:
    log = EventLog("g")
    odds = odds_to_json([TokenOdds(b"a", -1.0, ((b"b", -2.0),))])
    log.append("gen.delta", {"off": 0, "text": "", "tokens": [], "odds": odds})
    assert log.num_bytes == FRAME_OVERHEAD_BYTES + num_odds_bytes(odds)
    assert num_odds_bytes(odds) >= 200
