"""A neighbour takes memory to 97 % and lets go, while visitors chat and somebody opens pages."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

from ai_model.simulation.squeeze import Outcome, Squeeze
from ai_model.simulation.trace import TraceLine
from benchmarks.report import percentile
from benchmarks.small_parts.caged_site import CagedSite, caged_site
from benchmarks.small_parts.figure import Figure
from benchmarks.small_parts.mix import pool_status
from benchmarks.small_parts.visitor import Heard, Visitor

SHARE = 0.97
HOLD_S = 20.0
NUM_VISITORS = 3
PROBE_EVERY_S = 0.5
PROBE_TIMEOUT_S = 10.0
MAX_TOKENS = "64"
STATUS_TIMEOUT_S = 12.0
VISIT_END_S = 120.0


@dataclass
class Neighbours:
    """What visitors and probes met meanwhile."""

    heard: list[Heard] = field(default_factory=list)
    num_broken: int = 0
    probe_s: list[float] = field(default_factory=list)
    num_failed_probes: int = 0


def run(model: Path, is_quick: bool) -> list[Figure]:
    """Squeeze once; ``is_quick`` holds it for a shorter time."""
    neighbours = Neighbours()
    lines: list[TraceLine] = []
    with caged_site(model, settings={"CORRAL_MAX_TOKENS": MAX_TOKENS}) as site:
        before = asyncio.run(pool_status(site))
        ends = threading.Event()
        threads = [
            threading.Thread(target=_probe, args=(site, neighbours, ends), daemon=True),
            threading.Thread(target=_visit, args=(site, neighbours, ends), daemon=True),
        ]
        for thread in threads:
            thread.start()
        squeeze = Squeeze(
            site.sensor(),
            share=SHARE,
            hold_s=2.0 if is_quick else HOLD_S,
            on_line=lines.append,
            pool_level=lambda: _level(site),
            enter=site.cage.enter,
        )
        outcome = squeeze.run()
        ends.set()
        for thread in threads:
            thread.join(VISIT_END_S)
        after = asyncio.run(pool_status(site))
        is_web_alive = site.is_alive
    restarts = after.num_restarts - before.num_restarts
    return [
        *_figures(outcome, lines, neighbours),
        # From 97 % on the pool process begins anew by itself before the kernel takes something.
        Figure("restarts of the pool", float(restarts)),
        Figure("web process ended", float(not is_web_alive), at_most=0),
    ]


def _figures(outcome: Outcome, lines: list[TraceLine], neighbours: Neighbours) -> list[Figure]:
    answers = [one for one in neighbours.heard if not one.refusal]
    # The hog asks to be killed first; that is no kill of ours.
    kills = outcome.peaks.num_oom_kills - outcome.is_killed
    return [
        Figure("levels by the readings", _steps([str(level) for _, level in outcome.peaks.levels])),
        Figure("levels of the pool", _steps(list(outcome.pool_levels))),
        Figure("most that cannot be dropped", outcome.peaks.p_kill, "of the limit", at_least=0.96),
        Figure("recovered", float(outcome.is_recovered), at_least=1),
        Figure("back to rest after", recovery_s(lines), "s", at_most=90),
        Figure("OOM kills of ours", float(kills), at_most=0),
        Figure("answers meanwhile", float(len(answers))),
        Figure("of them reduced", float(sum(one.quality != "full" for one in answers))),
        Figure("told to come back", float(len(neighbours.heard) - len(answers))),
        Figure("answers lost", float(neighbours.num_broken), at_most=0),
        Figure("pages that did not come", float(neighbours.num_failed_probes), at_most=0),
        Figure("a page took, p95", percentile(neighbours.probe_s or [0.0], 0.95), "s"),
    ]


def recovery_s(lines: list[TraceLine]) -> float:
    """Return the seconds from the last moment of most memory to the end of the trace."""
    most = max((line.reading.p_kill or 0.0 for line in lines), default=0.0)
    full = [line.at_s for line in lines if (line.reading.p_kill or 0.0) >= most - 0.01]
    return lines[-1].at_s - full[-1] if full else 0.0


def _steps(levels: list[str]) -> str:
    return " ".join(levels) or "none told"


def _level(site: CagedSite) -> str:
    with contextlib.suppress(Exception):
        return asyncio.run(asyncio.wait_for(pool_status(site), STATUS_TIMEOUT_S)).memory.level
    return ""


def _probe(site: CagedSite, neighbours: Neighbours, ends: threading.Event) -> None:
    address = f"http://127.0.0.1:{site.port}/health/live"
    while not ends.wait(PROBE_EVERY_S):
        began = time.perf_counter()
        try:
            with urllib.request.urlopen(address, timeout=PROBE_TIMEOUT_S) as answer:
                answer.read()
        except (urllib.error.URLError, OSError):
            neighbours.num_failed_probes += 1
            continue
        neighbours.probe_s.append(time.perf_counter() - began)


def _visit(site: CagedSite, neighbours: Neighbours, ends: threading.Event) -> None:
    async def visit(number: int) -> None:
        visitor = Visitor(site.port, number)
        while not ends.is_set():
            try:
                neighbours.heard.append(await visitor.chat())
            except (OSError, TimeoutError):
                neighbours.num_broken += 1
                await asyncio.sleep(PROBE_EVERY_S)

    async def visit_all() -> None:
        await asyncio.gather(*(visit(number) for number in range(NUM_VISITORS)))

    asyncio.run(visit_all())
