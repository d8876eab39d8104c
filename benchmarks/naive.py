"""The pool most projects write: several separate ``Llama`` objects handed out one request at a
time."""

from __future__ import annotations

import queue
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import llama_cpp
from llama_cpp import llama_cpp as lib

from ai_model.engine import amx
from ai_model.hardware import num_usable_cpus
from benchmarks.own_thread import run_on_own_thread
from benchmarks.workload import ANSWER_TOKENS, Answer, Message, System

WAIT_S = 900.0


@contextmanager
def naive_pool(model: Path, *, num_objects: int = 4) -> Iterator[System]:
    """Preload ``num_objects`` objects; each request takes a free one and gives it back."""
    objects: queue.Queue[Any] = queue.Queue()
    for _ in range(num_objects):
        objects.put(run_on_own_thread(lambda: _load(model)))

    def answer(visitor: int, messages: Sequence[Message]) -> Answer:
        started = time.perf_counter()
        llama = objects.get(timeout=WAIT_S)
        try:
            return _complete(llama, messages, started)
        finally:
            objects.put(llama)

    yield answer
    while not objects.empty():
        objects.get().close()


def load_per_request(model: Path) -> System:
    """Return a system that loads the model for every answer and drops it afterwards."""

    def answer(visitor: int, messages: Sequence[Message]) -> Answer:
        started = time.perf_counter()
        llama = _load(model)
        try:
            return _complete(llama, messages, started)
        finally:
            llama.close()

    return answer


def _load(model: Path) -> Any:
    default = lib.llama_model_default_params

    def safe() -> Any:
        params = default()
        params.use_extra_bufts = amx.is_safe_to_pack()
        return params

    lib.llama_model_default_params = safe
    try:
        return llama_cpp.Llama(
            str(model),
            n_ctx=1024,
            n_batch=512,
            n_threads=num_usable_cpus(),
            n_threads_batch=num_usable_cpus(),
            flash_attn=True,
            chat_format="zephyr",
            verbose=False,
        )
    finally:
        lib.llama_model_default_params = default


def _complete(llama: Any, messages: Sequence[Message], started: float) -> Answer:
    pieces: list[str] = []
    first = 0.0
    for chunk in llama.create_chat_completion(
        messages=[{"role": role, "content": text} for role, text in messages],
        max_tokens=ANSWER_TOKENS,
        temperature=0.8,
        top_k=40,
        repeat_penalty=1.0,
        seed=1,
        stream=True,
    ):
        piece = chunk["choices"][0]["delta"].get("content")
        if piece:
            first = first or time.perf_counter()
            pieces.append(piece)
    ended = time.perf_counter()
    return Answer(first - started, ended - started, len(pieces), "".join(pieces))
