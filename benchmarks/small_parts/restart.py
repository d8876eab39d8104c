"""A long conversation after a restart: nothing of it is in memory any more."""

from __future__ import annotations

import asyncio
from pathlib import Path

from benchmarks.report import percentile
from benchmarks.small_parts.caged_site import CagedSite, caged_site
from benchmarks.small_parts.figure import Figure
from benchmarks.small_parts.follow_up import (
    ANSWER_TOKENS,
    QUESTION_WORDS,
    answered,
    hold_conversation,
)
from benchmarks.small_parts.visitor import Heard, Visitor

NUM_VISITORS, NUM_QUICK = 10, 2


def run(model: Path, is_quick: bool) -> list[Figure]:
    """Let some have long conversations, restart the server, and let each go on once."""
    count = NUM_QUICK if is_quick else NUM_VISITORS
    with caged_site(model, settings={"CORRAL_MAX_TOKENS": str(ANSWER_TOKENS)}) as site:
        visitors = [Visitor(site.port, number) for number in range(count)]
        asyncio.run(_hold(visitors))
        site.stop()
        site.start()
        heard = asyncio.run(_go_on(site, visitors))
    totals = [one.total_s * ANSWER_TOKENS / max(1, one.num_tokens) for one in heard]
    return [
        Figure(
            "after a restart: first token, p50", percentile([o.ttft_s for o in heard], 0.5), "s"
        ),
        Figure("after a restart: tokens read, most", float(max(_num_read(o) for o in heard))),
        Figure("after a restart: whole 64 tokens, p95", percentile(totals, 0.95), "s", at_most=20),
    ]


def _num_read(heard: Heard) -> int:
    return heard.num_prompt - heard.num_cached


async def _hold(visitors: list[Visitor]) -> None:
    for visitor in visitors:
        await hold_conversation(visitor)


async def _go_on(site: CagedSite, visitors: list[Visitor]) -> list[Heard]:
    heard = []
    for visitor in visitors:
        visitor.move(site.port)
        heard.append(answered(await visitor.ask(QUESTION_WORDS)))
    return heard
