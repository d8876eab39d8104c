"""Mixes topics into whole dialogues, the way visitors jump from one thing to the next."""

from __future__ import annotations

import random
from dataclasses import dataclass

from ai_model.demo.augment import augment
from ai_model.demo.corpus import DEFAULT_SYSTEM, OUT_OF_SCOPE, Corpus, Topic
from ai_model.demo.heldout import Heldout

OUT_OF_SCOPE_SHARE = 0.2
FOLLOW_UP_RATE = 0.3


@dataclass(frozen=True, slots=True)
class Turn:
    """One message; the role is system, user or assistant. Training questions carry their topic."""

    role: str
    text: str
    topic: str = ""


def render_turn(turn: Turn) -> tuple[str, str]:
    """Role line and body of a turn in the Zephyr layout; an end-of-turn token follows the body."""
    return f"<|{turn.role}|>\n", turn.text


class DialogueSource:
    """Endless dialogues from a corpus; the same seed gives the same ones. One thread only."""

    def __init__(self, corpus: Corpus, heldout: Heldout, seed: int) -> None:
        self._corpus = corpus
        self._heldout = heldout
        self._rng = random.Random(seed)
        self._topics = [t for t in corpus.topics if t.name != OUT_OF_SCOPE]
        self._weights = [len(t.patterns) ** 0.5 for t in self._topics]
        self._unknown = next(t for t in corpus.topics if t.name == OUT_OF_SCOPE)

    @property
    def labels(self) -> tuple[str, ...]:
        """Every topic a question can carry."""
        topics = self._corpus.topics
        follow_ups = (f"{t.name}+{i}" for t in topics for i in range(len(t.follow_ups)))
        return (*(t.name for t in topics), *follow_ups)

    def _typed(self, pattern: tuple[str, ...], strength: float = 1.0) -> str:
        plain = self._rng.choice(pattern)
        for _ in range(4):
            text = augment(plain, self._rng, self._corpus.proper_words, strength)
            if not self._heldout.collides(text):
                return text
        return plain

    def _exchange(self, topic: Topic) -> list[Turn]:
        rng = self._rng
        turns = [
            Turn("user", self._typed(rng.choice(topic.patterns)), topic.name),
            Turn("assistant", rng.choice(topic.answers)),
        ]
        if topic.follow_ups and rng.random() < FOLLOW_UP_RATE:
            number = rng.randrange(len(topic.follow_ups))
            follow_up = topic.follow_ups[number]
            text = self._typed(follow_up.questions, 0.5)
            turns.append(Turn("user", text, f"{topic.name}+{number}"))
            turns.append(Turn("assistant", follow_up.answer))
        return turns

    def _system(self) -> list[Turn]:
        draw = self._rng.random()
        if draw < 0.5:
            return [Turn("system", DEFAULT_SYSTEM)]
        if draw < 0.75:
            return [Turn("system", self._rng.choice(self._corpus.system_prompts))]
        return []

    def _topic(self) -> Topic:
        if self._rng.random() < OUT_OF_SCOPE_SHARE:
            return self._unknown
        return self._rng.choices(self._topics, self._weights)[0]

    def question(self) -> list[Turn]:
        """One question with its answer, and nothing else."""
        return self._exchange(self._topic())[:2]

    def dialogue(self, num_exchanges: int | None = None) -> list[Turn]:
        """A dialogue of the given number of exchanges, by default mostly one or two."""
        rng = self._rng
        count = num_exchanges or rng.choices((1, 2, 3, 4, 5), (50, 22, 14, 9, 5))[0]
        turns = self._system()
        for _ in range(count):
            turns.extend(self._exchange(self._topic()))
        return turns
