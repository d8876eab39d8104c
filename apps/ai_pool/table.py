"""The status of the pool as the lines and rows that page, admin and terminal show."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ai_model.memory.rung import WARNING_PRESSURE
from ai_model.pool.status import InstanceStatus, PoolState, PoolStatus
from ai_model.pool.waiting_request import WaitingRequest

BAR_CELLS = 16
WIDTH = 80
"""Columns of a terminal; no line is longer, but a reason."""
GAP = "   "
HOLDS = "(holds a conversation)"
INSTANCE_HEADINGS = (
    *("#", "state", "request", "prompt", "tokens"),
    *("tok/s", "context", "kv", "since"),
)
TEXT_HEADINGS = " #  state   request prompt   tokens tok/s  context                     kv  since"
LINE_HEADINGS = ("waiting", "waited", "eta", "visitor", "request")

Line = Sequence[WaitingRequest]


def live_context(status: PoolStatus, line: Line = ()) -> dict[str, Any]:
    """Return what the templates of the staff page show; ``line`` is those who wait."""
    return {
        "head": head_line(status),
        "model": model_line(status),
        "numbers": numbers(status),
        "headings": INSTANCE_HEADINGS,
        "rows": [instance_row(status, instance) for instance in status.instances],
        "line_headings": LINE_HEADINGS,
        "line_rows": [line_row(one) for one in line],
        "num_more": max(0, status.num_waiting - len(line)) if line else 0,
        "lines": text_lines(status, line),
        "reason": status.reason,
        "outcomes": sorted(status.outcomes.items(), key=lambda item: -item[1]),
        "state": str(status.state),
    }


def shown(status: PoolStatus, line: Line = ()) -> dict[str, Any]:
    """Return the texts of the live table: what a page writes into its cells, and the whole."""
    return {
        "text": status.as_text(),
        "head": head_line(status),
        "model": model_line(status),
        "numbers": numbers(status),
        "reason": status.reason,
        "rows": [list(instance_row(status, one).values()) for one in status.instances],
        "line": [list(line_row(one).values()) for one in line],
        "ended": ended_line(status),
        "copy": "\n".join((status.as_text(), "", *text_lines(status, line))),
    }


def head_line(status: PoolStatus) -> str:
    """Return state, memory and uptime in one line."""
    parts = ["pool", str(status.state).upper()]
    memory = status.memory
    if memory.pressure is not None:
        share = f"memory {memory.pressure:.0%}"
        if memory.limit_bytes:
            share += f" of {_gigabytes(memory.limit_bytes)}"
        if memory.resting_pressure is not None:
            share += f" (resting {memory.resting_pressure:.0%})"
        if memory.is_warned:
            share += f", above {WARNING_PRESSURE:.0%}"
        parts += [memory.level, share] if memory.level else [share]
    if status.pid:
        parts.append(f"up {duration(status.uptime_s)}")
    return "  ".join(parts)


def model_line(status: PoolStatus) -> str:
    """Return the model and its context, or "" while there is none."""
    parts = []
    if status.model is not None:
        parts = [f"{status.model.name} {status.model.quant}", f"ctx {status.model.n_ctx}"]
    if status.model_is_demo or (status.model is not None and status.model.is_demo):
        parts.append("(demo)")
    return "  ".join(parts)


def numbers(status: PoolStatus) -> list[str]:
    """Return queue and speed, one text for each number."""
    memory = status.memory
    return [
        f"available {status.num_available}/{status.num_instances}",
        f"waiting {status.num_waiting}",
        f"wait p50 {_seconds(status.wait_p50_s)} p95 {_seconds(status.wait_p95_s)}",
        f"ttft p95 {_seconds(status.ttft_p95_s)}",
        f"decode {status.decode_tok_s:.0f} tok/s",
        f"prefill {status.prefill_tok_s:.0f} tok/s",
        f"reuse {_share(status.reuse_ratio, 0)}",
        f"ok {_share(status.ok_ratio, 1)}",
        f"done {status.num_done}",
        f"refused {status.num_refused}",
        *([f"orphans {status.num_orphans}"] if status.num_orphans else []),
        *([] if memory.stall_some is None else [f"memory stall {_share(memory.stall_some, 0)}"]),
    ]


def instance_row(status: PoolStatus, instance: InstanceStatus) -> dict[str, str]:
    """Return one instance as the texts of its cells."""
    n_ctx = status.model.n_ctx if status.model is not None else 0
    share = min(1.0, instance.num_kv_tokens / n_ctx) if n_ctx else 0.0
    filled = int(share * BAR_CELLS)
    is_busy = instance.state != "idle"
    return {
        "number": str(instance.index + 1),
        "state": instance.state,
        "request": _short_id(instance.generation) if instance.generation else "-",
        "prompt": _prompt(status, instance) if is_busy else "-",
        "tokens": str(instance.num_generated) if is_busy else "-",
        "speed": f"{instance.tok_s:.1f}" if instance.state == "decode" else "-",
        "bar": f"[{'#' * filled}{'.' * (BAR_CELLS - filled)}]",
        "context": f"{share * 100:.0f}%",
        "kv": f"{instance.kv_bytes / 1e6:.1f}M",
        "since": duration(instance.since_s),
        "note": HOLDS if instance.holds_conversation and not is_busy else "",
        "generation": instance.generation,
    }


def line_row(one: WaitingRequest) -> dict[str, str]:
    """Return one who waits as the texts of the cells."""
    eta = "-"
    if one.eta_p50_s is not None and one.eta_p90_s is not None:
        eta = f"{one.eta_p50_s:.0f}-{one.eta_p90_s:.0f}s"
    return {
        "position": str(one.position),
        "waited": duration(one.waited_s),
        "eta": eta,
        "visitor": one.visitor,
        "request": _short_id(one.generation),
        "generation": one.generation,
    }


def ended_line(status: PoolStatus) -> str:
    """Return how answers ended, the most frequent first, or ""."""
    outcomes = sorted(status.outcomes.items(), key=lambda item: -item[1])
    return "ended: " + ", ".join(f"{name} {num}" for name, num in outcomes) if outcomes else ""


def text_lines(status: PoolStatus, line: Line = ()) -> list[str]:
    """Return the staff table as plain lines of 80 columns."""
    lines = [head_line(status), *filter(None, [model_line(status)])]
    lines += _filled(numbers(status))
    if status.reason and status.state is not PoolState.READY:
        lines.append(status.reason)
    if status.instances:
        lines.append(TEXT_HEADINGS)
    lines += [_instance_line(instance_row(status, instance)) for instance in status.instances]
    if line:
        lines.append(f"{'waiting':<8} {'waited':<8} {'eta':<10} {'visitor':<10} request")
    for one in line:
        row = line_row(one)
        lines.append(
            f"{row['position']:<8} {row['waited']:<8} {row['eta']:<10} {row['visitor']:<10} "
            f"{row['request']}"
        )
    if line and status.num_waiting > len(line):
        lines.append(f"... and {status.num_waiting - len(line)} more")
    return lines


def duration(seconds: float) -> str:
    """Return a length of time for people: 12s, 4m10s, 3h05m, 2d 04h."""
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02d}s"
    if whole < 86400:
        return f"{whole // 3600}h{whole % 3600 // 60:02d}m"
    return f"{whole // 86400}d {whole % 86400 // 3600:02d}h"


def _instance_line(row: dict[str, str]) -> str:
    doing = f"{row['request']:<7} {row['prompt']:<8} {row['tokens']:>6}"
    if row["note"]:
        doing = f"{row['note']:<23}"
    return (
        f"{row['number']:>2}  {row['state']:<7} {doing} {row['speed']:>5}  {row['bar']} "
        f"{row['context']:>4} {row['kv']:>6} {row['since']:>6}"
    )


def _prompt(status: PoolStatus, instance: InstanceStatus) -> str:
    """How much of the prompt is read, and how long the rest takes."""
    if not instance.num_prompt:
        return "-"
    text = f"{min(100, 100 * instance.num_prompt_done // instance.num_prompt)}%"
    num_left = instance.num_prompt - instance.num_prompt_done
    if instance.state != "prefill" or num_left <= 0 or status.prefill_tok_s <= 0:
        return text
    return f"{text} {max(1, round(num_left / status.prefill_tok_s))}s"


def _filled(texts: Iterable[str]) -> list[str]:
    """Texts side by side, as many in a line as it holds."""
    lines: list[str] = []
    for text in texts:
        if lines and len(lines[-1]) + len(GAP) + len(text) <= WIDTH:
            lines[-1] += GAP + text
        else:
            lines.append(text)
    return lines


def _short_id(generation: str) -> str:
    return f"{generation[:4]}.."


def _gigabytes(num: int) -> str:
    return f"{num / 2**30:.1f}G"


def _share(share: float | None, num_places: int) -> str:
    return "-" if share is None else f"{share * 100:.{num_places}f}%"


def _seconds(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    return f"{seconds:.1f}s" if seconds < 10 else f"{seconds:.0f}s"
