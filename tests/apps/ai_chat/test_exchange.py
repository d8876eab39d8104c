"""An answer that outlives its pools: reading a log again, and who is blamed for a death."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_model.pool.errors import PoolLost
from ai_model.pool.request import PoolRequest
from ai_model.prompt import ChatMessage, Role
from apps.ai_chat.exchange import MAX_RESTARTS, Exchange, Replay


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


class DyingPool:
    """A client whose connection breaks after each list of frames; the last list is complete."""

    def __init__(self, lives: list[list[dict[str, Any]]]) -> None:
        self._lives = iter(lives)
        self.submitted: list[PoolRequest] = []

    async def submit(self, request: PoolRequest, *, timeout_s: float) -> None:
        self.submitted.append(request)

    async def subscribe(self, generation: str, after: int) -> AsyncIterator[dict[str, Any]]:
        for frame in next(self._lives):
            yield frame
        raise PoolLost("gone")


WAITING = {"type": "gen.queue", "position": 1, "size": 1}
READING = {"type": "gen.progress", "phase": "prompt", "done": 1, "total": 2, "cached": 0}
DONE = {"type": "gen.done", "reason": "stop", "chars": 2}


def delta(offset: int, text: str) -> dict[str, Any]:
    return {"type": "gen.delta", "off": offset, "text": text, "tokens": [ord(c) for c in text]}


def frames_of(lives: list[list[dict[str, Any]]]) -> tuple[list[dict[str, Any]], DyingPool]:
    """Return what a visitor gets whose pool lives these lives."""
    _, frames, pool = followed(lives)
    return frames, pool


def followed(
    lives: list[list[dict[str, Any]]],
) -> tuple[Exchange, list[dict[str, Any]], DyingPool]:
    """Return the exchange as well."""
    pool = DyingPool(lives)
    exchange = Exchange(str(uuid.uuid4()), lambda: pool, patience_s=30)  # type: ignore[return-value,arg-type]
    request = PoolRequest(
        generation=exchange.generation,
        conversation="c",
        visitor="v",
        messages=(ChatMessage(Role.USER, "hello"),),
    )

    async def collect() -> list[dict[str, Any]]:
        return [frame async for frame in exchange.frames(request)]

    return exchange, asyncio.run(asyncio.wait_for(collect(), 30)), pool


@pytest.fixture(autouse=True)
def no_pauses_between_pools(monkeypatch: pytest.MonkeyPatch) -> None:
    """Submit again at once."""
    monkeypatch.setattr("apps.ai_chat.exchange._PAUSES_S", (0.0,))


def test_who_only_waited_is_not_blamed_for_dying_pools() -> None:
    lives = [[WAITING]] * 5 + [[delta(0, "ok"), DONE]]
    frames, pool = frames_of(lives)
    assert frames[-1]["type"] == "gen.done"
    assert len(pool.submitted) == 6


def test_an_answer_that_kills_pools_is_given_up() -> None:
    frames, pool = frames_of([[delta(0, "o"), READING]] * 5)
    assert frames[-1] == frames[-1] | {"type": "gen.error", "code": "pool_lost", "partial": True}
    assert len(pool.submitted) == 1 + MAX_RESTARTS


def test_what_was_produced_goes_along() -> None:
    frames, pool = frames_of([[delta(0, "o")], [delta(0, "o"), delta(1, "k"), DONE]])
    assert pool.submitted[1].produced == (ord("o"),)
    assert "".join(frame["text"] for frame in frames if frame["type"] == "gen.delta") == "ok"


def with_odds(frame: dict[str, Any]) -> dict[str, Any]:
    """A delta whose entries can be told apart."""
    return frame | {"odds": [[char, -0.5, []] for char in frame["text"]]}


@pytest.mark.parametrize(
    "second",
    [
        # A new pool repeats what was produced, without what it does not know of it.
        [delta(0, "one"), with_odds(delta(3, "two")), DONE],
        # Or begins behind it.
        [with_odds(delta(3, "two")), DONE],
        # The same pool repeats everything.
        [with_odds(delta(0, "one")), with_odds(delta(3, "two")), DONE],
        # A new pool has got further than what was mirrored.
        [with_odds(delta(0, "onetwo")), DONE],
    ],
)
def test_every_token_has_its_odds_once_after_a_death(second: list[dict[str, Any]]) -> None:
    lives = [[with_odds(delta(0, "o")), with_odds(delta(1, "ne"))], second]
    exchange, frames, _ = followed(lives)
    assert frames[-1]["type"] == "gen.done"
    assert [entry[0] for entry in exchange.odds] == list("onetwo")
    assert all("odds" not in frame for frame in frames)
