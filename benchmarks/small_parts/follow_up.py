"""A follow-up question: its first token, and the whole answer against bare decoding."""

from __future__ import annotations

import asyncio
from pathlib import Path

from benchmarks.report import percentile
from benchmarks.small_parts.caged_site import CagedSite, caged_site, run_in_group, small_group
from benchmarks.small_parts.figure import Figure
from benchmarks.small_parts.prefill import module, speed
from benchmarks.small_parts.visitor import Heard, Visitor

NUM_ANSWERS, NUM_QUICK = 10, 2
NUM_EXCHANGES = 5
"""Ten messages of history."""
HISTORY_WORDS = 12
QUESTION_WORDS = 20
"""About as many tokens."""
ANSWER_TOKENS = 64
PAUSE_S = 1.0
"""Nobody has read an answer and typed twenty words in less."""
CONTEXT = 600
"""Tokens behind which such an answer is written."""


def run(model: Path, is_quick: bool) -> list[Figure]:
    """Hold conversations of ten messages, ask once more in each, and measure that answer."""
    count = NUM_QUICK if is_quick else NUM_ANSWERS
    with caged_site(model, settings={"CORRAL_MAX_TOKENS": str(ANSWER_TOKENS)}) as site:
        heard, cut = asyncio.run(_measure(site, count))
    with small_group(model) as cage:
        arguments = ("decode", str(CONTEXT), str(ANSWER_TOKENS))
        bare = speed(run_in_group(cage, *module(model), *arguments))
    # An answer that ended early would look quick.
    totals = [one.total_s * ANSWER_TOKENS / max(1, one.num_tokens) for one in heard]
    whole = percentile(totals, 0.5)
    return [
        Figure("first token of a follow-up, p50", percentile([o.ttft_s for o in heard], 0.5), "s"),
        Figure("first token of a follow-up, worst", max(o.ttft_s for o in heard), "s", at_most=1.0),
        Figure("tokens read for it", float(max(o.num_prompt - o.num_cached for o in heard))),
        Figure("first token behind a cut, p50", percentile([o.ttft_s for o in cut], 0.5), "s"),
        Figure("first token behind a cut, worst", max(o.ttft_s for o in cut), "s", at_most=1.0),
        Figure("tokens read behind a cut", float(max(o.num_prompt - o.num_cached for o in cut))),
        Figure("whole follow-up of 64 tokens, p50", whole, "s", at_most=5.0),
        Figure("bare decoding", bare, "tok/s"),
        Figure("whole follow-up against bare", whole * bare / ANSWER_TOKENS, at_most=1.35),
    ]


async def _measure(site: CagedSite, count: int) -> tuple[list[Heard], list[Heard]]:
    """Return the answers behind ten messages, and those behind twelve, of which some are cut."""
    visitor = Visitor(site.port, 1)
    heard, cut = [], []
    for _ in range(count):
        visitor.forget()
        await hold_conversation(visitor)
        for answers in (heard, cut):
            await asyncio.sleep(PAUSE_S)
            answers.append(answered(await visitor.ask(QUESTION_WORDS)))
    return heard, cut


async def hold_conversation(visitor: Visitor) -> None:
    """Ask until there are ten messages. Raises RuntimeError when a question is refused."""
    for _ in range(NUM_EXCHANGES):
        answered(await visitor.ask(HISTORY_WORDS))


def answered(heard: Heard) -> Heard:
    """Return an answer. Raises RuntimeError for a refusal."""
    if heard.refusal:
        raise RuntimeError(f"a question was refused: {heard.refusal}")
    return heard
