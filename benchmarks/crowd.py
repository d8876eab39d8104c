"""Hundreds of programs at once: each is answered, or refused with a time to come back.

A real server with a few instances and the usual line; how long refusals take, and what the crowd
costs the web process.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress
from pathlib import Path

import psutil

from benchmarks.crowd_client import Outcome, ask_at_once
from benchmarks.live_site import LiveSite, live_site
from benchmarks.report import Report, Row, percentile

INSTANCES = 4
ANSWER_TOKENS = 8
TOK_S = 60
"""Of one instance: at its own pace the demo model answers half of them before all have asked."""
BIG, SMALL = 500, 50
SAMPLE_EVERY_S = 0.05
CALM_S = 2.0
"""What a web process gives back, it has given back by then."""
MB = 1024 * 1024


def run(model: Path, *, quick: bool = False) -> Report:
    """Measure several small crowds and then big ones.

    Raises RuntimeError when the server does not start.
    """
    report = Report(name="crowd", model=model.name)
    settings = {"CORRAL_MAX_TOK_S": str(TOK_S)}
    with live_site(model, num_instances=INSTANCES, settings=settings) as site:
        key = site.make_key()
        # What is loaded at the first request is no cost of a crowd.
        asyncio.run(ask_at_once(site.port, key, 2, max_tokens=ANSWER_TOKENS))
        for num_clients, num_rounds in ((SMALL, 2 if quick else 10), (BIG, 1 if quick else 3)):
            outcomes, memory = asyncio.run(_measure(site, key, num_clients, num_rounds))
            report.rows.append(figures(num_clients, outcomes))
            report.totals |= {f"{name}_{num_clients}": mb for name, mb in memory.items()}
            report.totals[f"failures_{num_clients}"] = failures(outcomes)
    return report


async def _measure(
    site: LiveSite, key: str, num_clients: int, num_rounds: int
) -> tuple[list[Outcome], dict[str, float]]:
    """What all clients of all rounds got, and the memory of the web process in MB."""
    before_mb = _rss_mb(site)
    watch = asyncio.create_task(_most_rss_mb(site))
    outcomes: list[Outcome] = []
    try:
        for _ in range(num_rounds):
            outcomes += await ask_at_once(site.port, key, num_clients, max_tokens=ANSWER_TOKENS)
            await asyncio.sleep(CALM_S)
    finally:
        watch.cancel()
    memory = {"rss_before_mb": before_mb, "rss_peak_mb": await watch, "rss_after_mb": _rss_mb(site)}
    return outcomes, memory


def figures(num_at_once: int, outcomes: list[Outcome]) -> Row:
    """What all clients of one size of crowd got; ``last`` and ``end`` are in seconds."""
    refused = [one for one in outcomes if one.is_refusal]
    waits = [one.response_s * 1000 for one in refused] or [0.0]
    return {
        "at_once": num_at_once,
        "clients": len(outcomes),
        "answered": sum(one.is_whole for one in outcomes),
        "refused": len(refused),
        "no_time": sum(not one.has_time for one in refused),
        "failed": sum(not one.is_refusal and not one.is_whole for one in outcomes),
        "p50_ms": percentile(waits, 0.5),
        "p99_ms": percentile(waits, 0.99),
        "last_s": max(one.response_s for one in outcomes),
        "end_s": max(one.total_s for one in outcomes),
    }


def failures(outcomes: list[Outcome]) -> str:
    """What went wrong, and how often; "none" when nothing did."""
    failed = [one for one in outcomes if not one.is_refusal and not one.is_whole]
    kinds = Counter(one.failure or f"status {one.status}" for one in failed)
    return ", ".join(f"{number} x {kind}" for kind, number in kinds.items()) or "none"


def _rss_mb(site: LiveSite) -> float:
    return float(psutil.Process(site.pid).memory_info().rss) / MB


async def _most_rss_mb(site: LiveSite) -> float:
    """Return the most that was used until this is cancelled."""
    most = 0.0
    with suppress(asyncio.CancelledError):
        while True:
            most = max(most, _rss_mb(site))
            await asyncio.sleep(SAMPLE_EVERY_S)
    return most
