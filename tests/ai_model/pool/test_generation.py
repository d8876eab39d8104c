"""A generation writes the frames of the chat protocol, in order, with offsets that count."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_model.engine.events import Delta, Finished, FinishReason, Progress, Started, TokenOdds
from ai_model.pool.eta import Eta
from ai_model.pool.event_log import EventLog
from ai_model.pool.frames import Frame
from ai_model.pool.generation import DoneReason, Generation, GenerationState, Outcome
from ai_model.pool.odds_frame import odds_from_json
from tests.ai_model.pool.builders import check_log, make_request, text_of, types_of


def make(**values: Any) -> tuple[Generation, EventLog]:
    """Return a waiting generation and its log."""
    request = make_request(**values)
    log = EventLog(request.generation)
    return Generation(request, log, 100.0), log


def begin(generation: Generation, now: float = 101.0) -> None:
    """Give it an instance."""
    generation.take_instance(now)
    event = Started(request_id=generation.id, instance=1, num_prompt_tokens=20, num_cached_tokens=5)
    generation.start(event, "Fake Model")


def say(generation: Generation, text: str, now: float, tokens: tuple[int, ...] = (7,)) -> None:
    """Let the engine deliver a token."""
    generation.add(Delta(request_id=generation.id, tokens=tokens, text=text), now)


def ephemeral(log: EventLog) -> Frame | None:
    """Return the frame that followers see beside the numbered ones."""
    return log._ephemeral


def test_a_whole_life() -> None:
    """With the fields of the protocol."""
    generation, log = make()
    generation.show_place(2, 3, Eta(1.0, 2.04))
    assert ephemeral(log) == {
        "type": "gen.queue",
        "gen": generation.id,
        "position": 2,
        "size": 3,
        "eta_s": [1.0, 2.0],
        "basis": "recent",
    }
    generation.num_dropped_turns = 2
    begin(generation)
    generation.progress(Progress(request_id=generation.id, num_done=10, num_total=20, num_cached=5))
    assert ephemeral(log) == {
        "type": "gen.progress",
        "gen": generation.id,
        "phase": "prompt",
        "done": 10,
        "total": 20,
        "cached": 5,
    }
    say(generation, "Grüße 👋🏽", 102.0)
    say(generation, ", und", 102.01)
    say(generation, " mehr", 102.02)
    finished = Finished(
        request_id=generation.id, reason=FinishReason.STOP, prefill_s=0.5, decode_s=2.0
    )
    generation.finish(DoneReason.STOP, 104.0, finished)
    frames = log.replay()
    assert types_of(frames) == ["created", "started", "notice", "delta", "delta", "done"]
    end = check_log(frames)
    assert text_of(frames) == "Grüße 👋🏽, und mehr"
    assert frames[0]["message"] == "m1" and frames[0]["created_ms"] == 1
    started = frames[1]
    assert (started["instance"], started["model"], started["waited_ms"]) == (1, "Fake Model", 1000)
    assert (started["prompt_tokens"], started["cached_tokens"]) == (20, 5)
    assert (frames[2]["code"], frames[2]["turns"]) == ("context_trimmed", 2)
    assert frames[4]["tokens"] == [7, 7]
    assert end["reason"] == "stop" and end["chars"] == len("Grüße 👋🏽, und mehr")
    assert end["usage"] == {"prompt": 20, "completion": 3, "cached": 5}
    assert end["timing"] == {
        "queue_ms": 1000,
        "prompt_ms": 500,
        "ttft_ms": 2000,
        "gen_ms": 2000,
        "tok_s": 1.5,
    }
    assert generation.outcome is Outcome.DONE and generation.is_ended


def test_the_place_in_line_is_told_only_when_it_changes() -> None:
    """And never gets worse without a reason."""
    generation, log = make()
    generation.show_place(2, 2, None)
    first = ephemeral(log)
    generation.show_place(2, 2, None)
    assert ephemeral(log) is first
    generation.show_place(3, 3, None)
    worse = ephemeral(log)
    assert worse is not None and worse["reason"] == "priority" and worse["basis"] == "none"
    generation.show_place(1, 3, None, "loading")
    loading = ephemeral(log)
    assert loading is not None and loading["reason"] == "loading"


def test_held_back_characters_keep_their_tokens() -> None:
    """Tokens without text reach the log, so that another pool could go on behind them."""
    generation, log = make()
    begin(generation)
    say(generation, "", 102.0, (1,))
    say(generation, "", 102.01, (2,))
    say(generation, "👋", 102.02, (3,))
    say(generation, "", 102.03, (4,))
    generation.finish(DoneReason.LENGTH, 103.0)
    deltas = [frame for frame in log.replay() if frame["type"] == "gen.delta"]
    assert [token for frame in deltas for token in frame["tokens"]] == [1, 2, 3, 4]
    assert check_log(log.replay())["usage"]["completion"] == 4


def test_going_on_in_a_new_pool() -> None:
    """The log begins with what there was, and an answer that is stopped in line keeps it."""
    generation, log = make(produced=(5, 6), produced_text="So far")
    frames = log.replay()
    assert types_of(frames) == ["created", "started", "delta"]
    assert frames[2]["text"] == "So far" and frames[2]["tokens"] == [5, 6]
    begin(generation)
    say(generation, " good", 102.0)
    generation.finish(DoneReason.STOP, 103.0)
    assert types_of(log.replay()) == ["created", "started", "delta", "delta", "done"]
    assert text_of(log.replay()) == "So far good"
    assert check_log(log.replay())["usage"]["completion"] == 3

    waiting, log = make(produced=(5, 6), produced_text="So far")
    waiting.request_end(DoneReason.USER_STOP, seen=3)
    waiting.finish(DoneReason.USER_STOP, 101.0)
    assert check_log(log.replay())["chars"] == len("So far")


def test_going_on_behind_a_text() -> None:
    """Its tokens are known when an instance has it: then it stands at the start of the log."""
    generation, log = make(produced_text="So far")
    assert types_of(log.replay()) == ["created"]
    generation.produced = (5, 6)
    generation.num_dropped_turns = 1
    begin(generation)
    frames = log.replay()
    assert types_of(frames) == ["created", "started", "delta", "notice"]
    assert (frames[1]["instance"], frames[1]["cached_tokens"]) == (1, 5)
    assert (frames[2]["off"], frames[2]["text"], frames[2]["tokens"]) == (0, "So far", [5, 6])
    say(generation, " good", 102.0)
    finished = Finished(request_id=generation.id, reason=FinishReason.STOP, decode_s=0.5)
    generation.finish(DoneReason.STOP, 103.0, finished)
    end = check_log(log.replay())
    assert text_of(log.replay()) == "So far good"
    assert end["usage"]["completion"] == 3
    assert end["timing"]["tok_s"] == 2.0, "one token is new"


def test_a_text_that_never_went_on_is_kept() -> None:
    """Stopped in line, or too long: what there was stays."""
    generation, log = make(produced_text="So far")
    generation.request_end(DoneReason.USER_STOP, seen=3)
    generation.finish(DoneReason.USER_STOP, 101.0)
    assert types_of(log.replay()) == ["created", "delta", "done"]
    assert text_of(log.replay()) == "So far"
    end = check_log(log.replay())
    assert (end["chars"], end["usage"]["completion"]) == (len("So far"), 0)
    generation, log = make(produced_text="So far")
    generation.fail("too_long", "No room.", 101.0)
    assert types_of(log.replay()) == ["created", "delta", "error"]
    assert check_log(log.replay())["partial"]


@given(seen=st.none() | st.integers(0, 40), pieces=st.lists(st.text(max_size=4), max_size=8))
def test_a_stop_cuts_to_what_was_seen(seen: int | None, pieces: list[str]) -> None:
    """Never below what an earlier pool produced, never beyond what was generated."""
    generation, log = make(produced=(1,), produced_text="abc")
    begin(generation)
    for number, piece in enumerate(pieces):
        say(generation, piece, 102.0 + number)
    full = "abc" + "".join(pieces)
    generation.request_end(DoneReason.USER_STOP, seen)
    generation.finish(DoneReason.STOP, 200.0)
    end = check_log(log.replay())
    assert end["reason"] == "user_stop"
    assert end["chars"] == (len(full) if seen is None else min(len(full), max(3, seen)))


def test_an_error_keeps_the_text() -> None:
    """And says whether there is any."""
    generation, log = make()
    begin(generation)
    say(generation, "Text", 102.0)
    say(generation, " more", 102.01)
    generation.fail("internal", "It broke.", 103.0, retry_after_s=2.0)
    end = check_log(log.replay())
    assert (end["code"], end["partial"], end["retryable"]) == ("internal", True, True)
    assert end["retry_after_s"] == 2.0
    assert text_of(log.replay()) == "Text more"


def test_there_is_one_end_and_one_way() -> None:
    """Illegal moves are programming errors, and late events change nothing."""
    generation, log = make()
    with pytest.raises(RuntimeError):
        generation.give_instance_back()
    generation.take_instance(101.0)
    generation.give_instance_back()
    assert generation.state is GenerationState.WAITING
    begin(generation)
    with pytest.raises(RuntimeError):
        generation.take_instance(102.0)
    generation.finish(DoneReason.STOP, 103.0)
    for end in (
        lambda: generation.finish(DoneReason.STOP, 104.0),
        lambda: generation.fail("internal", "x", 104.0),
    ):
        with pytest.raises(RuntimeError):
            end()
    say(generation, "late", 105.0)
    generation.flush(106.0)
    assert types_of(log.replay()) == ["created", "started", "done"]


def test_odds_go_with_their_tokens() -> None:
    """Gathered as the tokens are, and only where the engine tells them."""
    generation, log = make()
    begin(generation)
    odds = [TokenOdds(b"a", -0.5), TokenOdds(b"\xf0", -1.25, ((b"b", -0.25),))]
    for number, one in enumerate(odds):
        event = Delta(request_id=generation.id, tokens=(number,), text="x" * number, odds=(one,))
        generation.add(event, 102.0 + number / 100)
    say(generation, "y", 103.0)
    frames = [frame for frame in log.replay() if frame["type"] == "gen.delta"]
    assert odds_from_json(frames[0]["odds"]) == tuple(odds)
    assert frames[0]["tokens"] == [0, 1]
    assert "odds" not in frames[1]
