"""Tokens go with the text they begin in, in OpenAI's two shapes."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from openai.types.chat.chat_completion import ChoiceLogprobs
from openai.types.completion_choice import Logprobs

from ai_model.engine.events import TokenOdds
from ai_model.engine.text_stream import TextStream
from ai_model.pool.odds_frame import odds_to_json
from apps.api.openai.logprobs import TextToken, TextTokens, chat_logprobs, text_logprobs


def as_frames(*pieces: bytes) -> list[Any]:
    return odds_to_json([TokenOdds(piece, -0.5, ((piece, -0.5),)) for piece in pieces])


@given(
    st.text("aé👋 \n", max_size=30),
    st.lists(st.integers(1, 3), min_size=100, max_size=100),
    st.lists(st.integers(0, 6), max_size=12),
)
def test_each_token_is_told_once_with_its_text(
    text: str, sizes: list[int], pauses: list[int]
) -> None:
    """Whatever the tokens are, and whenever the text comes: as the engine itself makes it."""
    data, pieces = text.encode(), []
    while data:
        size = sizes[len(pieces)]
        pieces.append(data[:size])
        data = data[size:]
    stream, tokens, shown = TextStream(), TextTokens(), ""
    told: list[TextToken] = []
    for number, piece in enumerate(pieces):
        shown += stream.feed(piece)
        if number in pauses:
            new = tokens.take(as_frames(*pieces[: number + 1]), len(shown))
            assert all(token.offset < len(shown) for token in new)
            told += new
    told += tokens.take(as_frames(*pieces), len(shown))
    assert [token.odds.piece for token in told] == pieces[: len(told)]
    # What is left says nothing: white space before a first word that never came.
    assert shown == "" or b"".join(pieces[len(told) :]) == b""
    offsets = [token.offset for token in told]
    assert offsets == sorted(offsets)


def test_a_stop_text_takes_its_tokens_along() -> None:
    tokens = TextTokens()
    frames = as_frames(b" Hello", b" wor", b"ld", b" EN", b"D")
    told = tokens.take(frames, len("Hello world"))
    assert [(token.odds.piece, token.offset) for token in told] == [
        (b" Hello", 0),
        (b" wor", 5),
        (b"ld", 9),
    ]


def test_halves_of_characters_as_bytes() -> None:
    wave = "👋".encode()
    told = TextTokens().take(as_frames(wave[:2], wave[2:]), 1)
    chat = chat_logprobs(told)
    assert b"".join(bytes(entry["bytes"]) for entry in chat["content"]) == wave
    assert chat["content"][0]["top_logprobs"][0]["bytes"] == list(wave[:2])
    json.dumps(chat)


def test_openai_reads_both_shapes() -> None:
    told = TextTokens().take(as_frames(b"One", b" two"), 7)
    chat = ChoiceLogprobs.model_validate(chat_logprobs(told))
    assert chat.content is not None
    assert [entry.token for entry in chat.content] == ["One", " two"]
    assert chat.content[1].top_logprobs[0].logprob == -0.5
    text = Logprobs.model_validate(text_logprobs(told))
    assert (text.tokens, text.text_offset) == (["One", " two"], [0, 3])
    assert text.top_logprobs == [{"One": -0.5}, {" two": -0.5}]
