"""The engine as the pool sees it, so that a stand-in can take its place in tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from ai_model.engine.config import EngineConfig
from ai_model.engine.events import EngineEvent
from ai_model.engine.request import EngineRequest
from ai_model.prompt import Tokenizer

if TYPE_CHECKING:
    from ai_model.engine.snapshot import EngineSnapshot, EngineState


class EnginePort(Protocol):
    """What the pool needs of an engine. All methods are thread-safe."""

    def start(self) -> None:
        """Begin loading; returns at once."""

    def submit(self, request: EngineRequest, listener: Callable[[EngineEvent], None]) -> None:
        """Begin an answer. Raises NoFreeInstance, EngineNotReady, ValueError."""

    def cancel(self, request_id: str) -> None:
        """End an answer; its Finished follows. Idempotent."""

    def resize(self, num_instances: int) -> None:
        """Change the number of instances while answers run; takes effect a moment later.

        Raises ValueError for a number that no engine can have.
        """

    def limit_parking(self, max_bytes: int) -> None:
        """Keep at most ``max_bytes`` of parked conversations from a moment later on."""

    def switch_model(self, config: EngineConfig) -> None:
        """Answer with another model once the running answers have finished; LOADING until then.

        When it cannot be loaded the old one stays, and the snapshot's ``failure`` says why. Raises
        EngineNotReady.
        """

    def wake(self) -> None:
        """Load the model again if the engine sleeps; returns at once."""

    def snapshot(self) -> EngineSnapshot:
        """Say how the engine is doing, without waiting for it."""

    @property
    def tokenizer(self) -> Tokenizer:
        """The tokenizer of the loaded model."""

    def close(self, timeout_s: float = 10.0) -> None:
        """End everything. Idempotent."""


EngineFactory = Callable[[EngineConfig, Callable[["EngineState"], None]], EnginePort]


def make_engine(config: EngineConfig, on_state: Callable[[EngineState], None]) -> EnginePort:
    """Return the real engine. Importing it takes a while (llama.cpp), so it happens here."""
    from ai_model.engine.engine import Engine

    return Engine(config, on_state)
