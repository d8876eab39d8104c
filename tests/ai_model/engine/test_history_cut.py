"""A conversation whose oldest turns are left out is not read again, and nobody else notices."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ai_model.engine import DecodeError, Engine, EngineRequest, Started
from ai_model.engine.history_cut import HistoryCut, find_cut
from ai_model.prompt import ChatMessage, FittedPrompt, Role, fit_prompt
from tests.ai_model.engine.conftest import Collector, MakeEngine, agreement, ask, make_request

QUESTIONS = [
    f"what can the {word} do for people and how would they make it"
    for word in ("water", "number", "pool", "oil", "first", "long", "model", "day")
]


def asked(prompt: FittedPrompt, produced: tuple[int, ...] = ()) -> EngineRequest:
    return EngineRequest(id="r", conversation="c", visitor="v", prompt=prompt, produced=produced)


def prompt_of(system: list[int], turns: list[list[int]], num_dropped: int = 0) -> FittedPrompt:
    return FittedPrompt(
        tokens=(*system, *(token for turn in turns for token in turn)),
        num_system_tokens=len(system),
        num_dropped_turns=num_dropped,
    )


turn_tokens = st.lists(st.integers(10, 300), min_size=1, max_size=40).map(lambda body: [7, *body])


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(10, 300), min_size=1, max_size=10),
    st.lists(turn_tokens, min_size=1, max_size=6),
    st.lists(turn_tokens, min_size=1, max_size=4),
    turn_tokens,
)
def test_what_stays_is_the_beginning_of_the_prompt(
    system: list[int], dropped: list[list[int]], kept: list[list[int]], question: list[int]
) -> None:
    """Whatever the turns say, even if they repeat each other."""
    held = [*system, *(token for turn in (*dropped, *kept) for token in turn)]
    prompt = prompt_of(system, [*kept, question], len(dropped))
    cut = find_cut(held, asked(prompt))
    num_kept = sum(map(len, kept))
    if cut is None:
        # It is short, or is held without taking out anything.
        shared = find_cut(held, asked(replace(prompt, num_dropped_turns=0)))
        assert shared is None
        plain = next(
            (
                at
                for at, pair in enumerate(zip(held, prompt.tokens, strict=False))
                if pair[0] != pair[1]
            ),
            min(len(held), len(prompt.tokens)),
        )
        assert num_kept < 32 or len(system) + num_kept - plain < 32
        return
    stays = held[: cut.start] + held[cut.end :]
    assert tuple(stays[: cut.num_cached]) == prompt.tokens[: cut.num_cached]
    assert cut.start == len(system) and cut.num_cached >= min(
        len(system) + num_kept, len(prompt.tokens) - 1
    )


def test_only_for_turns_that_fell_out() -> None:
    system, kept = [1, 2, 3], list(range(100, 200))
    held = [*system, 50, 51, 52, *kept]
    prompt = prompt_of(system, [kept, [60, 61]], 1)
    assert find_cut(held, asked(prompt)) == HistoryCut(3, 6, 103)
    assert find_cut(held, asked(prompt, produced=(60,))) == HistoryCut(3, 6, 103)
    assert find_cut(held, asked(replace(prompt, num_dropped_turns=0))) is None, "an edit"
    assert find_cut([9, *held[1:]], asked(prompt)) is None, "another system prompt"
    whole = prompt_of(system, [kept], 1)
    assert find_cut(held, asked(whole)) == HistoryCut(3, 6, 102), "the last one is evaluated"
    assert find_cut(held[:30], asked(prompt)) is None, "too little to be worth it"


# In an engine


def request_of(
    engine: Engine, name: str, turns: list[str], *, max_messages: int, **more: object
) -> EngineRequest:
    """Return the request of a conversation of which the model sees so many messages."""
    roles = (Role.USER, Role.ASSISTANT)
    messages = [ChatMessage(Role.SYSTEM, "You are kind.")]
    messages += [ChatMessage(roles[at % 2], text) for at, text in enumerate(turns)]
    request = make_request(engine, name, turns[-1], **more)  # type: ignore[arg-type]
    prompt = fit_prompt(
        messages,
        tokenizer=engine.tokenizer,
        n_ctx=engine.n_ctx,
        max_tokens=request.sampling.max_tokens,
        max_messages=max_messages,
    )
    return replace(request, prompt=prompt)


def talk(engine: Engine, num_turns: int, **more: object) -> tuple[list[str], list[Collector]]:
    """Hold a conversation of which the model sees at most four messages."""
    turns, answers = list[str](), list[Collector]()
    for number in range(num_turns):
        turns.append(QUESTIONS[number])
        request = request_of(
            engine, f"{more.get('conversation')} {number}", turns, max_messages=4, **more
        )
        answers.append(ask(engine, request))
        turns.append(answers[-1].text)
    return turns, answers


def num_read(collector: Collector) -> int:
    started = collector.events[0]
    assert isinstance(started, Started)
    return started.num_prompt_tokens - started.num_cached_tokens


def test_only_what_is_new_is_read_whatever_is_left_out(make_engine: MakeEngine) -> None:
    engine = make_engine(num_instances=1)
    turns, answers = talk(engine, 8, conversation="c")
    dropped = [_num_dropped(engine, turns[: 2 * at + 1]) for at in range(8)]
    assert dropped[:3] == [0, 0, 0] and dropped == sorted(dropped) and dropped[-1] >= 4
    assert all(num_read(answer) < 50 for answer in answers[1:]), "no turn was read twice"
    assert all(len(answer.tokens) == 32 for answer in answers)


def _num_dropped(engine: Engine, turns: list[str]) -> int:
    return request_of(engine, "x", turns, max_messages=4).prompt.num_dropped_turns


def test_shared_cells_stay_where_they_are(make_engine: MakeEngine) -> None:
    """A branch begins with the cells of the conversation it comes from, everybody with those of the
    system prompt: neither moves when the conversation is cut."""
    engine = make_engine(num_instances=3)
    turns, answers = talk(engine, 3, conversation="c")
    branch = [*turns[:4], "and what would you like to see then"]
    first = ask(engine, request_of(engine, "b", branch, max_messages=9, conversation="b"))
    assert num_read(first) < 50, "it shares"
    turns.append(QUESTIONS[3])
    late = ask(engine, request_of(engine, "c3", turns, max_messages=4, conversation="c"))
    assert num_read(late) < 50, "it was cut"
    again = [*branch, first.text, "go on"]
    second = ask(engine, request_of(engine, "b2", again, max_messages=9, conversation="b"))
    assert num_read(second) < 50
    stranger = ask(engine, make_request(engine, "s", *turns[:1], visitor="w"))
    fresh = make_engine(num_instances=1)
    for text, answer in ((turns[1], answers[0]), (turns[3], answers[1]), (first.text, first)):
        fresh.tokenizer.memo.remember(text, answer.tokens)  # type: ignore[attr-defined]
    expected = ask(fresh, request_of(fresh, "b2", again, max_messages=9, conversation="b"))
    assert agreement(second.tokens, expected.tokens) > 0.1
    alone = ask(fresh, make_request(fresh, "s", *turns[:1], visitor="w"))
    assert agreement(stranger.tokens, alone.tokens) > 0.1


def test_a_parked_conversation_is_cut_when_it_comes_back(make_engine: MakeEngine) -> None:
    engine = make_engine(num_instances=1)
    turns, _ = talk(engine, 3, conversation="c")
    ask(engine, make_request(engine, "other", "hello there", visitor="w"))
    turns.append(QUESTIONS[3])
    answer = ask(engine, request_of(engine, "c3", turns, max_messages=4, conversation="c"))
    assert 0 < num_read(answer) < 50


def test_what_cannot_be_moved_is_read_again(
    make_engine: MakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model without places to move to, or a step that llama.cpp refuses."""
    engine = make_engine(num_instances=1)
    turns, _ = talk(engine, 3, conversation="c")
    decoder = engine._decoder
    assert decoder is not None
    turns.append(QUESTIONS[3])
    request = request_of(engine, "c3", turns, max_messages=4, conversation="c")

    def refuse(*_: object, **__: object) -> None:
        raise DecodeError(1)

    monkeypatch.setattr(decoder._seating.context, "move_up", refuse)
    answer = ask(engine, request)
    assert num_read(answer) > 100 and len(answer.tokens) == 32
    again = ask(engine, replace(request, id="c3 again"))
    assert agreement(again.tokens, answer.tokens) == 1.0
