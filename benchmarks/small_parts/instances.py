"""How many instances the pool takes on one core, and what that brings."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from ai_model.pool.status import PoolStatus
from benchmarks.small_parts.caged_site import CagedSite, caged_site
from benchmarks.small_parts.figure import Figure
from benchmarks.small_parts.follow_up import ANSWER_TOKENS, answered
from benchmarks.small_parts.mix import pool_status
from benchmarks.small_parts.visitor import Heard, Visitor

QUESTION_WORDS = 12
SETTLE_S = 60.0
LOOK_EVERY_S = 1.0
LEAST_S = 0.5
"""Shorter times say nothing: the answers of a tiny model are over before the next one begins."""


def run(model: Path, is_quick: bool) -> list[Figure]:
    """Compare one visitor alone with as many as the pool can answer at once."""
    rounds = 1 if is_quick else 5
    with caged_site(model, settings={"CORRAL_MAX_TOKENS": str(ANSWER_TOKENS)}) as site:
        status = asyncio.run(_settled(site))
        chosen = max(1, status.max_instances)
        # The first of all answers is not measured: it brings the model from disk.
        asyncio.run(_tok_s(site, 1, 1))
        alone = asyncio.run(_tok_s(site, 1, rounds))
        together = asyncio.run(_tok_s(site, chosen, rounds)) if chosen > 1 else alone
    steps = status.model.step_us if status.model else {}
    curve = ", ".join(
        f"{width}: {us / 1000:.1f}" for width, us in sorted(steps.items(), key=_width)
    )
    return [
        Figure("cost of steps by tokens", curve or "not measured", "ms"),
        Figure("instances chosen", float(chosen)),
        *_figures(alone, together),
    ]


def _figures(alone: float, together: float) -> list[Figure]:
    if not (alone and together):
        return [Figure("written", "answers this short are never written side by side")]
    return [
        Figure("written by 1", alone, "tok/s"),
        Figure("written by the chosen number", together, "tok/s"),
        Figure("chosen against 1", together / alone, at_least=1.0),
    ]


def _width(item: tuple[str, int]) -> int:
    return int(item[0])


async def _settled(site: CagedSite) -> PoolStatus:
    """Wait, so far as it comes, for the measured cost of steps: it follows the loading."""
    for _ in range(int(SETTLE_S / LOOK_EVERY_S)):
        status = await pool_status(site)
        if status.model and status.model.step_us:
            break
        await asyncio.sleep(LOOK_EVERY_S)
    return status


async def _tok_s(site: CagedSite, num_visitors: int, rounds: int) -> float:
    """Return the tokens per second in all while so many answers were written side by side; 0 if
    they never were."""
    speeds = []
    visitors = [Visitor(site.port, 10 * num_visitors + number) for number in range(num_visitors)]
    for _ in range(rounds):
        for visitor in visitors:
            visitor.forget()
        heard = await asyncio.gather(*(visitor.ask(QUESTION_WORDS) for visitor in visitors))
        speeds.append(tok_s([answered(one) for one in heard]))
    known = [speed for speed in speeds if speed]
    return sum(known) / len(known) if known else 0.0


def tok_s(heard: Sequence[Heard]) -> float:
    """Return the tokens per second of answers from the moment in which all of them were being
    written until one had ended; 0 if there is no such time.

    Before that one waits while the questions of others are read, and afterwards fewer write.
    """
    begin = max(one.arrivals[0][0] for one in heard)
    end = min(one.ended_at for one in heard)
    if end - begin < LEAST_S:
        return 0.0
    return sum(_tokens_within(one, begin, end) for one in heard) / (end - begin)


def _tokens_within(one: Heard, begin: float, end: float) -> float:
    """Return how many tokens came behind ``begin``, by their characters."""
    all_chars = sum(num for _, num in one.arrivals)
    chars = sum(num for at, num in one.arrivals if begin < at <= end)
    return one.num_tokens * chars / max(1, all_chars)
