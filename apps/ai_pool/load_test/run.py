"""One run: all visitors against the pool as it is now."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from apps.ai_pool.capacity_plan.outcome import Outcome
from apps.ai_pool.capacity_plan.spread import Spread
from apps.ai_pool.capacity_plan.workload import Workload
from apps.ai_pool.load_test import erasing
from apps.ai_pool.load_test.gauge import Gauge
from apps.ai_pool.load_test.key import HEADER
from apps.ai_pool.load_test.socket_line import LineLost
from apps.ai_pool.load_test.visitor import Visitor, WrongSite

NUM_ERASED_AT_ONCE = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What came of it."""

    outcome: Outcome
    samples: tuple[tuple[float, int, int], ...]
    """Over time: seconds, visitors waiting, answers being written."""
    num_not_erased: int
    """Visitors whose data could not be removed."""

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        samples = [[round(at, 2), waiting, running] for at, waiting, running in self.samples]
        return self.outcome.to_json() | {"samples": samples}


def run_visitors(
    base_url: str,
    key: str,
    workload: Workload,
    num_instances: int,
    done: Callable[[], None] = lambda: None,
) -> Run:
    """Let all visitors come at once and wait for the last of them. Blocks.

    ``done`` is called after every turn. What they wrote is erased before this returns, however it
    ends. Raises WrongSite, or LineLost when nobody gets a line.
    """
    return asyncio.run(_run(base_url, key, workload, num_instances, done))


def site_address(text: str) -> str:
    """Return ``https://host:port`` of an address. Raises ValueError with a sentence."""
    parts = urlsplit(text if "://" in text else f"http://{text}")
    try:
        is_whole = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        is_whole = False
    if not is_whole:
        raise ValueError(f"{text} is not the address of a site such as https://www.example.org")
    return urlunsplit((parts.scheme, parts.netloc, "", "", ""))


async def _run(
    base_url: str, key: str, workload: Workload, num_instances: int, done: Callable[[], None]
) -> Run:
    gauge = Gauge()
    url = f"ws{base_url.removeprefix('http')}/ws/chat/"
    visitors = [
        Visitor(url, {HEADER: key}, number, workload, gauge, done)
        for number in range(workload.num_users)
    ]
    started = time.monotonic()
    lost: list[BaseException] = []
    try:
        tasks = [asyncio.create_task(visitor.visit()) for visitor in visitors]
        try:
            for ended in asyncio.as_completed(tasks):
                try:
                    await ended
                except LineLost as error:
                    lost.append(error)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        seconds = time.monotonic() - started
    finally:
        num_not_erased = await asyncio.shield(_erase_all(base_url, visitors))
    if len(lost) == len(visitors):
        raise WrongSite(str(lost[0]))
    outcome = _outcome(visitors, gauge, workload, num_instances, seconds)
    return Run(outcome=outcome, samples=tuple(gauge.samples), num_not_erased=num_not_erased)


async def _erase_all(base_url: str, visitors: list[Visitor]) -> int:
    places = asyncio.Semaphore(NUM_ERASED_AT_ONCE)

    async def erase(token: str) -> bool:
        async with places:
            return await asyncio.to_thread(erasing.erase, base_url, token)

    tokens = [visitor.token for visitor in visitors if visitor.token and visitor.conversation]
    return (await asyncio.gather(*map(erase, tokens))).count(False)


def _outcome(
    visitors: list[Visitor], gauge: Gauge, workload: Workload, num_instances: int, seconds: float
) -> Outcome:
    answers = [answer for visitor in visitors for answer in visitor.answers]
    num = max(1, len(answers))
    num_written = sum(answer.num_written for answer in answers)
    held_s = sum(answer.total_s - answer.wait_s for answer in answers)
    num_asked = workload.num_users * workload.num_turns
    return Outcome(
        num_users=workload.num_users,
        num_instances=num_instances,
        total=Spread.of([answer.total_s for answer in answers]),
        ttft=Spread.of([answer.ttft_s for answer in answers]),
        wait=Spread.of([answer.wait_s for answer in answers]),
        num_refused=sum(visitor.num_refused for visitor in visitors),
        # Questions that were never asked, because the line was gone for good, count as well.
        num_failed=num_asked - len(answers),
        max_running=gauge.max_running,
        max_waiting=gauge.max_waiting,
        tok_s=num_written / max(seconds, 1e-9),
        answer_tokens=num_written / num,
        prompt_tokens=sum(answer.num_read for answer in answers) / num,
        utilisation=min(1.0, held_s / max(seconds * num_instances, 1e-9)),
        seconds=seconds,
    )
