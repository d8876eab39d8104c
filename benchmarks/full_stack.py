"""What the way of an answer costs: web server, pool protocol and database against the engine alone.

Eight streams at a time from the engine in this process, from a real site by WebSocket, and from the
same site by OpenAI's API; and how much later a lone visitor sees the first word than the engine
has it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from ai_model.engine import Engine
from ai_model.engine.request import EngineRequest, SamplingParams
from ai_model.hardware import num_usable_cpus
from ai_model.profiles import choose_threads
from ai_model.prompt import ChatMessage, Role
from benchmarks.chat_line import new_cookie
from benchmarks.first_word import measure_added
from benchmarks.live_site import LiveSite, live_site
from benchmarks.report import Report, Row
from benchmarks.session import Listener, chat_prompt, running_engine
from benchmarks.socket_client import ask_all
from benchmarks.sse_client import complete
from benchmarks.words import SYSTEM_PROMPT_WORDS, words

STREAMS = 8
ANSWER_TOKENS = 64
MESSAGE_WORDS = 24
N_CTX = 1024
TEMPERATURE = 0.2
"""What the demo model is held to, so that all three ways draw alike."""
SYSTEM_PROMPT = words(SYSTEM_PROMPT_WORDS, 1)
ENGINE, SOCKET, EVENTS = "engine alone", "WebSocket", "SSE of /v1/"


@dataclass(frozen=True, slots=True)
class Round:
    """What came of one round of all streams."""

    seconds: float
    num_tokens: int
    num_prompt: int
    """Tokens of all prompts together."""

    @property
    def tok_s(self) -> float:
        """Tokens per second in all."""
        return self.num_tokens / self.seconds


def run(model: Path, *, quick: bool = False) -> Report:
    """Measure each way in turn, several times, and then first words one at a time.

    Raises RuntimeError when the site does not start or an answer is refused.
    """
    num_rounds, num_first_words = (2, 10) if quick else (6, 100)
    report = Report(name="full_stack", model=model.name)
    num_threads = choose_threads(num_cpus=num_usable_cpus(), model_bytes=model.stat().st_size)
    settings = {
        "CORRAL_N_CTX": str(N_CTX),
        "CORRAL_THREADS": str(num_threads),
        "CORRAL_SYSTEM_PROMPT": SYSTEM_PROMPT,
        "CORRAL_TEMPERATURE": str(TEMPERATURE),
    }
    longest = {"CORRAL_MAX_TOKENS": str(ANSWER_TOKENS)}
    with (
        running_engine(
            model, num_instances=STREAMS, n_ctx=N_CTX, num_threads=num_threads
        ) as engine,
        live_site(model, num_instances=STREAMS, settings=settings | longest) as site,
    ):
        ways = _ways(engine, site)
        for seed, ask in enumerate(ways.values()):
            ask(_questions(-1 - seed))  # system prompts, imports and connections
        rounds: dict[str, list[Round]] = {name: [] for name in ways}
        for number in range(num_rounds):
            # Each goes first as often as the others: a machine is not the same all the time.
            names = list(ways)[number % len(ways) :] + list(ways)[: number % len(ways)]
            for name in names:
                rounds[name].append(ways[name](_questions(number)))
        for name, all_rounds in rounds.items():
            report.rows.append(_row(name, all_rounds))
    alone = float(str(report.rows[0]["tok_s"]))
    for row in report.rows:
        row["of_engine"] = float(str(row["tok_s"])) / alone
    # Short answers: only how each begins counts.
    with live_site(model, num_instances=2, settings=settings | {"CORRAL_MAX_TOKENS": "4"}) as site:
        report.totals = {
            "same_prompts": "yes"
            if len({row["prompt_tokens"] for row in report.rows}) == 1
            else "no",
            **measure_added(site, SYSTEM_PROMPT, num_first_words),
        }
    return report


def _ways(engine: Engine, site: LiveSite) -> dict[str, Callable[[list[str]], Round]]:
    key = site.make_key()
    cookies = [new_cookie(site.port) for _ in range(STREAMS)]

    def by_socket(questions: list[str]) -> Round:
        return _round(asyncio.run(ask_all(site.port, cookies, questions)))

    def by_events(questions: list[str]) -> Round:
        return _by_events(site, key, questions)

    return {
        ENGINE: lambda questions: _alone(engine, questions),
        SOCKET: by_socket,
        EVENTS: by_events,
    }


def _questions(seed: int) -> list[str]:
    return [words(MESSAGE_WORDS, 1000 * seed + number) for number in range(STREAMS)]


def _alone(engine: Engine, questions: list[str]) -> Round:
    """As the pool would hand them on, without a pool."""
    started = time.perf_counter()
    listeners, num_prompt = [], 0
    for number, question in enumerate(questions):
        talk = [ChatMessage(Role.SYSTEM, SYSTEM_PROMPT), ChatMessage(Role.USER, question)]
        prompt = chat_prompt(engine, talk, ANSWER_TOKENS)
        num_prompt += len(prompt.tokens)
        listener = Listener(f"{number} {time.monotonic_ns()}")
        engine.submit(
            EngineRequest(
                id=listener.request_id,
                conversation=listener.request_id,
                visitor=str(number),
                prompt=prompt,
                sampling=SamplingParams(max_tokens=ANSWER_TOKENS, temperature=TEMPERATURE),
            ),
            listener,
        )
        listeners.append(listener)
    for listener in listeners:
        listener.finish()
    seconds = time.perf_counter() - started
    return Round(seconds, sum(len(one.token_times) for one in listeners), num_prompt)


def _by_events(site: LiveSite, key: str, questions: list[str]) -> Round:
    def ask(number: int) -> tuple[float, float, int, int]:
        messages = (("system", SYSTEM_PROMPT), ("user", questions[number]))
        asked = complete(
            site.url,
            messages,
            max_tokens=ANSWER_TOKENS,
            user=str(number),
            key=key,
            temperature=TEMPERATURE,
        )
        num_prompt = int(asked.usage.get("prompt_tokens", 0))
        return asked.sent_at, asked.ended_at, asked.num_tokens, num_prompt

    with ThreadPoolExecutor(STREAMS) as threads:
        return _round(list(threads.map(ask, range(len(questions)))))


def _round(asked: list[tuple[float, float, int, int]]) -> Round:
    sent, ended, tokens, prompts = zip(*asked, strict=True)
    return Round(max(ended) - min(sent), sum(tokens), sum(prompts))


def _row(name: str, rounds: list[Round]) -> Row:
    seconds = sum(one.seconds for one in rounds)
    speeds = sorted(one.tok_s for one in rounds)
    return {
        "way": name,
        "rounds": len(rounds),
        "prompt_tokens": sum(one.num_prompt for one in rounds),
        "tokens": sum(one.num_tokens for one in rounds),
        "tok_s": sum(one.num_tokens for one in rounds) / seconds,
        "tok_s_least": speeds[0],
        "tok_s_most": speeds[-1],
    }
