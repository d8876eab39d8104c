"""Eight programs in conversation over OpenAI's API: this server against llama.cpp's own.

The workload of ``chat``, one client for both, each with its usual server in front of the model.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from benchmarks.live_site import live_site
from benchmarks.llama_server import VARIANTS, llama_server
from benchmarks.report import Report, Row
from benchmarks.sse_client import complete
from benchmarks.workload import ANSWER_TOKENS, Answer, Message, System, run_workload

VISITORS, TURNS = 8, 3
SETTINGS = {"CORRAL_N_CTX": "1024"}
"""As much context for each as the other server has."""
BARS = {"Q8_0": (1.2, 0.5), "Q5_K_M": (1.1, 0.45)}
"""Tokens per second at least, and time to the first text at most, of those of llama-server."""


def run(
    model: Path, *, quick: bool = False, server: Path | None = None, only: Sequence[str] = ()
) -> Report:
    """Measure this server, and the llama-server program ``server`` with each of its settings.

    ``only`` names systems. Raises RuntimeError when a server does not start.
    """
    report = Report(name="api", model=model.name)
    systems: dict[str, AbstractContextManager[System]] = {"ours": _ours(model)}
    for name, flags in VARIANTS.items() if server is not None else ():
        assert server is not None
        systems[name] = llama_server(server, model, flags)
    for name, opening in systems.items():
        if only and name not in only:
            continue
        with opening as system:
            figures = run_workload(system, visitors=VISITORS, turns=2 if quick else TURNS)
        report.rows.append({"system": name, "visitors": VISITORS, **figures})
    report.totals = compare(report.rows, model.name)
    return report


def compare(rows: Sequence[Row], model: str) -> Row:
    """Return our figures as parts of llama-server's best ones, and the bars where there are any.

    Each figure is compared with the best of all its settings. Nothing without both.
    """
    ours = [row for row in rows if row["system"] == "ours"]
    theirs = [row for row in rows if row["system"] != "ours"]
    if not ours or not theirs:
        return {}
    tok_s = _number(ours[0], "tok_s") / max(_number(row, "tok_s") for row in theirs)
    totals: Row = {"tok_s_ratio": tok_s}
    for name in ("ttft_p50_s", "ttft_p95_s"):
        ratio = _number(ours[0], name) / min(_number(row, name) for row in theirs)
        totals[f"{name[:-2]}_ratio"] = ratio
    for quant, (least, most) in BARS.items():
        if quant in model:
            is_good = tok_s >= least and float(str(totals["ttft_p50_ratio"])) <= most
            totals["bar"] = f"tok_s_ratio >= {least:g}, ttft_p50_ratio <= {most:g}"
            totals["ok"] = "yes" if is_good else "no"
    return totals


@contextmanager
def _ours(model: Path) -> Iterator[System]:
    """A site with its web server and its pool, asked over ``/v1/``."""
    with live_site(model, num_instances=VISITORS, settings=SETTINGS) as site:
        key = site.make_key()

        def answer(visitor: int, messages: Sequence[Message]) -> Answer:
            user = f"visitor {visitor}"
            asked = complete(site.url, messages, max_tokens=ANSWER_TOKENS, user=user, key=key)
            return asked.answer()

        yield answer


def _number(row: Row, name: str) -> float:
    return float(str(row[name]))
