"""What a warm-up saves: the first token of a follow-up whose history nobody remembers."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ai_model.engine.request import SamplingParams
from ai_model.hardware import num_usable_cpus
from ai_model.pool.client import PoolClient
from ai_model.pool.config import PoolConfig
from ai_model.pool.errors import PoolUnavailable
from ai_model.pool.request import PoolRequest
from ai_model.pool.status import PoolState
from ai_model.pool.thread import PoolThread
from ai_model.prompt import ChatMessage, Role
from benchmarks.report import Report, Row, percentile
from benchmarks.words import words

HISTORY_TOKENS = 800
NUM_EXCHANGES = 4
QUESTION_TOKENS = 30
SYSTEM_TOKENS = 80
MARKER_TOKENS = 9
"""Tokens that say whose message begins and that it ends."""
ANSWER_TOKENS = 8
TIMEOUT_S = 240.0
LOOK_EVERY_S = 0.005
EARLY_SHARE = 0.5
"""A hasty visitor asks after this share of the warm-up."""


def run(model: Path, *, quick: bool = False) -> Report:
    """Measure the time to first token without a warm-up, behind one, and in the midst of one.

    Every follow-up belongs to a conversation of its own whose KV state is nowhere; the system
    prompt alone is known. Raises RuntimeError when the pool does not start.
    """
    repeats = 2 if quick else 7
    report = Report(name="warm", model=model.name)
    config = PoolConfig(
        model_path=model,
        max_instances=1,
        n_ctx=2048,
        max_tokens=512,
        num_threads=num_usable_cpus(),
        # A machine that is busy with other things makes bad numbers, but it makes them.
        first_token_timeout_s=TIMEOUT_S,
        stall_timeout_s=TIMEOUT_S,
        total_timeout_s=TIMEOUT_S,
    )
    with PoolThread(config) as pool:
        report.rows += asyncio.run(_measure(pool.socket_path, repeats))
    without, behind = (float(str(report.rows[at]["ttft_p50_s"])) for at in (0, 1))
    report.totals = {"ttft_ratio": behind / without}
    return report


@dataclass(frozen=True, slots=True)
class FollowUp:
    """One measured question."""

    ttft_s: float
    num_prompt: int
    num_cached: int
    warm_s: float = 0.0


async def _measure(socket_path: Path, repeats: int) -> list[Row]:
    client = PoolClient(socket_path)
    try:
        async with asyncio.timeout(TIMEOUT_S):
            await _wait_until_ready(client)
        per_word = await _tokens_per_word(client)
        seeds = iter(range(10_000))
        # The system prompt is known to every site that has been asked once.
        await _ask(client, _request(next(seeds), per_word, has_history=False))
        without = [await _ask(client, _request(next(seeds), per_word)) for _ in range(repeats)]
        behind = [await _warm_and_ask(client, next(seeds), per_word) for _ in range(repeats)]
        early_s = EARLY_SHARE * percentile([one.warm_s for one in behind], 0.5)
        early = [
            await _warm_and_ask(client, next(seeds), per_word, patience_s=early_s)
            for _ in range(repeats)
        ]
    finally:
        await client.close()
    return [_row("without", without), _row("warmed up", behind), _row("half warmed up", early)]


def _row(case: str, answers: Sequence[FollowUp]) -> Row:
    middle = sorted(answers, key=lambda one: one.ttft_s)[len(answers) // 2]
    return {
        "case": case,
        "ttft_p50_s": middle.ttft_s,
        "ttft_max_s": max(one.ttft_s for one in answers),
        "prompt_tokens": middle.num_prompt,
        "cached_tokens": middle.num_cached,
        "warm_s": middle.warm_s,
    }


async def _warm_and_ask(
    client: PoolClient, seed: int, per_word: float, patience_s: float = TIMEOUT_S
) -> FollowUp:
    """Warm a conversation up for ``patience_s`` at most, then ask."""
    request = _request(seed, per_word)
    history = (*request.messages[:-1], ChatMessage(Role.USER, ""))
    began = time.perf_counter()

    async def warm() -> bool:
        warm_up = replace(request, generation=str(uuid.uuid4()), messages=history)
        return await client.warm(warm_up)

    if not await warm():
        raise RuntimeError("the pool was not idle")
    # While it reads the pool says no to another warm-up; then it says yes and does nothing.
    while time.perf_counter() - began < patience_s:
        await asyncio.sleep(LOOK_EVERY_S)
        if await warm():
            break
    warm_s = time.perf_counter() - began
    return replace(await _ask(client, request), warm_s=warm_s)


async def _ask(client: PoolClient, request: PoolRequest) -> FollowUp:
    ttft_s = None
    async with asyncio.timeout(TIMEOUT_S):
        began = time.perf_counter()
        await client.submit(request)
        async for frame in client.subscribe(request.generation):
            if frame["type"] == "gen.delta" and ttft_s is None:
                ttft_s = time.perf_counter() - began
    if frame["type"] != "gen.done" or ttft_s is None:
        raise RuntimeError(f"the pool did not answer: {frame}")
    usage = frame["usage"]
    return FollowUp(ttft_s, usage["prompt"], usage["cached"])


def _request(seed: int, per_word: float, *, has_history: bool = True) -> PoolRequest:
    """Return a follow-up of a conversation of its own, the same for the same seed."""
    num_words = round((HISTORY_TOKENS / NUM_EXCHANGES / 2 - MARKER_TOKENS) / per_word)
    roles = (Role.USER, Role.ASSISTANT)
    history = [
        ChatMessage(roles[number % 2], words(num_words, 100 * seed + number))
        for number in range(2 * NUM_EXCHANGES if has_history else 0)
    ]
    return PoolRequest(
        generation=str(uuid.uuid4()),
        conversation=f"conversation {seed}",
        visitor=f"visitor {seed}",
        messages=(
            ChatMessage(Role.SYSTEM, words(round(SYSTEM_TOKENS / per_word), 1)),
            *history,
            ChatMessage(Role.USER, words(round(QUESTION_TOKENS / per_word), 100 * seed + 99)),
        ),
        # What an answer may have decides where history is cut; these words are never complete.
        sampling=SamplingParams(temperature=0.8, seed=1, max_tokens=ANSWER_TOKENS),
    )


async def _tokens_per_word(client: PoolClient) -> float:
    return await client.count_tokens(words(400, 7)) / 400


async def _wait_until_ready(client: PoolClient) -> None:
    while True:
        try:
            status = await client.status()
        except PoolUnavailable:
            pass
        else:
            if status.state is PoolState.READY:
                return
            if status.state is PoolState.FAILED:
                raise RuntimeError(status.reason)
        await asyncio.sleep(0.05)
