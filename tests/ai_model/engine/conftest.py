"""A real engine on a tiny real model, and a listener that collects what it tells."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from ai_model.engine import (
    Delta,
    Engine,
    EngineConfig,
    EngineEvent,
    EngineRequest,
    EngineState,
    Finished,
    SamplingParams,
)
from ai_model.prompt import ChatMessage, Role, fit_prompt
from tests.ai_model.tiny_model import build_tiny_model

WAIT_S = 20.0


class Collector:
    """A listener that keeps the events of one request, for the test's thread to wait on."""

    def __init__(self) -> None:
        self.events: list[EngineEvent] = []
        self._queue: queue.Queue[EngineEvent] = queue.Queue()

    def __call__(self, event: EngineEvent) -> None:
        self._queue.put(event)

    def next(self) -> EngineEvent:
        """Wait for the next event."""
        event = self._queue.get(timeout=WAIT_S)
        self.events.append(event)
        return event

    def until(self, kind: type, count: int = 1) -> list[EngineEvent]:
        """Wait until ``count`` events of a kind have come."""
        while sum(isinstance(event, kind) for event in self.events) < count:
            self.next()
        return self.events

    def finish(self) -> Finished:
        """Wait for the end."""
        while True:
            event = self.next()
            if isinstance(event, Finished):
                assert self._queue.empty(), "Finished is the last event"
                return event

    @property
    def text(self) -> str:
        """The text so far."""
        return "".join(event.text for event in self.events if isinstance(event, Delta))

    @property
    def tokens(self) -> tuple[int, ...]:
        """The tokens so far."""
        return tuple(
            token for event in self.events if isinstance(event, Delta) for token in event.tokens
        )


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random 2-layer Llama model."""
    path = tmp_path_factory.mktemp("model") / "tiny.gguf"
    build_tiny_model(path)
    return path


MakeEngine = Callable[..., Engine]


@contextmanager
def open_engine(model: Path, **settings: object) -> Iterator[Engine]:
    """Load an engine that is closed at the end."""
    values = {"model_path": model, "num_instances": 3, "n_ctx": 512, "num_threads": 1}
    engine = Engine(EngineConfig(**(values | settings)))  # type: ignore[arg-type]
    engine.start()
    try:
        deadline = time.monotonic() + WAIT_S
        while engine.state is EngineState.LOADING and time.monotonic() < deadline:
            time.sleep(0.005)
        yield engine
    finally:
        engine.close()
        assert not engine._thread.is_alive()


@pytest.fixture
def make_engine(tiny_model: Path) -> Iterator[MakeEngine]:
    """Start engines that are closed when the test ends."""
    with ExitStack() as engines:

        def make(model_path: Path = tiny_model, **settings: object) -> Engine:
            return engines.enter_context(open_engine(model_path, **settings))

        yield make


def make_request(
    engine: Engine,
    name: str,
    *turns: str,
    system: str = "You are kind.",
    visitor: str = "v",
    conversation: str = "",
    produced: tuple[int, ...] = (),
    **sampling: object,
) -> EngineRequest:
    """Return a request whose ``turns`` are user, assistant, user, ... messages."""
    sampling = {"temperature": 0.0, "repeat_penalty": 1.0, "max_tokens": 32, **sampling}
    roles = (Role.USER, Role.ASSISTANT)
    messages = [ChatMessage(Role.SYSTEM, system)] if system else []
    messages += [ChatMessage(roles[index % 2], text) for index, text in enumerate(turns)]
    prompt = fit_prompt(
        messages,
        tokenizer=engine.tokenizer,
        n_ctx=engine.n_ctx,
        max_tokens=int(str(sampling["max_tokens"])),
        max_messages=100,
    )
    return EngineRequest(
        id=name,
        conversation=conversation or name,
        visitor=visitor,
        prompt=prompt,
        produced=produced,
        sampling=SamplingParams(**sampling),  # type: ignore[arg-type]
    )


def agreement(one: Sequence[int], other: Sequence[int]) -> float:
    """Return the share of tokens up to the first that differs.

    A random model has near-ties, which the rounding of another batch shape may tip; a wrong KV cell
    makes answers differ from the first tokens on.
    """
    equal = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        equal += 1
    return equal / max(len(one), len(other), 1)


def ask(engine: Engine, request: EngineRequest) -> Collector:
    """Answer a request to its end."""
    collector = Collector()
    engine.submit(request, collector)
    collector.finish()
    return collector
