"""Reading a pool's log again from its start, behind what was mirrored before."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from apps.ai_chat.exchange import Replay


def replayed(replay: Replay, pieces: list[str], offset: int = 0) -> list[tuple[str, int]]:
    seen = []
    for piece in pieces:
        tokens = [ord(char) for char in piece]
        replay.add({"off": offset, "text": piece, "tokens": tokens})
        offset += len(piece)
        seen.append((replay.text, len(replay.tokens)))
    return seen


@given(st.text(max_size=20), st.lists(st.text(max_size=5), max_size=6))
def test_text_never_shrinks_and_ends_whole(mirrored: str, pieces: list[str]) -> None:
    """A log that repeats everything, in whatever pieces."""
    whole = mirrored + "".join(pieces)
    replay = Replay(mirrored, tuple(map(ord, mirrored)))
    cuts = [whole[index : index + 3] for index in range(0, len(whole), 3)]
    texts = [text for text, _ in replayed(replay, cuts)]
    assert [len(text) for text in texts] == sorted(len(text) for text in texts)
    assert all(text.startswith(mirrored) for text in texts)
    assert replay.text == whole and replay.tokens == tuple(map(ord, whole))


@given(st.text(min_size=1, max_size=20), st.lists(st.text(min_size=1, max_size=5), max_size=6))
def test_log_that_starts_behind_what_was_produced(mirrored: str, pieces: list[str]) -> None:
    replay = Replay(mirrored, tuple(map(ord, mirrored)))
    replayed(replay, pieces, offset=len(mirrored))
    whole = mirrored + "".join(pieces)
    assert replay.text == whole and replay.tokens == tuple(map(ord, whole))


def test_held_back_tokens_are_mirrored() -> None:
    replay = Replay("", ())
    replay.add({"off": 0, "text": "", "tokens": [240, 159]})
    assert (replay.text, replay.tokens) == ("", (240, 159))


def test_caught_up_means_every_token_is_known() -> None:
    replay = Replay("stored", ())
    replay.add({"off": 0, "text": "sto", "tokens": [1]})
    assert not replay.has_caught_up
    replay.add({"off": 3, "text": "red", "tokens": [2]})
    assert replay.has_caught_up
