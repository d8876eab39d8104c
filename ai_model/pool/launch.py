"""What a pool process is told at its start, and the few words it says back to its supervisor."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from ai_model.pool.config import PoolConfig
from ai_model.pool.errors import BadFrame
from ai_model.pool.fields import Fields
from ai_model.pool.frames import decode, encode
from ai_model.pool.orders import NO_ORDERS, Orders
from ai_model.pool.restarts import Restarts
from ai_model.sandbox.sandbox import Sandbox, SandboxMode

MAX_PRIVATE_PATHS = 100
TAKEOVER_S = 5.0
"""So long a new process waits for an earlier one to leave the socket's path."""
EXIT_CANNOT_START = 73


class Word(StrEnum):
    """First word of a line from the pool process; a sentence may follow."""

    LISTENING = "listening"
    """The socket is there."""
    ANSWERED = "answered"
    """The first complete answer of this process. Said once."""
    FAILED = "failed"
    """The process cannot do its work; the sentence says why."""
    ORDERS = "orders"
    """What the operator's orders are from now on; they follow (see Orders)."""
    RESTARTING = "restarting"
    """The process ends because the operator wants a new one; nothing is wrong."""
    ALIVE = "alive"
    """Said about once a second; how the engine is doing follows (see Pulse)."""


@dataclass(frozen=True, slots=True)
class Launch:
    """The first line on the standard input of a pool process."""

    config: PoolConfig
    socket_path: Path
    restarts: Restarts = Restarts()
    """What happened to the processes before this one."""
    orders: Orders = NO_ORDERS
    """What the operator had told them."""
    sandbox: Sandbox = Sandbox()
    """What the process is to give up before it loads anything."""

    @property
    def models(self) -> tuple[Path, ...]:
        """The files that it may have to load."""
        ordered = self.orders.model_path
        return (self.config.model_path, *(() if ordered is None else (ordered,)))

    def to_line(self) -> bytes:
        """Return the line."""
        return encode(
            {
                "type": "launch",
                "config": self.config.to_json(),
                "socket": str(self.socket_path),
                "num_restarts": self.restarts.num,
                "last_cause": self.restarts.last_cause,
                "orders": self.orders.to_json(),
                "sandbox": self.sandbox.to_json(),
            }
        )

    @classmethod
    def from_line(cls, line: bytes) -> Launch:
        """Return what ``to_line`` wrote. Raises BadFrame."""
        values = Fields(decode(line))
        return cls(
            PoolConfig.from_json(values.mapping("config")),
            Path(values.text("socket")),
            Restarts(
                values.integer("num_restarts", default=0), values.text("last_cause", default="")
            ),
            Orders.from_json(values.mapping("orders", default={})),
            _read_sandbox(values.mapping("sandbox")),
        )


def _read_sandbox(value: dict[str, Any]) -> Sandbox:
    values = Fields(value, "the sandbox")
    private = values.items("private", max_items=MAX_PRIVATE_PATHS)
    if not all(isinstance(path, str) for path in private):
        raise BadFrame("private of the sandbox is not a list of paths")
    try:
        mode = SandboxMode(values.text("mode"))
    except ValueError:
        raise BadFrame("mode of the sandbox is unknown") from None
    return Sandbox(mode=mode, private=tuple(map(Path, private)))


@dataclass(frozen=True, slots=True)
class Pulse:
    """What a pool process says of its engine."""

    silent_s: float = 0.0
    """Seconds for which the engine has shown no sign of life although it had work."""
    num_running: int = 0
    """Requests the engine has in hand."""

    def to_sentence(self) -> str:
        """Return the words that follow ALIVE."""
        return f"{self.silent_s:.1f} {self.num_running}"

    @classmethod
    def from_sentence(cls, sentence: str) -> Pulse:
        """Return what ``to_sentence`` wrote; anything else is an engine without a complaint."""
        try:
            silent_s, num_running = sentence.split()
            return cls(float(silent_s), int(num_running))
        except ValueError:
            return cls()


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
