"""What a pool process is told at its start, and the few words it says back to its supervisor."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from ai_model.pool.config import PoolConfig
from ai_model.pool.fields import Fields
from ai_model.pool.frames import decode, encode


class Word(StrEnum):
    """First word of a line from the pool process; a sentence may follow."""

    LISTENING = "listening"
    """The socket is there."""
    ANSWERED = "answered"
    """The first complete answer of this process. Said once."""
    FAILED = "failed"
    """The process cannot do its work; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Launch:
    """The first line on the standard input of a pool process."""

    config: PoolConfig
    socket_path: Path

    def to_line(self) -> bytes:
        """Return the line."""
        frame = {"type": "launch", "config": self.config.to_json(), "socket": str(self.socket_path)}
        return encode(frame)

    @classmethod
    def from_line(cls, line: bytes) -> Launch:
        """Return what ``to_line`` wrote. Raises BadFrame."""
        values = Fields(decode(line))
        return cls(PoolConfig.from_json(values.mapping("config")), Path(values.text("socket")))


def say(word: Word, sentence: str = "") -> bytes:
    """Return the line for the supervisor."""
    return f"{word} {' '.join(sentence.split())}".strip().encode() + b"\n"


def understand(line: bytes) -> tuple[Word, str] | None:
    """Return the word and sentence of a line, None when something else was printed."""
    word, _, sentence = line.decode("utf-8", "replace").strip().partition(" ")
    try:
        return Word(word), sentence
    except ValueError:
        return None
