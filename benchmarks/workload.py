"""The chat workload: visitors who talk in turns, the same words for every system under test."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.report import Row, percentile
from benchmarks.words import SYSTEM_PROMPT_WORDS, words

MESSAGE_WORDS = 24
ANSWER_TOKENS = 32
MAX_PAUSE_S = 1.0

Message = tuple[str, str]
"""Role and text."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One measured answer: seconds to its first token and to its end, its tokens and text."""

    ttft_s: float
    total_s: float
    num_tokens: int
    text: str


System = Callable[[int, Sequence[Message]], Answer]
"""A system under test: answers the messages of a visitor; called from one thread per visitor."""


def run_workload(system: System, *, visitors: int, turns: int, seed: int = 0) -> Row:
    """Let ``visitors`` talk ``turns`` turns each at the same time; returns the figures of all
    answers."""
    answers: list[Answer] = []
    failures: list[BaseException] = []
    lock = threading.Lock()

    def visit(visitor: int) -> None:
        choose = random.Random(seed * 1000 + visitor)
        messages: list[Message] = [("system", words(SYSTEM_PROMPT_WORDS, 1))]
        try:
            for turn in range(turns):
                time.sleep(choose.random() * MAX_PAUSE_S)
                text = words(MESSAGE_WORDS, seed * 100_000 + visitor * 100 + turn)
                messages.append(("user", text))
                answer = system(visitor, tuple(messages))
                messages.append(("assistant", answer.text))
                with lock:
                    answers.append(answer)
        except BaseException as error:
            failures.append(error)

    started = time.perf_counter()
    threads = [threading.Thread(target=visit, args=(visitor,)) for visitor in range(visitors)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    seconds = time.perf_counter() - started
    ttft = [answer.ttft_s for answer in answers]
    total = [answer.total_s for answer in answers]
    return {
        "tok_s": sum(answer.num_tokens for answer in answers) / seconds,
        "ttft_p50_s": percentile(ttft, 0.5),
        "ttft_p95_s": percentile(ttft, 0.95),
        "total_p50_s": percentile(total, 0.5),
        "total_p95_s": percentile(total, 0.95),
    }
