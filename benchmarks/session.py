"""An engine under test and the requests it is given."""

from __future__ import annotations

import queue
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

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
from ai_model.hardware import num_usable_cpus
from ai_model.prompt import ChatMessage, FittedPrompt, Role, fit_prompt
from benchmarks.words import words

LOAD_TIMEOUT_S = 180.0
EVENT_TIMEOUT_S = 300.0


class Listener:
    """Keeps the events of one request with the second each arrived."""

    def __init__(self, request_id: str) -> None:
        self.request_id = request_id
        self.submitted = time.perf_counter()
        self.arrivals: list[tuple[float, EngineEvent]] = []
        self.token_times: list[float] = []
        """When each token came, in seconds of ``time.perf_counter``."""
        self._queue: queue.Queue[tuple[float, EngineEvent]] = queue.Queue()

    def __call__(self, event: EngineEvent) -> None:
        self._queue.put((time.perf_counter(), event))

    def next(self) -> EngineEvent:
        """Wait for the next event."""
        arrival = self._queue.get(timeout=EVENT_TIMEOUT_S)
        self.arrivals.append(arrival)
        at, event = arrival
        if isinstance(event, Delta) and event.tokens:
            self.token_times.append(at)
        return event

    def finish(self) -> Finished:
        """Wait for the end."""
        while True:
            event = self.next()
            if isinstance(event, Finished):
                return event

    def wait_for_tokens(self, count: int) -> None:
        """Wait until ``count`` tokens have come."""
        while len(self.token_times) < count:
            self.next()

    @property
    def text(self) -> str:
        """The answer."""
        return "".join(event.text for _, event in self.arrivals if isinstance(event, Delta))

    @property
    def ttft_s(self) -> float:
        """Seconds from submission to the first token."""
        return self.token_times[0] - self.submitted

    @property
    def gaps_ms(self) -> list[float]:
        """Milliseconds between tokens."""
        times = self.token_times
        return [(later - earlier) * 1000 for earlier, later in zip(times, times[1:], strict=False)]


@contextmanager
def running_engine(model: Path, **settings: int) -> Iterator[Engine]:
    """Load ``model`` into an engine, closed at the end. Raises RuntimeError when that fails."""
    values = {"num_instances": 8, "n_ctx": 1024, "num_threads": num_usable_cpus(), **settings}
    engine = Engine(EngineConfig(model_path=model, **values))
    engine.start()
    try:
        deadline = time.monotonic() + LOAD_TIMEOUT_S
        while engine.state is EngineState.LOADING and time.monotonic() < deadline:
            time.sleep(0.01)
        if engine.state is not EngineState.READY:
            raise RuntimeError(engine.snapshot().failure or "the model did not load in time")
        yield engine
    finally:
        engine.close(timeout_s=60)


def prompt_of(engine: Engine, num_tokens: int, seed: int) -> FittedPrompt:
    """Return a prompt of exactly ``num_tokens`` tokens of ordinary words, no system prompt."""
    tokens = engine.tokenizer.tokenize(words(num_tokens, seed))
    opening = [] if engine.tokenizer.bos is None else [engine.tokenizer.bos]
    exact = tuple(opening + tokens)[:num_tokens]
    return FittedPrompt(tokens=exact, num_system_tokens=0, num_dropped_turns=0)


def text_of(engine: Engine, num_tokens: int, seed: int) -> str:
    """Return ordinary words of about ``num_tokens`` tokens."""
    text = words(num_tokens, seed).split()
    while len(engine.tokenizer.tokenize(" ".join(text))) > num_tokens:
        text = text[: len(text) - 1 - len(text) // 20]
    return " ".join(text)


def chat_prompt(engine: Engine, messages: Sequence[ChatMessage], max_tokens: int) -> FittedPrompt:
    """Return the prompt of a conversation."""
    return fit_prompt(
        messages,
        tokenizer=engine.tokenizer,
        n_ctx=engine.n_ctx,
        max_tokens=max_tokens,
        max_messages=200,
    )


def submit(
    engine: Engine, prompt: FittedPrompt, *, name: str, max_tokens: int, conversation: str = ""
) -> Listener:
    """Begin an answer of ``max_tokens`` tokens of word salad."""
    listener = Listener(f"{name} {time.monotonic_ns()}")
    engine.submit(
        EngineRequest(
            id=listener.request_id,
            conversation=conversation or name,
            visitor=name,
            prompt=prompt,
            sampling=SamplingParams(
                max_tokens=max_tokens, temperature=0.8, top_k=40, repeat_penalty=1.0, seed=1
            ),
        ),
        listener,
    )
    return listener


def talk(system: str, *texts: str) -> list[ChatMessage]:
    """Return a conversation whose ``texts`` are user, assistant, user, ... messages."""
    roles = (Role.USER, Role.ASSISTANT)
    turns = [ChatMessage(roles[index % 2], text) for index, text in enumerate(texts)]
    return [ChatMessage(Role.SYSTEM, system), *turns]
