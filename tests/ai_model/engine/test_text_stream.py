"""Text leaves in whole characters and without anything of a stop text."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ai_model.engine.text_stream import TextStream

FAMILY = "\U0001f468‍\U0001f469‍\U0001f467 flag \U0001f1e9\U0001f1ea café"


def _feed(stream: TextStream, data: bytes, size: int) -> list[str]:
    return [stream.feed(data[at : at + size]) for at in range(0, len(data), size)]


@given(text=st.text(), size=st.integers(1, 7))
def test_pieces_join_to_the_text(text: str, size: int) -> None:
    stream = TextStream(("STOP",))
    whole = text.encode("utf-8", "ignore").decode().replace("\x00", "")
    expected = whole.lstrip().split("STOP")[0]
    parts = _feed(stream, text.encode("utf-8", "ignore"), size)
    assert "".join(parts) + stream.finish() == expected


@given(text=st.text(alphabet="ab<|user>", max_size=60), size=st.integers(1, 5))
def test_nothing_of_a_stop_text_is_ever_shown(text: str, size: int) -> None:
    stream = TextStream(("<|user|>", "<|u>"))
    shown = ""
    for part in _feed(stream, text.encode(), size):
        shown += part
        assert text.startswith(shown)
        assert "<|user|>" not in shown and "<|u>" not in shown
    positions = [at for at in (text.find("<|user|>"), text.find("<|u>")) if at >= 0]
    assert shown + stream.finish() == (text[: min(positions)] if positions else text)
    assert stream.is_stopped == bool(positions)


def test_characters_are_whole() -> None:
    stream = TextStream()
    for part in _feed(stream, FAMILY.encode(), 1):
        assert "�" not in part
    assert stream.finish() == ""


def test_a_zero_byte_is_no_text() -> None:
    """Models may write one; a database may refuse it."""
    stream = TextStream(("STOP",))
    assert stream.feed(b"\x00 a\x00b") + stream.feed(b"\x00S\x00TOP") == "ab"


def test_half_a_character_at_the_end_is_dropped() -> None:
    stream = TextStream()
    assert stream.feed("ab€".encode()[:-1]) + stream.finish() == "ab"


def test_white_space_before_the_first_word_is_dropped() -> None:
    stream = TextStream()
    assert stream.feed(b" ") + stream.feed(b"\n Hello") == "Hello"


@given(text=st.text(alphabet="ab<|user>", max_size=60), cut=st.integers(0, 60))
def test_going_on_behind_what_was_shown(text: str, cut: int) -> None:
    """Together it reads as in one go, and a stop text across the seam ends it there."""
    cut = min(cut, len(text))
    shown, rest = text[:cut], text[cut:]
    stop = "<|user|>"
    stream = TextStream((stop,))
    assert stream.go_on_behind(shown.encode(), shown) == shown
    added = "".join(_feed(stream, rest.encode(), 2)) + stream.finish()
    at = text.find(stop, max(0, cut - len(stop) + 1))
    expected = text[cut : max(cut, at)] if at >= 0 else rest
    assert added == expected
    assert stream.is_stopped == (at >= 0)


def test_tokens_say_more_than_was_shown() -> None:
    """What was held back or cut within a character comes now, once."""
    stream = TextStream(("<|user|>",))
    assert stream.go_on_behind(b" ab<|us" + "€".encode()[:1], "ab") == "ab"
    assert stream.feed("€".encode()[1:]) == "<|us€"


def test_text_that_was_written_differently_for_the_model() -> None:
    """Stands as it is; nothing of it is repeated."""
    stream = TextStream()
    assert stream.go_on_behind(b"a [user] b", "a <|user|> b") == "a [user] b"
    assert stream.feed(b" c") == " c"
