"""Answers are remembered by their text, up to a bound."""

from __future__ import annotations

from ai_model.token_memo import TokenMemo


def test_remembers_and_forgets_the_oldest() -> None:
    memo = TokenMemo(max_tokens=6)
    memo.remember("one", (1, 2, 3))
    memo.remember("two", (4, 5, 6))
    assert memo.recall("one") == (1, 2, 3)
    memo.remember("three", (7,))
    assert memo.recall("two") is None
    assert memo.recall("one") == (1, 2, 3)
    assert memo.recall("three") == (7,)


def test_same_text_again_replaces() -> None:
    memo = TokenMemo(max_tokens=4)
    memo.remember("one", (1, 2, 3))
    memo.remember("one", (9, 9))
    memo.remember("two", (5, 6))
    assert memo.recall("one") == (9, 9)


def test_unknown_text_is_unknown() -> None:
    assert TokenMemo().recall("never written") is None
