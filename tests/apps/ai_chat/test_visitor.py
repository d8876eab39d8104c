"""Recognising a visitor: by what we signed, and by nothing else."""

from __future__ import annotations

import pytest

from apps.ai_chat.visitor import new_visitor_id, sign, unsign, visitor_of_id


def test_signed_id_comes_back() -> None:
    visitor_id = new_visitor_id()
    assert len(visitor_id) == 32 and unsign(sign(visitor_id)) == visitor_id
    assert new_visitor_id() != visitor_id


@pytest.mark.parametrize("value", ["", "a" * 32, "a" * 32 + ":x", sign("short"), "\ud800", "::"])
def test_anything_else_is_nobody(value: str) -> None:
    assert unsign(value) is None


def test_keys_tell_visitors_apart_and_give_nothing_away(settings: object) -> None:
    anna, bert = visitor_of_id("a" * 32), visitor_of_id("b" * 32)
    assert anna.key != bert.key and anna.pool_key != bert.pool_key
    assert "aaaa" not in anna.key and anna.key not in anna.pool_key
    before = anna.key, anna.pool_key
    settings.SECRET_KEY = "another"  # type: ignore[attr-defined]
    again = visitor_of_id("a" * 32)
    assert again.key == before[0], "a new SECRET_KEY takes nobody's conversations away"
    assert again.pool_key != before[1]
