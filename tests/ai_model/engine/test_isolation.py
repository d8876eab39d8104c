"""No token of one conversation reaches another, whatever happens around it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from ai_model.engine import Engine, FinishReason, NoFreeInstance
from tests.ai_model.engine.conftest import Collector, MakeEngine, ask, make_request, open_engine

DEMO = Path(__file__).parents[3] / "ai_model" / "weights" / "demo.gguf"
SYSTEM = "You are the friendly assistant of this website."
QUESTIONS = [
    "What is Corral?",
    "How do I install it?",
    "Tell me a story",
    "What is the pool?",
    "Are you a human?",
    "How much memory does an instance need?",
    "What is the capital of Peru?",
    "hello there",
    "How do I make an admin?",
    "Where are the settings?",
]
NUM_VISITORS = 10
NUM_TURNS = 3


def _turns(visitor: int) -> list[str]:
    """Return the questions of a visitor, each with a word nobody else uses."""
    return [
        f"{QUESTIONS[(visitor + 3 * turn) % len(QUESTIONS)]} My number is {visitor}{turn}7."
        for turn in range(NUM_TURNS)
    ]


class Talk:
    """One visitor's conversation, and what an engine all alone answers to it."""

    def __init__(self, visitor: int, answers: list[str]) -> None:
        self.visitor = visitor
        self.expected = answers
        self.next_turn = 0

    def request_arguments(self) -> tuple[str, ...]:
        """Return the messages of the next turn, with the expected answers as history."""
        questions = _turns(self.visitor)
        history: list[str] = []
        for turn in range(self.next_turn):
            history += [questions[turn], self.expected[turn]]
        return (*history, questions[self.next_turn])


@pytest.fixture(scope="module")
def talks() -> list[list[str]]:
    """Return what engines answer that talk to one visitor each, greedily."""
    return [list(_lone_answers(visitor)) for visitor in range(NUM_VISITORS)]


def _lone_answers(visitor: int) -> Iterator[str]:
    with open_engine(DEMO, num_instances=1, parked_bytes=0, num_prefixes=0) as engine:
        history: list[str] = []
        for question in _turns(visitor):
            history.append(question)
            answer = ask(engine, _request(engine, f"{visitor} {len(history)}", visitor, history))
            history.append(answer.text)
            yield answer.text


def _request(engine: Engine, name: str, visitor: int, messages: object, **more: object) -> object:
    return make_request(
        engine,
        name,
        *messages,  # type: ignore[misc]
        system=SYSTEM,
        visitor=f"visitor {visitor}",
        conversation=f"conversation {visitor}",
        max_tokens=60,
        **more,  # type: ignore[arg-type]
    )


@pytest.mark.timeout(180)
@pytest.mark.parametrize("seed", [1, 2])
def test_every_answer_is_its_owners(
    make_engine: MakeEngine, talks: list[list[str]], seed: int
) -> None:
    choose = random.Random(seed)
    engine = make_engine(model_path=DEMO, num_instances=3, n_ctx=1024, parked_bytes=1_500_000)
    waiting = [Talk(visitor, answers) for visitor, answers in enumerate(talks)]
    running: dict[str, tuple[Talk, Collector]] = {}
    noise: dict[str, Collector] = {}
    num_right = num_answers = 0
    while waiting or running:
        action = choose.random()
        if action < 0.1:
            engine.resize(choose.randint(2, 5))
        elif action < 0.25 and len(noise) < 3:
            name = f"noise {choose.random()}"
            intruder = _request(engine, name, 99, [f"Ignore this, {choose.choice(QUESTIONS)}"])
            _try_submit(engine, intruder, name, noise)
        elif action < 0.4 and noise:
            engine.cancel(choose.choice(list(noise)))
        elif waiting:
            talk = choose.choice(waiting)
            name = f"{talk.visitor} {talk.next_turn}"
            request = _request(engine, name, talk.visitor, talk.request_arguments())
            collector = Collector()
            try:
                engine.submit(request, collector)  # type: ignore[arg-type]
            except NoFreeInstance:
                pass
            else:
                waiting.remove(talk)
                running[name] = (talk, collector)
        if running and (not waiting or choose.random() < 0.5):
            name = choose.choice(list(running))
            talk, collector = running.pop(name)
            assert collector.finish().reason in (FinishReason.STOP, FinishReason.LENGTH)
            num_answers += 1
            num_right += collector.text == talk.expected[talk.next_turn]
            talk.next_turn += 1
            if talk.next_turn < NUM_TURNS:
                waiting.append(talk)
        for name in [name for name, one in noise.items() if not engine_knows(engine, name)]:
            noise.pop(name).finish()
        _check_owners(engine)
    for name, collector in noise.items():
        engine.cancel(name)
        collector.finish()
    assert num_answers == NUM_VISITORS * NUM_TURNS
    assert num_right / num_answers >= 0.95


def engine_knows(engine: Engine, name: str) -> bool:
    """Whether a request is still being answered."""
    return name in engine._taken


def _try_submit(engine: Engine, request: object, name: str, started: dict[str, Collector]) -> None:
    collector = Collector()
    try:
        engine.submit(request, collector)  # type: ignore[arg-type]
    except NoFreeInstance:
        return
    started[name] = collector


def _check_owners(engine: Engine) -> None:
    """Every parked state stands for words of its owner alone."""
    decoder = engine._decoder
    assert decoder is not None
    for parked in tuple(decoder._seating.parking._parked.copy().values()):
        text = b"".join(decoder.model.piece(token) for token in parked.tokens).decode()
        owner = parked.visitor.removeprefix("visitor ")
        numbers = [word for word in text.replace(".", " ").split() if word.isdigit()]
        own = {f"{owner}{turn}7" for turn in range(NUM_TURNS)}
        marked = {number for number in numbers if len(number) >= 3 and number.endswith("7")}
        assert marked <= own, "words of somebody else"
