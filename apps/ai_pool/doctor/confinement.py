"""What the running pool process has given up."""

from __future__ import annotations

from ai_model.pool.status import PoolState, PoolStatus
from ai_model.sandbox.sandbox import SandboxMode
from apps.ai_pool.doctor.finding import Finding, Level, good

THREAD = "thread"


def check_sandbox(status: PoolStatus, *, mode: str, pool_mode: str) -> list[Finding]:
    """``mode`` is CORRAL_POOL_SANDBOX, ``pool_mode`` CORRAL_POOL_MODE."""
    if status.state is PoolState.DOWN:
        return []  # others say so
    if pool_mode == THREAD:
        return [
            Finding(
                "sandbox-none",
                Level.NOTE,
                "The pool runs in the web process and can do whatever that can.",
                "Set CORRAL_POOL_MODE=process on a public site.",
            )
        ]
    if mode == SandboxMode.OFF or not status.sandbox:
        return [
            Finding(
                "sandbox-off",
                Level.NOTE,
                "The pool process keeps network, files and keys within its reach.",
                "Set CORRAL_POOL_SANDBOX=auto and restart the pool.",
            )
        ]
    if status.sandbox_gaps:
        return [
            Finding(
                "sandbox-gaps",
                Level.NOTE,
                f"This machine cannot take from the pool process: {status.sandbox_gaps}.",
                "Use Linux 5.13 or newer, or the systemd units, which close most of it as well.",
            )
        ]
    return [good("sandbox", f"Taken from the pool process: {status.sandbox}.")]
