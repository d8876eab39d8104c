"""Figures of made-up machines for the tests of plans."""

from __future__ import annotations

from typing import Any

from apps.ai_pool.capacity_plan.figures import Figures

GB = 1024**3


def make_figures(**changes: Any) -> Figures:
    """A machine on which every token costs 10 ms and a step 40 ms more."""
    values: dict[str, Any] = {
        "model": "TinyLlama 1.1B Chat",
        "quant": "Q8_0",
        "weights_bytes": 1_169_808_416,
        "kv_bytes_per_token": 22_528,
        "n_ctx": 1024,
        "max_tokens": 256,
        "points": ((1, 50.0), (128, 1320.0)),
        "cell_ms": 0.0,
        "num_cpus": 2,
        "memory_bytes": 8 * GB,
        "num_instances": 4,
        "queue_size": 32,
        "timeout_s": 120.0,
        "chunk_tokens": 128,
        "target_itl_ms": 300.0,
        "max_tok_s": 0.0,
        "parked_bytes": 250 * 1024**2,
        "source": "made up",
    }
    return Figures(**values | changes)
