"""The status of the pool as the lines and rows that page, admin and terminal show."""

from __future__ import annotations

from typing import Any

from ai_model.pool.status import InstanceStatus, PoolState, PoolStatus

BAR_CELLS = 16


def live_context(status: PoolStatus) -> dict[str, Any]:
    """Return what the templates of the staff page show."""
    return {
        "head": head_line(status),
        "numbers": numbers(status),
        "rows": [instance_row(status, instance) for instance in status.instances],
        "lines": text_lines(status),
        "reason": status.reason,
        "outcomes": sorted(status.outcomes.items(), key=lambda item: -item[1]),
        "state": str(status.state),
    }


def head_line(status: PoolStatus) -> str:
    """Return state, uptime and model in one line."""
    parts = ["pool", str(status.state).upper()]
    if status.pid:
        parts.append(f"up {duration(status.uptime_s)}")
    if status.model is not None:
        parts.append(f"{status.model.name} {status.model.quant}")
        parts.append(f"ctx {status.model.n_ctx}")
    if status.model_is_demo or (status.model is not None and status.model.is_demo):
        parts.append("(demo)")
    return "  ".join(parts)


def numbers(status: PoolStatus) -> list[str]:
    """Return queue and speed, one text for each number."""
    return [
        f"available {status.num_available}/{status.num_instances}",
        f"waiting {status.num_waiting}",
        f"wait p50 {_seconds(status.wait_p50_s)} p95 {_seconds(status.wait_p95_s)}",
        f"ttft p95 {_seconds(status.ttft_p95_s)}",
        f"decode {status.decode_tok_s:.0f} tok/s",
        f"prefill {status.prefill_tok_s:.0f} tok/s",
        f"done {status.num_done}",
        f"refused {status.num_refused}",
    ]


def instance_row(status: PoolStatus, instance: InstanceStatus) -> dict[str, str]:
    """Return one instance as the texts of its cells."""
    n_ctx = status.model.n_ctx if status.model is not None else 0
    share = min(1.0, instance.num_kv_tokens / n_ctx) if n_ctx else 0.0
    filled = int(share * BAR_CELLS)
    is_busy = instance.state != "idle"
    prompt = "-"
    if is_busy and instance.num_prompt:
        prompt = f"{min(100, 100 * instance.num_prompt_done // instance.num_prompt)}%"
    return {
        "number": str(instance.index + 1),
        "state": instance.state,
        "request": f"{instance.generation[:4]}.." if instance.generation else "-",
        "prompt": prompt,
        "tokens": str(instance.num_generated) if is_busy else "-",
        "speed": f"{instance.tok_s:.1f}" if instance.state == "decode" else "-",
        "bar": f"[{'#' * filled}{'.' * (BAR_CELLS - filled)}] {share * 100:3.0f}%",
        "kv": f"{instance.kv_bytes / 1e6:.1f}M",
        "since": duration(instance.since_s),
        "note": "(holds a conversation)" if instance.holds_conversation and not is_busy else "",
    }


def text_lines(status: PoolStatus) -> list[str]:
    """Return the staff table as plain lines of about 80 columns."""
    measures = numbers(status)
    lines = [head_line(status), "   ".join(measures[:4]), "   ".join(measures[4:])]
    if status.reason and status.state is not PoolState.READY:
        lines.append(status.reason)
    if status.instances:
        lines.append(
            " #  state    request   prompt  tokens  tok/s  context                     kv    since"
        )
    for instance in status.instances:
        row = instance_row(status, instance)
        lines.append(
            f"{row['number']:>2}  {row['state']:<8} {row['request']:<8} {row['prompt']:>7} "
            f"{row['tokens']:>7} {row['speed']:>6}  {row['bar']}  {row['kv']:>6} {row['since']:>8}"
            f"  {row['note']}".rstrip()
        )
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


def _seconds(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    return f"{seconds:.1f}s" if seconds < 10 else f"{seconds:.0f}s"
