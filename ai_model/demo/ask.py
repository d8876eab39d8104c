"""Asks a demo model through the engine, greedily: for the checker, without a pool."""

from __future__ import annotations

import queue
import time
from pathlib import Path
from typing import Self

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

CONTEXT = 1024
MAX_ANSWER_TOKENS = 250
TIMEOUT_S = 60.0
GREEDY = SamplingParams(temperature=0.0, repeat_penalty=1.0, max_tokens=MAX_ANSWER_TOKENS)


class DemoModel:
    """A loaded model; close it, or use it as a context manager. One thread at a time.

    Raises ValueError when the file cannot be loaded.
    """

    def __init__(self, path: Path, *, num_threads: int = 1) -> None:
        self._engine = Engine(
            EngineConfig(
                model_path=path,
                num_instances=1,
                n_ctx=CONTEXT,
                num_threads=num_threads,
                parked_bytes=0,
            )
        )
        self._num_asked = 0
        self._engine.start()
        deadline = time.monotonic() + TIMEOUT_S
        while self._engine.state is EngineState.LOADING and time.monotonic() < deadline:
            time.sleep(0.01)
        if self._engine.state is not EngineState.READY:
            sentence = self._engine.snapshot().failure
            self.close()
            raise ValueError(sentence or f"{path} cannot be loaded")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the model back."""
        self._engine.close()

    def ask(self, messages: list[dict[str, str]]) -> str:
        """Return the greedy answer to messages with ``role`` and ``content``."""
        return "".join(delta.text for delta in self._answer(messages)).strip()

    def num_answer_tokens(self, messages: list[dict[str, str]]) -> int:
        """Return how many tokens the greedy answer has."""
        return sum(len(delta.tokens) for delta in self._answer(messages))

    def _answer(self, messages: list[dict[str, str]]) -> list[Delta]:
        prompt = fit_prompt(
            [ChatMessage(Role(one["role"]), one["content"]) for one in messages],
            tokenizer=self._engine.tokenizer,
            n_ctx=self._engine.n_ctx,
            max_tokens=MAX_ANSWER_TOKENS,
            max_messages=100,
        )
        self._num_asked += 1
        name = str(self._num_asked)
        events: queue.Queue[EngineEvent] = queue.Queue()
        self._engine.submit(
            EngineRequest(id=name, conversation=name, visitor=name, prompt=prompt, sampling=GREEDY),
            events.put,
        )
        deltas: list[Delta] = []
        while not isinstance(event := events.get(timeout=TIMEOUT_S), Finished):
            if isinstance(event, Delta):
                deltas.append(event)
        if event.error:
            raise RuntimeError(event.error)
        return deltas
