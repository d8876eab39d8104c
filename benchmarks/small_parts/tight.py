"""A group in which the larger model only just fits: answers come, or it says so; nobody dies."""

from __future__ import annotations

import asyncio
from pathlib import Path

from ai_model.memory.level import MemoryLevel
from benchmarks.small_parts.caged_site import CagedSite, Observer, caged_site
from benchmarks.small_parts.figure import TIGHT_BYTES, Figure
from benchmarks.small_parts.mix import pool_status
from benchmarks.small_parts.visitor import Heard, Visitor

NUM_ANSWERS, NUM_QUICK = 20, 2
QUESTION_WORDS = 12


def run(model: Path, is_quick: bool) -> list[Figure]:
    """Ask some questions one after the other."""
    count = NUM_QUICK if is_quick else NUM_ANSWERS
    with caged_site(model, memory_bytes=TIGHT_BYTES) as site, Observer(site) as observer:
        heard = asyncio.run(_ask(site, count))
        status = asyncio.run(pool_status(site))
        peaks = observer.peaks
    answers = [one for one in heard if not one.refusal]
    reduced = sum(one.quality != "full" for one in answers)
    is_told = reduced > 0 or len(answers) < len(heard)
    is_tight = MemoryLevel(status.memory.level or "low") >= MemoryLevel.HIGH
    return [
        Figure("1.2 GiB: level", status.memory.level),
        Figure("1.2 GiB: answers", float(len(answers))),
        Figure("1.2 GiB: reduced answers", float(reduced)),
        Figure("1.2 GiB: full, or says that it is not", float(is_told or not is_tight), at_least=1),
        Figure("1.2 GiB: OOM kills", float(peaks.num_oom_kills), at_most=0),
        Figure("1.2 GiB: restarts", float(status.num_restarts), at_most=0),
    ]


async def _ask(site: CagedSite, count: int) -> list[Heard]:
    visitor = Visitor(site.port, 1)
    return [await visitor.ask(QUESTION_WORDS) for _ in range(count)]
