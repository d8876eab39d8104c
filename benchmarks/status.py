"""What watching the pool costs while eight answers are written, and whether it delays a token.

A real server. Eight visitors read one answer after the other; slices in which nobody watches take
turns with slices in which a member of staff has /pool/ open, the admin's page, both, or a browser
without streams that fetches the admin's data every second. CPU time is that of the web process and
of the pool's event loop.
"""

from __future__ import annotations

import multiprocessing
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path

import psutil

from benchmarks.live_site import ROOT, STOP_TIMEOUT_S, LiveSite, environment, live_site
from benchmarks.report import Report, Row, percentile
from benchmarks.watched_chat import (
    ADMIN,
    BOTH,
    FETCHED,
    NOBODY,
    PAGE,
    STOP,
    Heard,
    chat_and_watch,
)

VISITORS = 8
ROUND = (NOBODY, PAGE, NOBODY, ADMIN, NOBODY, FETCHED, NOBODY, BOTH)
EDGE_S = 1.0
"""Of every slice, so much at its beginning is not measured: pages are opened there."""
ANSWER_TIMEOUT_S = 120.0
SETTINGS = {"CORRAL_MAX_TOKENS": "256"}
"""Long answers: between them nothing is written."""
SIGN_IN = """
from django.contrib.auth import get_user_model
from django.test import Client
client = Client()
client.force_login(get_user_model().objects.create_superuser("benchmark"))
print(client.cookies["sessionid"].value)
"""


def run(model: Path, *, quick: bool = False) -> Report:
    """Measure shares of a core and gaps between pieces of answers, by who watches.

    Raises RuntimeError when the server does not start or a watcher is not told anything.
    """
    num_rounds, slice_s = (2, 3.0) if quick else (4, 10.0)
    report = Report(name="status", model=model.name)
    with live_site(model, num_instances=VISITORS, settings=SETTINGS) as site:
        session = _sign_in(site, model)
        measured: dict[str, Slices] = defaultdict(Slices)
        with _others(site.port, session) as pipe:
            for number in range(num_rounds):
                for case in ROUND:
                    # Once in twenty seconds, as the page does.
                    pipe.send((case, number % 2 == 0))
                    _answer(pipe)
                    _measure(site, slice_s, measured[case])
            pipe.send(STOP)
            heard: Heard = _answer(pipe)
    alone = measured[NOBODY].core_share
    report.rows = [_row(case, measured[case], heard, alone) for case in dict.fromkeys(ROUND)]
    rows = {str(row["case"]): row for row in report.rows}
    report.totals = {
        "cost_share": rows[BOTH]["cost_share"],
        "itl_p95_change_ms": float(str(rows[BOTH]["itl_p95_ms"]))
        - float(str(rows[NOBODY]["itl_p95_ms"])),
    }
    return report


@dataclass
class Slices:
    """All slices of one case: their times, and the CPU time that went into them, in seconds."""

    times: list[tuple[float, float]] = field(default_factory=list)
    web_s: float = 0.0
    pool_s: float = 0.0

    @property
    def seconds(self) -> float:
        """How long they were together."""
        return sum(end - start for start, end in self.times)

    @property
    def core_share(self) -> float:
        """Part of one core that both processes took."""
        return (self.web_s + self.pool_s) / self.seconds

    def gaps_ms(self, heard: Heard) -> list[float]:
        """Gaps between pieces that came within them."""
        return [
            gap
            for at, gap in zip(heard.at, heard.gaps_ms, strict=True)
            if any(start <= at < end for start, end in self.times)
        ]


def _measure(site: LiveSite, seconds: float, slices: Slices) -> None:
    time.sleep(EDGE_S)
    pool_pid = _pool_pid(site)
    web_s, pool_s, start = _cpu_s(site.pid), _loop_cpu_s(pool_pid), time.perf_counter()
    time.sleep(seconds)
    slices.times.append((start, time.perf_counter()))
    slices.web_s += _cpu_s(site.pid) - web_s
    slices.pool_s += _loop_cpu_s(pool_pid) - pool_s


def _row(case: str, slices: Slices, heard: Heard, alone: float) -> Row:
    gaps_ms = slices.gaps_ms(heard)
    if not gaps_ms or (case != NOBODY and not heard.num_looks[case]):
        raise RuntimeError(f"nothing was heard in the slices of {case}")
    return {
        "case": case,
        "seconds": round(slices.seconds),
        "looks": heard.num_looks[case],
        "web_share": slices.web_s / slices.seconds,
        "pool_share": slices.pool_s / slices.seconds,
        "cost_share": slices.core_share - alone,
        "itl_p50_ms": percentile(gaps_ms, 0.5),
        "itl_p95_ms": percentile(gaps_ms, 0.95),
        "itl_p99_ms": percentile(gaps_ms, 0.99),
        "pieces": len(gaps_ms),
    }


def _cpu_s(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return times.user + times.system


def _loop_cpu_s(pid: int) -> float:
    """CPU time of the first thread: the event loop. The others compute answers."""
    return int(Path(f"/proc/{pid}/task/{pid}/schedstat").read_text().split()[0]) / 1e9


def _pool_pid(site: LiveSite) -> int:
    for child in psutil.Process(site.pid).children(recursive=True):
        if "ai_model.pool" in child.cmdline():
            return child.pid
    raise RuntimeError("there is no pool process")


def _sign_in(site: LiveSite, model: Path) -> str:
    """Make a member of staff; returns the session's key."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "shell", "-v", "0", "-c", SIGN_IN],
        cwd=ROOT,
        env=environment(model, site.socket_path.parent, VISITORS),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"nobody could be signed in: {done.stderr[-500:]}")
    return done.stdout.split()[-1]


def _answer(pipe: Connection) -> Heard:
    if not pipe.poll(ANSWER_TIMEOUT_S):
        raise RuntimeError("the visitors do not answer")
    try:
        heard: Heard = pipe.recv()
    except EOFError:
        raise RuntimeError("the visitors gave up") from None
    return heard


@contextmanager
def _others(port: int, session: str) -> Iterator[Connection]:
    """Visitors and watchers, in a process of their own: their work is not to be measured."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=chat_and_watch, args=(there, port, session, VISITORS))
    process.start()
    there.close()
    try:
        yield here
    finally:
        here.close()
        process.join(STOP_TIMEOUT_S)
        process.kill()
        process.join()
