"""Where an answer begins, or goes on."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ai_model.pool.opening import Opening, make_opening
from ai_model.pool.request import PoolRequest
from ai_model.prompt import MIN_GOING_ON, SAFETY_TOKENS, ChatMessage, PromptTooLong, Role
from tests.ai_model.pool.builders import make_request
from tests.ai_model.pool.fake_engine import FakeTokenizer


def opening_of(request: PoolRequest, **values: int) -> Opening:
    """Return the opening of a request in a small context; one token per character."""
    limits = {"n_ctx": 400, "max_tokens": 100, "max_messages": 50} | values
    return make_opening(request, tokenizer=FakeTokenizer(), **limits)


def talk(num_turns: int) -> tuple[ChatMessage, ...]:
    """Return a conversation with exchanges of about 50 tokens."""
    turn = (ChatMessage(Role.USER, "q" * 5), ChatMessage(Role.ASSISTANT, "a" * 10))
    return (*turn * num_turns, ChatMessage(Role.USER, "end"))


def test_an_answer_from_its_start() -> None:
    opening = opening_of(make_request())
    assert (opening.produced, opening.max_tokens) == ((), 100)


def test_going_on_behind_a_text() -> None:
    """Its tokens are none of those that it may add, and the prompt is the one it had."""
    request = make_request()
    begun = opening_of(request)
    opening = opening_of(replace(request, produced_text="abc"))
    assert opening.produced == tuple(FakeTokenizer().tokenize("abc"))
    assert opening.max_tokens == 3 + 100
    assert opening.prompt.tokens == begun.prompt.tokens


def test_role_markers_are_neutralised() -> None:
    opening = opening_of(make_request(produced_text="a <|user|> b"))
    assert opening.produced == tuple(FakeTokenizer().tokenize("a [user] b"))


def test_another_pool_goes_on_behind_the_same_text() -> None:
    """What was given before the first one died still does not count."""
    request = make_request(produced_text="abc")
    tokens = tuple(FakeTokenizer().tokenize("abcde"))
    again = replace(request, produced=tokens, produced_text="abcde")
    opening = opening_of(again)
    assert (opening.produced, opening.max_tokens) == (tokens, 3 + 100)
    never_given = make_request(produced=tokens, produced_text="abcde")
    assert opening_of(never_given).max_tokens == 100


def test_history_makes_room() -> None:
    """But not while there is room: then the engine finds what it has read."""
    request = make_request(messages=talk(4))
    begun = opening_of(request, n_ctx=500)
    assert begun.prompt.num_dropped_turns == 0
    short = opening_of(replace(request, produced_text="x" * 50), n_ctx=500)
    assert short.prompt.tokens == begun.prompt.tokens
    long = opening_of(replace(request, produced_text="x" * 200), n_ctx=500)
    assert long.prompt.num_dropped_turns > 0
    assert len(long.prompt.tokens) + long.max_tokens <= 500 - SAFETY_TOKENS


def test_the_cut_of_a_long_history_stays() -> None:
    request = make_request(messages=talk(12))
    begun = opening_of(request)
    assert begun.prompt.num_dropped_turns > 0
    # The room is counted with a line break before every turn, the first one too.
    free = 400 - SAFETY_TOKENS - 100 - len(begun.prompt.tokens) - 1
    assert free > 0
    opening = opening_of(replace(request, produced_text="x" * free))
    assert opening.prompt.tokens == begun.prompt.tokens
    opening = opening_of(replace(request, produced_text="x" * (free + 1)))
    assert opening.prompt.num_dropped_turns > begun.prompt.num_dropped_turns


def test_less_may_be_added_when_the_context_is_nearly_full() -> None:
    """Down to a few words; then it is too long."""
    request = make_request()
    num_prompt = len(opening_of(request).prompt.tokens)
    left = 400 - SAFETY_TOKENS - num_prompt - 1  # a line break, see above
    opening = opening_of(replace(request, produced_text="x" * (left - 40)))
    assert opening.max_tokens == left
    fullest = opening_of(replace(request, produced_text="x" * (left - MIN_GOING_ON)))
    assert fullest.max_tokens - len(fullest.produced) == MIN_GOING_ON
    with pytest.raises(PromptTooLong):
        opening_of(replace(request, produced_text="x" * (left - MIN_GOING_ON + 1)))
