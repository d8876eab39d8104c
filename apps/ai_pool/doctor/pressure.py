"""Whether the kernel says how much work waits for memory; the pool shortens answers by that."""

from __future__ import annotations

from pathlib import Path

from apps.ai_pool.doctor.finding import Finding, Level, good

PATH = Path("/proc/pressure/memory")
STALLED_PERCENT = 10.0


def check_pressure(path: Path = PATH) -> list[Finding]:
    """Read the kernel's pressure-stall information."""
    try:
        text = path.read_text()
    except OSError:
        return [
            Finding(
                "pressure-unknown",
                Level.NOTE,
                f"The kernel does not tell memory pressure ({path} cannot be read), so shortage is "
                "noticed later.",
                "Start the kernel with psi=1 (GRUB_CMDLINE_LINUX in /etc/default/grub, then "
                "`update-grub` and a restart). In a container the host decides.",
            )
        ]
    stalled = _average_10_s(text)
    if stalled > STALLED_PERCENT:
        return [
            Finding(
                "pressure-high",
                Level.WARNING,
                f"In the last 10 s something waited for memory {stalled:.0f} % of the time.",
                "See what takes it (`ps aux --sort=-rss | head`); lower CORRAL_MAX_INSTANCES or "
                "CORRAL_N_CTX if it is the pool.",
            )
        ]
    return [good("pressure", f"Memory pressure is told by the kernel: {stalled:.0f} % stalled.")]


def _average_10_s(text: str) -> float:
    for word in text.split():
        if word.startswith("avg10="):
            try:
                return float(word.removeprefix("avg10="))
            except ValueError:
                break
    return 0.0
