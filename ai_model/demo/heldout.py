"""The held-out questions, and the guard that keeps what is close to them out of training."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

HELDOUT_PATH = Path(__file__).parent / "heldout.json"
RUN_LENGTH = 5
MAX_OVERLAP = 0.8

_WORD = re.compile(r"\w+")


def words_of(text: str) -> tuple[str, ...]:
    """Case-folded words of a text; the unit of both rules about held-out questions."""
    return tuple(_WORD.findall(text.casefold()))


def runs_of(words: tuple[str, ...]) -> set[tuple[str, ...]]:
    """All runs of five consecutive words."""
    return {words[i : i + RUN_LENGTH] for i in range(len(words) - RUN_LENGTH + 1)}


def overlap(left: frozenset[str], right: frozenset[str]) -> float:
    """Jaccard overlap of two word sets, 0 to 1."""
    union = len(left | right)
    return len(left & right) / union if union else 0.0


@dataclass(frozen=True, slots=True)
class Question:
    """A held-out question; every group of `accept` needs one of its phrases in the answer."""

    text: str
    topic: str
    accept: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Conversation:
    """Held-out visitor messages in a row; only the answer to the last one is judged."""

    messages: tuple[str, ...]
    topic: str
    accept: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Distractor:
    """An answer the checker has to refuse."""

    question: str
    answer: str
    why: str


@dataclass(frozen=True)
class Heldout:
    """Everything in heldout.json. Immutable, safe to share between threads."""

    in_scope: tuple[Question, ...]
    out_of_scope: tuple[str, ...]
    multi_turn: tuple[Conversation, ...]
    distractors: tuple[Distractor, ...]
    dont_know: tuple[str, ...]
    _seen: dict[str, bool] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def questions(self) -> tuple[str, ...]:
        """Every judged question."""
        return (
            *(q.text for q in self.in_scope),
            *self.out_of_scope,
            *(c.messages[-1] for c in self.multi_turn),
        )

    @cached_property
    def runs(self) -> frozenset[tuple[str, ...]]:
        """Five-word runs of every held-out text, opening messages of conversations included."""
        texts = [*self.questions, *(m for c in self.multi_turn for m in c.messages)]
        return frozenset(run for text in texts for run in runs_of(words_of(text)))

    @cached_property
    def _sets(self) -> tuple[frozenset[str], ...]:
        return tuple({frozenset(words_of(text)) for text in self.questions})

    def collides(self, question: str) -> bool:
        """Whether a question shares a five-word run with a held-out one, or nearly equals it."""
        key = question.casefold()
        known = self._seen.get(key)
        if known is None:
            known = self._collides(key)
            if len(self._seen) < 200_000:
                self._seen[key] = known
        return known

    def _collides(self, question: str) -> bool:
        words = words_of(question)
        if not self.runs.isdisjoint(runs_of(words)):
            return True
        own = frozenset(words)
        return any(overlap(own, other) >= MAX_OVERLAP for other in self._sets)


def _groups(raw: list[list[str]]) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(group) for group in raw)


def load_heldout(path: Path = HELDOUT_PATH) -> Heldout:
    """Read heldout.json."""
    raw: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return Heldout(
        in_scope=tuple(
            Question(q["question"], q["topic"], _groups(q["accept"])) for q in raw["in_scope"]
        ),
        out_of_scope=tuple(raw["out_of_scope"]),
        multi_turn=tuple(
            Conversation(tuple(c["messages"]), c["topic"], _groups(c["accept"]))
            for c in raw["multi_turn"]
        ),
        distractors=tuple(
            Distractor(d["question"], d["answer"], d["why"]) for d in raw["distractors"]
        ),
        dont_know=tuple(raw["dont_know"]),
    )
