"""Hundreds of answers for three and for twelve visitors: what memory does meanwhile."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from pathlib import Path

from ai_model.pool.client import PoolClient
from ai_model.pool.status import PoolStatus
from benchmarks.small_parts.caged_site import CagedSite, Observer, caged_site
from benchmarks.small_parts.figure import MB, Figure
from benchmarks.small_parts.visitor import Heard, Visitor

NUM_ANSWERS, NUM_QUICK = 500, 20
FEW, MANY = 3, 12
MAX_TOKENS = "64"
"""Synthetic weights never end an answer by themselves."""
WARM_S = 60.0
"""The model is read from disk in the first minute."""
EARLY_SHARE = 0.2
"""After this share of the answers, the first hundred, memory should have come to rest."""
SETTLE_S = 3.0


@dataclass
class Crowd:
    """What a number of visitors met."""

    answers: list[Heard] = field(default_factory=list)
    refusals: list[Heard] = field(default_factory=list)
    num_broken: int = 0
    """Lines that were closed, and answers that did not end."""
    early_bytes: int = 0
    warm: tuple[int, int] | None = None
    """Major faults and tokens when the first minute was over."""

    @property
    def num_tokens(self) -> int:
        """Tokens of all answers."""
        return sum(one.num_tokens for one in self.answers)


def run(model: Path, is_quick: bool) -> list[Figure]:
    """Let few and then many visitors chat on one site."""
    count = NUM_QUICK if is_quick else NUM_ANSWERS
    settings = {"CORRAL_MAX_TOKENS": MAX_TOKENS}
    figures: list[Figure] = []
    with caged_site(model, settings=settings) as site, Observer(site) as observer:
        rest = site.sensor().read()
        before = asyncio.run(pool_status(site))
        figures.append(Figure("level at rest", str(before.memory.level)))
        figures.append(Figure("unreclaimable at rest", rest.unreclaimable_bytes / MB, "MB"))
        for number in (FEW, MANY):
            began_faults = site.num_major_faults()
            crowd = asyncio.run(_chat(site, number, count))
            time.sleep(SETTLE_S)
            figures += _figures(site, crowd, number, began_faults, is_quick)
        after = asyncio.run(pool_status(site))
        peaks = observer.peaks
    is_same = (before.pid, before.life) == (after.pid, after.life)
    return [
        *figures,
        Figure("peak unreclaimable", peaks.unreclaimable_bytes / MB, "MB", at_most=300),
        Figure("highest level (0 low, 1 medium)", float(peaks.level.rank), at_most=1),
        Figure("OOM kills", float(peaks.num_oom_kills), at_most=0),
        Figure("restarts", float(after.num_restarts + (not is_same)), at_most=0),
        Figure("instances", float(after.num_instances)),
    ]


def _figures(
    site: CagedSite, crowd: Crowd, number: int, began_faults: int, is_quick: bool
) -> list[Figure]:
    at_end = site.sensor().read().unreclaimable_bytes
    reduced = sum(one.quality != "full" for one in crowd.answers)
    warm_faults, warm_tokens = crowd.warm or (began_faults, 0)
    tokens = crowd.num_tokens - warm_tokens
    faults = site.num_major_faults() - warm_faults
    name = f"{number} visitors: "
    return [
        Figure(f"{name}answers", float(len(crowd.answers))),
        Figure(f"{name}reduced answers", float(reduced), at_most=0),
        Figure(f"{name}refused, asked again", float(len(crowd.refusals))),
        Figure(f"{name}broken", float(crowd.num_broken), at_most=0),
        Figure(
            f"{name}major faults per token"
            + ("" if crowd.warm else " (the first minute as well: too short)"),
            faults / max(1, tokens),
            at_most=0.01 if crowd.warm else None,
        ),
        Figure(
            f"{name}unreclaimable, last against first fifth",
            (at_end - crowd.early_bytes) / MB,
            "MB",
            # A few answers are no time to come to rest in.
            at_most=None if is_quick else 3,
        ),
    ]


async def pool_status(site: CagedSite) -> PoolStatus:
    """Ask the pool how it is."""
    client = PoolClient(site.socket_path)
    try:
        return await client.status(timeout_s=10)
    finally:
        await client.close()


async def _chat(site: CagedSite, num_visitors: int, count: int) -> Crowd:
    crowd = Crowd()
    sensor = site.sensor()
    began = time.perf_counter()

    async def visit(number: int) -> None:
        visitor = Visitor(site.port, number)
        while len(crowd.answers) < count and crowd.num_broken < count:
            try:
                heard = await visitor.chat()
            except (OSError, TimeoutError):
                crowd.num_broken += 1
                continue
            if heard.refusal:
                crowd.refusals.append(heard)
                continue
            crowd.answers.append(heard)
            if crowd.warm is None and time.perf_counter() - began > WARM_S:
                crowd.warm = (site.num_major_faults(), crowd.num_tokens)
            if len(crowd.answers) == max(1, int(count * EARLY_SHARE)):
                crowd.early_bytes = sensor.read().unreclaimable_bytes

    async with asyncio.TaskGroup() as tasks:
        for number in range(num_visitors):
            tasks.create_task(visit(100 * num_visitors + number))
    return crowd
