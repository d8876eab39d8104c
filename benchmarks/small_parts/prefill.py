"""How fast questions are read: the profile ``small`` against ``classic``, on the same core."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks.small_parts.caged_site import run_in_group, small_group
from benchmarks.small_parts.figure import Figure

NUM_TOKENS, NUM_QUICK = 512, 128
LEAST = {"Q8_0": 2.4, "Q5_K_M": 4.0}
"""By quantisation, as the name of the file says it."""


def run(model: Path, is_quick: bool) -> list[Figure]:
    """Measure both, each in a process of its own in the same group."""
    count = NUM_QUICK if is_quick else NUM_TOKENS
    with small_group(model) as cage:
        small, classic = (
            speed(run_in_group(cage, *module(model), "prefill", profile, str(count)))
            for profile in ("small", "classic")
        )
    least = next((value for quant, value in LEAST.items() if quant in model.name), None)
    return [
        Figure("prefill, small", small, "tok/s"),
        Figure("prefill, classic", classic, "tok/s"),
        Figure("prefill, small against classic", small / classic, at_least=least),
    ]


def module(model: Path) -> tuple[str, str]:
    """Return what measures in the group."""
    return "benchmarks.small_parts.bare_speed", str(model.resolve())


def speed(output: str) -> float:
    """Return the speed that was printed; the last line, for a library may have said something."""
    return float(json.loads(output.strip().splitlines()[-1])["tok_s"])
