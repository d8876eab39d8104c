"""The training text of the demo model: reading it, expanding its phrasings, and its checksum.

Format of the files in text/: `== topic` begins a topic. A line `? a / b` lists phrasings of its
question, `> text` is an answer (several: one is picked), `+ {a|b} => text` is a follow-up question
with its answer, asked only right after the topic. `{a|b|}` is a choice, `$name = {a|b}` names one.
A phrasing that stands in two topics belongs to the first.
"""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from ai_model.demo.heldout import Heldout, words_of

TEXT_DIR = Path(__file__).parent / "text"
OUT_OF_SCOPE = "out-of-scope"
DEFAULT_SYSTEM = (
    "You are the friendly assistant of this website. Answer briefly and honestly, "
    "and say so when you do not know."
)
MAX_PHRASINGS = 400  # of one pattern; a pattern with more is sampled, always the same way
_PROPER = ("country", "city", "person", "language", "brand", "planet", "building", "film", "event")
_SMALL_WORDS = frozenset(words_of("a an and at by c css do go in is kind of on the to one two won"))

_MACRO = re.compile(r"\$([A-Za-z]+)")
_DEFINITION = re.compile(r"^\$([A-Za-z]+) = (.*)$")
_SPACES = re.compile(r"\s+")


class CorpusError(ValueError):
    """The training text is malformed; the message names file, line and reason."""


@dataclass(frozen=True, slots=True)
class FollowUp:
    """A question that only makes sense after its topic, and its answer."""

    questions: tuple[str, ...]
    answer: str


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic: `patterns` holds, per phrasing pattern, the questions it expands to."""

    name: str
    patterns: tuple[tuple[str, ...], ...]
    answers: tuple[str, ...]
    follow_ups: tuple[FollowUp, ...]

    @property
    def questions(self) -> Iterator[str]:
        """Every phrasing of the topic's question."""
        for pattern in self.patterns:
            yield from pattern


@dataclass(frozen=True, slots=True)
class Corpus:
    """The whole training text. Immutable."""

    topics: tuple[Topic, ...]
    system_prompts: tuple[str, ...]
    proper_words: frozenset[str]

    @property
    def questions(self) -> Iterator[str]:
        """Every phrasing, follow-ups included."""
        for topic in self.topics:
            yield from topic.questions
            for follow_up in topic.follow_ups:
                yield from follow_up.questions

    @property
    def answers(self) -> Iterator[str]:
        """Every answer, follow-ups included."""
        for topic in self.topics:
            yield from topic.answers
            yield from (follow_up.answer for follow_up in topic.follow_ups)


def training_sha256(directory: Path = TEXT_DIR) -> str:
    """SHA-256 over names and contents of the training text; the GGUF carries it."""
    digest = hashlib.sha256()
    for path in sorted(directory.glob("*.txt")):
        content = path.read_bytes().replace(b"\r\n", b"\n")
        digest.update(f"{path.name}\n{len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


def _split(text: str, separator: str) -> list[str]:
    """Split at a separator outside braces."""
    parts, depth, start = [], 0, 0
    for index, char in enumerate(text):
        depth += (char == "{") - (char == "}")
        if depth == 0 and text.startswith(separator, index):
            parts.append(text[start:index])
            start = index + len(separator)
    return [*parts, text[start:]]


def _parse(pattern: str) -> list[list[str]]:
    """A pattern as a list of places, each a list of alternatives (themselves patterns)."""
    places, index = [], 0
    while index < len(pattern):
        if pattern[index] != "{":
            end = pattern.find("{", index)
            end = len(pattern) if end < 0 else end
            places.append([pattern[index:end]])
            index = end
            continue
        depth, end = 0, index
        for end in range(index, len(pattern)):
            depth += (pattern[end] == "{") - (pattern[end] == "}")
            if depth == 0:
                break
        if depth:
            raise CorpusError(f"unbalanced braces in {pattern!r}")
        alternatives: list[str] = []
        for part in _split(pattern[index + 1 : end], "|"):
            alternatives.extend(_flatten(part))
        places.append(alternatives)
        index = end + 1
    return places


def _flatten(pattern: str) -> list[str]:
    if "{" not in pattern:
        return [pattern]
    return ["".join(choice) for choice in product(*_parse(pattern))]


def expand(pattern: str, limit: int = MAX_PHRASINGS) -> list[str]:
    """All phrasings of a pattern, or `limit` of them picked the same way every time."""
    places = _parse(pattern)
    total = 1
    for place in places:
        total *= len(place)
    if total <= limit:
        found = ("".join(choice) for choice in product(*places))
    else:
        rng = random.Random(pattern)
        found = ("".join(rng.choice(place) for place in places) for _ in range(limit))
    return list(dict.fromkeys(_SPACES.sub(" ", text).strip() for text in found))


class _Reader:
    """Collects topics while the lines of a file go by."""

    def __init__(self, heldout: Heldout, owners: dict[str, str]) -> None:
        self.heldout = heldout
        self.owners = owners  # of every phrasing so far: the first topic keeps it
        self.macros: dict[str, str] = {}
        self.topics: list[Topic] = []
        self.name = ""
        self.patterns: list[tuple[str, ...]] = []
        self.answers: list[str] = []
        self.follow_ups: list[FollowUp] = []

    def _allowed(self, pattern: str) -> tuple[str, ...]:
        text = _MACRO.sub(lambda match: self.macros[match.group(1)], pattern)
        return tuple(q for q in expand(text) if q and not self.heldout.collides(q))

    def _own(self, pattern: str) -> tuple[str, ...]:
        found = self._allowed(pattern)
        return tuple(q for q in found if self.owners.setdefault(q, self.name) == self.name)

    def line(self, line: str) -> None:
        """Take one line."""
        definition = _DEFINITION.match(line)
        if definition:
            self.macros[definition.group(1)] = definition.group(2)
        elif line.startswith("== "):
            self.finish()
            self.name = line[3:].strip()
        elif line.startswith("? "):
            owned = (self._own(pattern) for pattern in _split(line[2:], " / "))
            self.patterns.extend(questions for questions in owned if questions)
        elif line.startswith("> "):
            self.answers.append(line[2:].strip())
        elif line.startswith("+ ") and " => " in line:
            pattern, answer = line[2:].split(" => ", 1)
            self.follow_ups.append(FollowUp(self._allowed(pattern), answer.strip()))
        elif line and not line.startswith("#"):
            raise CorpusError(f"cannot read the line {line!r}")

    def finish(self) -> None:
        """Close the current topic."""
        if self.name:
            if not self.patterns or not self.answers:
                raise CorpusError(f"topic {self.name!r} needs a question and an answer")
            self.topics.append(
                Topic(
                    self.name,
                    tuple(self.patterns),
                    tuple(self.answers),
                    tuple(f for f in self.follow_ups if f.questions),
                )
            )
        self.name, self.patterns, self.answers, self.follow_ups = "", [], [], []


def load_corpus(heldout: Heldout, directory: Path = TEXT_DIR) -> Corpus:
    """Read and expand the training text, leaving out every phrasing close to a held-out one.

    Raises CorpusError for a malformed line and KeyError for an unknown `$name`.
    """
    topics: list[Topic] = []
    proper: set[str] = set()
    owners: dict[str, str] = {}
    for path in sorted(directory.glob("*.txt")):
        if path.name == "systems.txt":
            continue
        reader = _Reader(heldout, owners)
        for line in path.read_text(encoding="utf-8").splitlines():
            reader.line(line.strip())
        reader.finish()
        topics.extend(reader.topics)
        for name in _PROPER:
            for value in expand(reader.macros.get(name, "")):
                proper.update(word for word in value.split() if word not in _SMALL_WORDS)
    lines = (directory / "systems.txt").read_text(encoding="utf-8").splitlines()
    systems = tuple(line.strip() for line in lines if line.strip() and line[0] != "#")
    return Corpus(tuple(topics), systems, frozenset(proper))
